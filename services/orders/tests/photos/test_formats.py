"""Every kind of photo comes out upright, 8-bit, opaque, with the colors it went in with."""

import struct
from io import BytesIO

import pytest
from PIL import Image, ImageCms, ImageOps
from PIL.ExifTags import Base

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
CORNERS = (RED, GREEN, BLUE, YELLOW)
WHITE = (255, 255, 255)

# How a camera stores pixels so that turning them as its EXIF orientation says shows them upright.
STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def opened(photo) -> Image.Image:
    """The stored file, which must be what the photo says it is."""
    image = Image.open(BytesIO(photo.content))
    image.load()
    assert image.format == {"jpg": "JPEG", "png": "PNG"}[photo.suffix]
    assert image.size == (photo.width, photo.height)
    assert image.mode in {"L", "RGB"}
    assert not image.has_transparency_data
    return image


def oriented(orientation):
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
async def test_exif_orientation_is_applied(orientation, image_format, corners, encoded, intake, colors_seen):
    turn = STORED_AS[orientation]
    as_stored = corners if turn is None else corners.transpose(turn)
    content = encoded(as_stored, image_format, exif=oriented(orientation).tobytes())
    photo = await intake.normalise(content, name="a")
    assert (photo.width, photo.height) == corners.size
    assert colors_seen(photo.content) == CORNERS
    assert opened(photo).getexif().get(Base.Orientation, 1) == 1


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "HEIF", "AVIF"])
async def test_each_format_keeps_its_colors(image_format, corners, encoded, intake, colors_seen):
    photo = await intake.normalise(encoded(corners, image_format), name="a")
    assert colors_seen(photo.content) == CORNERS
    assert opened(photo).format == ("PNG" if image_format in {"PNG", "GIF"} else "JPEG")


@pytest.mark.parametrize("image_format", ["JPEG", "TIFF"])
async def test_cmyk_becomes_rgb(image_format, corners, encoded, intake, colors_seen):
    photo = await intake.normalise(encoded(corners.convert("CMYK"), image_format, quality=95), name="a")
    assert opened(photo).mode == "RGB"
    assert colors_seen(photo.content) == CORNERS


GRADIENT = [level * 257 for level in range(256)]


def row_of(image: Image.Image) -> list:
    return [image.getpixel((x, 30)) for x in range(image.width)]


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
async def test_sixteen_bit_grey_keeps_its_gradient(image_format, encoded, intake):
    image = Image.frombytes("I;16", (256, 64), struct.pack("<256H", *GRADIENT) * 64)
    photo = await intake.normalise(encoded(image, image_format), name="a")
    assert row_of(opened(photo)) == pytest.approx(range(256), abs=0 if photo.suffix == "png" else 2)


async def test_sixteen_bit_big_endian_tiff(intake):
    photo = await intake.normalise(big_endian_tiff(), name="a")
    assert row_of(opened(photo)) == pytest.approx(range(256), abs=2)


def big_endian_tiff() -> bytes:
    """The gradient as an uncompressed 16-bit grey TIFF of 256 x 64 pixels (TIFF 6.0, section 4)."""
    short, long = 3, 4
    pixels = struct.pack(">256H", *GRADIENT) * 64
    tags = [
        (256, short, 256),
        (257, short, 64),
        (258, short, 16),
        (259, short, 1),
        (262, short, 1),
        (273, long, 8),
        (277, short, 1),
        (278, short, 64),
        (279, long, len(pixels)),
    ]
    entry = {short: ">HHIHxx", long: ">HHII"}
    directory = b"".join(struct.pack(entry[kind], tag, kind, 1, value) for tag, kind, value in tags)
    header = struct.pack(">2sHI", b"MM", 42, 8 + len(pixels))
    return header + pixels + struct.pack(">H", len(tags)) + directory + bytes(4)


async def test_sixteen_bit_color_keeps_its_levels(png_by_hand, intake):
    row = b"".join(struct.pack(">HHH", level, 65535 - level, 0x8080) for level in GRADIENT)
    photo = await intake.normalise(png_by_hand((256, 64), color_type=2, depth=16, rows=[row] * 64), name="a")
    reds, greens, blues = zip(*row_of(opened(photo)), strict=True)
    assert reds == pytest.approx(range(256), abs=1)
    assert greens == pytest.approx(range(255, -1, -1), abs=1)
    assert set(blues) == {128}


async def test_sixteen_bit_color_with_alpha_is_flattened_onto_white(png_by_hand, intake):
    half = struct.pack(">HHHH", 65535, 0, 0, 0x8000)
    photo = await intake.normalise(
        png_by_hand((64, 64), color_type=6, depth=16, rows=[half * 64] * 64), name="a"
    )
    assert opened(photo).getpixel((9, 9)) == pytest.approx((255, 127, 127), abs=1)


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
async def test_transparency_is_flattened_onto_white(image_format, corners, encoded, intake, colors_seen):
    image = corners.convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 80, 48))
    photo = await intake.normalise(encoded(image, image_format), name="a")
    assert colors_seen(photo.content) == (WHITE, GREEN, BLUE, YELLOW)


@pytest.mark.parametrize("image_format", ["PNG", "GIF"])
async def test_a_palette_with_transparency_is_flattened_onto_white(
    image_format, corners, encoded, intake, colors_seen
):
    image = corners.quantize(8)
    transparent = image.getpixel((10, 10))
    photo = await intake.normalise(encoded(image, image_format, transparency=transparent), name="a")
    assert colors_seen(photo.content) == (WHITE, GREEN, BLUE, YELLOW)


async def test_a_palette_with_many_alphas_is_flattened_onto_white(corners, encoded, intake, colors_seen):
    image = corners.quantize(8)
    alphas = bytes([0] * 256)
    photo = await intake.normalise(encoded(image, "PNG", transparency=alphas), name="a")
    assert colors_seen(photo.content) == (WHITE,) * 4


async def test_a_transparent_color_of_an_rgb_png_is_flattened_onto_white(
    corners, encoded, intake, colors_seen
):
    photo = await intake.normalise(encoded(corners, "PNG", transparency=RED), name="a")
    assert colors_seen(photo.content) == (WHITE, GREEN, BLUE, YELLOW)


async def test_grey_with_alpha_stays_grey(encoded, intake):
    image = Image.new("LA", (80, 80), (0, 128))
    photo = await intake.normalise(encoded(image, "PNG"), name="a")
    assert opened(photo).mode == "L"
    assert opened(photo).getpixel((5, 5)) == pytest.approx(127, abs=1)


async def test_one_bit_becomes_grey(corners, encoded, intake):
    photo = await intake.normalise(encoded(corners.convert("1"), "PNG"), name="a")
    assert opened(photo).mode == "L"


@pytest.mark.parametrize(
    ("image_format", "settings"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})]
)
async def test_the_first_frame_of_an_animation_is_stored(
    image_format, settings, corners, encoded, intake, colors_seen
):
    others = [Image.new("RGB", corners.size, color) for color in (BLUE, RED)]
    content = encoded(corners, image_format, save_all=True, append_images=others, duration=50, **settings)
    photo = await intake.normalise(content, name="a")
    assert colors_seen(photo.content) == CORNERS
    assert getattr(opened(photo), "n_frames", 1) == 1


async def test_the_first_picture_of_a_multi_picture_jpeg_is_stored(corners, encoded, intake, colors_seen):
    content = encoded(corners, "MPO", save_all=True, append_images=[ImageOps.invert(corners)], quality=90)
    photo = await intake.normalise(content, name="a")
    assert colors_seen(photo.content) == CORNERS
    assert opened(photo).format == "JPEG"
    assert photo.content.count(b"\xff\xd8\xff") == 1


async def test_a_wide_profile_is_turned_into_srgb(encoded, intake):
    """The same numbers in a profile with swapped primaries are other colors."""
    profile = swapped_primaries()
    image = Image.new("RGB", (80, 80), (200, 40, 40))
    photo = await intake.normalise(encoded(image, "PNG", icc_profile=profile), name="a")
    assert opened(photo).getpixel((5, 5)) == pytest.approx((40, 200, 40), abs=3)
    assert "icc_profile" not in opened(photo).info


def swapped_primaries() -> bytes:
    """sRGB with its red and green colorants exchanged (tags ``rXYZ`` and ``gXYZ`` of ICC.1)."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")
    return swapped.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be")).replace(b"sRGB", b"mine")


@pytest.mark.parametrize("profile", [b"nonsense", b""])
async def test_a_damaged_profile_is_ignored(profile, corners, encoded, intake, colors_seen):
    photo = await intake.normalise(encoded(corners, "JPEG", icc_profile=profile), name="a")
    assert colors_seen(photo.content) == CORNERS
    assert b"ICC_PROFILE" not in photo.content


@pytest.mark.filterwarnings("default:Corrupt EXIF")  # all that is known of it, and of no use to a sender
async def test_damaged_exif_is_ignored(corners, encoded, intake, colors_seen):
    photo = await intake.normalise(encoded(corners, "JPEG", exif=b"Exif\0\0MM\0*nonsense"), name="a")
    assert colors_seen(photo.content) == CORNERS
    assert b"nonsense" not in photo.content
