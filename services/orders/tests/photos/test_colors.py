"""Colors are those that the file means: judged by what a profile does, by code points, by a gamma."""

import struct
from io import BytesIO

import pytest
from PIL import Image, ImageCms

from tests.photos import files

P3_RED = (234, 51, 35)
"""About (255, 0, 0) of sRGB in Display P3."""
P3_NAMES = ("Display P3 Gamut with sRGB Transfer", "sRGB EOTF with DCI-P3 Color Gamut", "Display P3")
WHITE_203 = files.pq(203)


async def stored(intake, content: bytes) -> Image.Image:
    photo = await intake.normalise(content, name="a")
    image = Image.open(BytesIO(photo.content))
    image.load()
    assert "icc_profile" not in image.info
    return image


async def color_of(intake, content: bytes) -> tuple[int, ...]:
    """The color in the middle of what is stored."""
    image = await stored(intake, content)
    middle = image.getpixel((image.width // 2, image.height // 2))
    return middle if isinstance(middle, tuple) else (middle,) * 3


def near(color, levels=2):
    return pytest.approx(color, abs=levels)


@pytest.mark.parametrize("name", P3_NAMES)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF", "TIFF", "AVIF"])
async def test_a_profile_is_judged_by_its_colorants(name, image_format, intake):
    profile = files.profile(name, files.P3_XYZ)
    settings = {"WEBP": {"lossless": True}, "HEIF": {"quality": -1, "chroma": 444}, "JPEG": {"quality": 98}}
    content = files.encoded(
        files.plain(P3_RED), image_format, icc_profile=profile, **settings.get(image_format, {})
    )
    assert await color_of(intake, content) == near((255, 0, 0))


async def test_the_profile_of_a_palette_photo_is_applied(intake):
    image = files.plain(P3_RED).quantize(4)
    content = files.encoded(image, "PNG", icc_profile=files.profile("x", files.P3_XYZ))
    assert await color_of(intake, content) == near((255, 0, 0))


async def test_the_profile_of_a_transparent_photo_is_applied(intake):
    image = files.plain((*P3_RED, 255), "RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 20, 80))
    content = files.encoded(image, "PNG", icc_profile=files.profile("x", files.P3_XYZ))
    assert await color_of(intake, content) == near((255, 0, 0))
    assert (await stored(intake, content)).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
async def test_srgb_by_any_name_is_kept_as_it_is(image_format, intake):
    image, name = files.noise(), "Company print preset 7"
    content = files.encoded(image, image_format, icc_profile=files.profile(name), quality=90)
    photo = await intake.normalise(content, name="a")
    assert photo.content == files.encoded(image, image_format, quality=90)


async def test_the_srgb_of_littlecms_is_kept_as_it_is(intake):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = files.noise()
    photo = await intake.normalise(files.encoded(image, "PNG", icc_profile=profile), name="a")
    assert photo.content == files.encoded(image, "PNG")


async def test_a_profile_that_differs_only_in_its_curve_is_applied(intake):
    """sRGB's colorants with gamma 1.8: (128/255)^1.8 of the light."""
    content = files.encoded(
        files.plain((128, 128, 128)), "PNG", icc_profile=files.profile("sRGB", files.SRGB_XYZ, 1.8)
    )
    assert await color_of(intake, content) == near((147, 147, 147))


@pytest.mark.parametrize("mode", ["L", "LA"])
@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "TIFF"])
async def test_a_grey_profile_is_applied(mode, image_format, intake):
    if (mode, image_format) == ("LA", "JPEG"):
        pytest.skip("JPEG has no alpha")
    image = files.plain((128, 255)[: len(mode)], mode) if mode == "LA" else files.plain(128, mode)
    content = files.encoded(image, image_format, icc_profile=files.grey_profile(1.75))
    assert await color_of(intake, content) == near((149, 149, 149))
    assert (await stored(intake, content)).mode == "L"


async def test_a_grey_profile_is_applied_to_sixteen_bits(intake):
    image = Image.frombytes("I;16", (96, 80), struct.pack("<H", 128 * 257) * 96 * 80)
    content = files.encoded(image, "PNG", icc_profile=files.grey_profile(1.75))
    assert await color_of(intake, content) == near((149, 149, 149))


async def test_a_profile_of_another_color_space_is_ignored(intake):
    content = files.encoded(files.plain(P3_RED), "PNG", icc_profile=files.grey_profile(1.75))
    assert await color_of(intake, content) == P3_RED


def with_points(image_format: str, color, primaries: int, transfer: int) -> bytes:
    """``color`` in a file whose colors are said by numbers only."""
    image = files.plain(color)
    if image_format == "PNG":
        return files.with_chunks(files.encoded(image, "PNG"), (b"cICP", bytes((primaries, transfer, 0, 1))))
    settings = (
        {"quality": -1, "chroma": 444} if image_format == "HEIF" else {"subsampling": "4:4:4", "quality": 98}
    )
    return files.with_code_points(files.encoded(image, image_format, **settings), primaries, transfer)


@pytest.mark.parametrize("image_format", ["AVIF", "HEIF", "PNG"])
async def test_pq_white_becomes_nearly_white(image_format, intake):
    content = with_points(image_format, (WHITE_203,) * 3, 9, 16)
    color = await color_of(intake, content)
    assert min(color) > 240
    assert max(color) - min(color) <= 2


@pytest.mark.parametrize("image_format", ["AVIF", "HEIF", "PNG"])
async def test_pq_is_brighter_where_there_is_more_light_and_true_below_white(image_format, intake):
    colors = [
        (await color_of(intake, with_points(image_format, (files.pq(nits),) * 3, 9, 16)))[1]
        for nits in (0, 5, 50, 203, 1000, 4000)
    ]
    assert colors == sorted(colors)
    assert len(set(colors[:-1])) == 5
    # 50 of 203 cd/m2 are 0.246 of the light: 135.5 of sRGB. A level of PQ is three levels here.
    assert colors[2] == near(135, 3)
    assert colors[0] <= 1
    assert colors[-1] >= 254


@pytest.mark.parametrize("image_format", ["AVIF", "HEIF", "PNG"])
async def test_hlg_white_becomes_nearly_white(image_format, intake):
    """75 % of the signal are reference white (ITU-R BT.2408, table 1)."""
    color = await color_of(intake, with_points(image_format, (191,) * 3, 9, 18))
    assert min(color) > 240


@pytest.mark.parametrize("image_format", ["AVIF", "HEIF", "PNG"])
async def test_code_points_of_p3(image_format, intake):
    content = with_points(image_format, P3_RED, 12, 13)
    assert await color_of(intake, content) == near((255, 0, 0))


@pytest.mark.parametrize("image_format", ["AVIF", "HEIF", "PNG"])
async def test_code_points_of_bt_2020(image_format, intake):
    """(200, 100, 50) of BT.2020, by the matrix of ITU-R BT.2407."""
    content = with_points(image_format, (200, 100, 50), 9, 13)
    assert await color_of(intake, content) == near((240, 75, 29), 3)


@pytest.mark.parametrize("image_format", ["AVIF", "HEIF"])
async def test_a_profile_takes_precedence_over_code_points(image_format, intake):
    profile = files.profile("sRGB built by hand")
    image = files.plain((WHITE_203,) * 3)
    content = files.encoded(image, image_format, icc_profile=profile)
    if b"colrnclx" in content:
        content = files.with_code_points(content, 9, 16)
    assert await color_of(intake, content) == near((WHITE_203,) * 3)


async def test_png_code_points_take_precedence_over_a_profile(intake):
    content = files.encoded(files.plain(P3_RED), "PNG", icc_profile=files.profile("sRGB"))
    content = files.with_chunks(content, (b"cICP", bytes((12, 13, 0, 1))))
    assert await color_of(intake, content) == near((255, 0, 0))


def points(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}I", *(round(number * 100_000) for number in numbers))


P3_CHROMATICITIES = points(0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)


async def test_chromaticities_of_a_png(intake):
    content = files.with_chunks(
        files.encoded(files.plain(P3_RED), "PNG"), (b"gAMA", points(1 / 2.2)), (b"cHRM", P3_CHROMATICITIES)
    )
    assert await color_of(intake, content) == near((255, 0, 0))


@pytest.mark.parametrize(("gamma", "level"), [(1 / 1.8, 147), (1.0, 188), (1 / 2.2, 128)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
async def test_the_gamma_of_a_png(gamma, level, mode, intake):
    image = files.plain(128, "L").convert(mode)
    content = files.with_chunks(files.encoded(image, "PNG"), (b"gAMA", points(gamma)))
    assert await color_of(intake, content) == near((level,) * 3)
    photo = await intake.normalise(content, name="a")
    assert b"gAMA" not in photo.content


async def test_the_srgb_chunk_of_a_png_takes_precedence_over_gamma(intake):
    content = files.with_chunks(
        files.encoded(files.plain(P3_RED), "PNG"),
        (b"sRGB", b"\0"),
        (b"gAMA", points(1.0)),
        (b"cHRM", P3_CHROMATICITIES),
    )
    assert await color_of(intake, content) == P3_RED


@pytest.mark.parametrize("chromaticities", [bytes(32), b"\x7f\xff\xff\xff" * 8, points(*[0.3] * 8)])
async def test_invalid_chromaticities_are_ignored(chromaticities, intake):
    content = files.with_chunks(
        files.encoded(files.plain(P3_RED), "PNG"), (b"gAMA", points(1 / 2.2)), (b"cHRM", chromaticities)
    )
    assert await color_of(intake, content) == P3_RED


async def test_significant_bits_change_nothing(intake):
    content = files.with_chunks(files.encoded(files.plain(P3_RED), "PNG"), (b"sBIT", b"\5\5\5"))
    assert await color_of(intake, content) == P3_RED


@pytest.mark.parametrize(
    ("lab", "rgb"),
    [((137, 0, 0), (128, 128, 128)), ((137, 0x28, 0x1E), (198, 97, 79)), ((0, 0, 0), (0, 0, 0))],
)
async def test_lab_of_a_tiff(lab, rgb, intake):
    """Signed a* and b* (TIFF 6.0, section 23); L* of 53.7 is the middle grey of sRGB."""
    content = files.tiff((96, 80), bytes(lab) * 96 * 80, photometric=8, bits=(8, 8, 8))
    assert await color_of(intake, content) == near(rgb)
