"""Which way is up, which bytes are a photo, which numbers are white: headers as real programs write them."""

import struct
from io import BytesIO

import pytest
from PIL import Image
from PIL.ExifTags import Base

from pastelka_orders.photos.errors import PhotoRefusedError
from tests.photos import files

SIZE = (96, 64)


async def stored(intake, content: bytes) -> Image.Image:
    photo = await intake.normalise(content, name="a")
    image = Image.open(BytesIO(photo.content))
    image.load()
    return image


def quarters(image: Image.Image) -> list:
    return [
        image.convert("RGB").getpixel((x, y))
        for y in (image.height // 4, image.height * 3 // 4)
        for x in (image.width // 4, image.width * 3 // 4)
    ]


def assert_same(image: Image.Image, expected: Image.Image, levels=6) -> None:
    assert image.size == expected.size
    for seen, right in zip(quarters(image), quarters(expected), strict=True):
        assert seen == pytest.approx(right, abs=levels)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
async def test_xmp_orientation_is_ignored(image_format, intake):
    upright = files.corners(SIZE)
    if image_format == "HEIF":
        content = hidden_xmp(upright)
    elif image_format == "TIFF":
        content = files.encoded(upright, "TIFF", tiffinfo={700: files.XMP_TURNED})
    else:
        content = files.with_xmp(upright, image_format)
    assert b'tiff:Orientation="6"' in content
    assert_same(await stored(intake, content), upright)


def hidden_xmp(image: Image.Image) -> bytes:
    """A HEIC whose XMP only says that it is turned: the encoder would turn it with ``irot``."""
    harmless = files.XMP_TURNED.replace(b'Orientation="6"', b'Orientation="1"')
    content = files.encoded(image, "HEIF", xmp=harmless)
    return content.replace(b'Orientation="1"', b'Orientation="6"')


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
async def test_exif_orientation_takes_precedence_over_xmp(image_format, intake):
    exif = Image.Exif()
    exif[Base.Orientation] = 3
    turned = files.corners(SIZE).transpose(Image.Transpose.ROTATE_180)
    content = files.encoded(turned, image_format, exif=exif.tobytes(), xmp=files.XMP_TURNED)
    assert_same(await stored(intake, content), files.corners(SIZE))


@pytest.mark.parametrize("image_format", ["AVIF", "HEIF"])
async def test_exif_orientation_is_ignored_in_avif_and_heif(image_format, intake):
    """Pillow and libheif write ``irot`` for this orientation; here only EXIF is changed behind their back."""
    exif = Image.Exif()
    exif[Base.ResolutionUnit] = 6
    content = files.encoded(files.corners(SIZE), image_format, exif=exif.tobytes())
    for unit, orientation in ((b"\x28\1\3\0", b"\x12\1\3\0"), (b"\1\x28\0\3", b"\1\x12\0\3")):
        content = content.replace(unit, orientation)
    assert b"\x12\1\3\0\1\0\0\0\6" in content or b"\1\x12\0\3\0\0\0\1\0\6" in content
    assert_same(await stored(intake, content), files.corners(SIZE))


@pytest.mark.parametrize("image_format", ["AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", range(2, 9))
async def test_the_rotation_of_the_container_is_applied(image_format, orientation, intake):
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    turned = files.corners(SIZE).transpose(Image.Transpose(undo))
    content = files.encoded(turned, image_format, exif=exif.tobytes())
    assert_same(await stored(intake, content), files.corners(SIZE))


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "AVIF", "HEIF", "TIFF", "JPEG"])
@pytest.mark.filterwarnings("default:Corrupt EXIF")
async def test_damaged_exif_is_ignored(image_format, intake):
    content = files.encoded(files.corners(SIZE), image_format, exif=b"Exif\0\0MM\0*nonsense")
    assert_same(await stored(intake, content), files.corners(SIZE))


RGB_MASKS = (0xFF0000, 0xFF00, 0xFF)


@pytest.mark.parametrize("header", [56, 108, 124])
async def test_a_bmp_without_alpha_is_opaque(header, intake):
    content = files.bmp(files.corners(SIZE), header=header, masks=(*RGB_MASKS, 0xFF000000), alpha=0)
    assert_same(await stored(intake, content), files.corners(SIZE))


async def test_a_bmp_with_alpha_is_flattened_onto_white(intake):
    content = files.bmp(files.plain((255, 0, 0)), header=124, masks=(*RGB_MASKS, 0xFF000000), alpha=128)
    assert (await stored(intake, content)).getpixel((9, 9)) == pytest.approx((255, 127, 127), abs=2)


@pytest.mark.parametrize("header", [40, 52, 56])
@pytest.mark.parametrize("masks", [(0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F)])
async def test_a_bmp_of_sixteen_bits(header, masks, intake):
    content = files.bmp(
        files.corners(SIZE), header=header, masks=(*masks, 0)[: 3 if header < 56 else 4], bits=16
    )
    assert_same(await stored(intake, content), files.corners(SIZE), 10)


LEVELS = [level * 257 for level in range(256)]


@pytest.mark.parametrize("is_big", [False, True])
@pytest.mark.parametrize("photometric", [0, 1])
async def test_sixteen_bit_grey_of_a_tiff(is_big, photometric, intake):
    order = ">" if is_big else "<"
    values = LEVELS if photometric else [65535 - level for level in LEVELS]
    pixels = struct.pack(f"{order}256H", *values) * 64
    content = files.tiff((256, 64), pixels, photometric=photometric, bits=(16,), big_endian=is_big)
    image = await stored(intake, content)
    assert [image.getpixel((x, 30)) for x in range(256)] == pytest.approx(range(256), abs=2)


@pytest.mark.parametrize("is_big", [False, True])
async def test_eight_bit_grey_of_a_tiff_whose_zero_is_white(is_big, intake):
    pixels = bytes(range(255, -1, -1)) * 64
    content = files.tiff((256, 64), pixels, photometric=0, bits=(8,), big_endian=is_big)
    image = await stored(intake, content)
    assert [image.getpixel((x, 30)) for x in range(256)] == pytest.approx(range(256), abs=2)


@pytest.mark.parametrize(
    ("image_format", "major", "compatible"),
    [
        ("AVIF", b"mif1", [b"avif", b"mif1", b"miaf"]),
        ("AVIF", b"miaf", [b"mif1", b"avif"]),
        ("AVIF", b"avio", [b"mif1", b"avif"]),
        ("HEIF", b"mif1", [b"heic"]),
        ("HEIF", b"miaf", [b"heic"]),
        ("HEIF", b"msf1", [b"heic"]),
    ],
)
async def test_compatible_brands_are_recognized(image_format, major, compatible, intake):
    content = files.with_brand(files.encoded(files.corners(SIZE), image_format), major, *compatible)
    assert_same(await stored(intake, content), files.corners(SIZE), 12)


@pytest.mark.parametrize(
    ("brands", "code"),
    [
        ((b"mif1", b"miaf", b"vvic"), "photo_unsupported_format"),
        ((b"isom", b"mp42"), "photo_not_an_image"),
        ((b"crx ", b"isom"), "photo_unsupported_format"),
    ],
)
async def test_unsupported_codings_are_refused_by_code(brands, code, intake):
    box = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    content = struct.pack(">I", len(box) + 4) + box + bytes(200)
    with pytest.raises(PhotoRefusedError) as refused:
        await intake.normalise(content, name="a")
    assert refused.value.code == code


async def test_a_preview_before_the_photo_is_skipped(intake):
    """A TIFF whose first page says that it is a reduced copy (TIFF 6.0, NewSubfileType)."""
    preview = Image.new("RGB", (64, 64), "red")
    frames = [files.corners(SIZE)]
    content = files.encoded(preview, "TIFF", save_all=True, append_images=frames, tiffinfo={254: 1})
    at = content.rindex(struct.pack("<HHII", 254, 4, 1, 1))
    content = content[:at] + struct.pack("<HHII", 254, 4, 1, 0) + content[at + 12 :]
    assert_same(await stored(intake, content), files.corners(SIZE))


async def test_the_primary_image_of_a_heif_is_stored(intake):
    content = files.encoded(
        Image.new("RGB", (64, 64), "red"),
        "HEIF",
        save_all=True,
        append_images=[files.corners(SIZE)],
        primary_index=1,
    )
    assert_same(await stored(intake, content), files.corners(SIZE), 12)
