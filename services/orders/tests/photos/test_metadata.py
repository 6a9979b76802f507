"""Nothing but pixels reaches storage, and pixels that need no change are not compressed again."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageChops, PngImagePlugin
from PIL.ExifTags import GPS, IFD, Base

from pastelka_orders.photos.errors import PhotoRefusedError
from tests.photos import files

SECRET = b"Lidicka 17"
ARCHIVE = b"PK\x03\x04 an archive behind the photo"


def located(orientation=1) -> bytes:
    """EXIF that says where and with what a photo was made."""
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif[Base.ImageDescription] = SECRET.decode()
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (49.0, 11.0, 42.0)
    return exif.tobytes()


def same_pixels(first: bytes, second: bytes) -> bool:
    with Image.open(BytesIO(first)) as one, Image.open(BytesIO(second)) as other:
        return ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getbbox() is None


def metadata_of(content: bytes) -> dict:
    with Image.open(BytesIO(content)) as image:
        image.load()
        harmless = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "progression", "progressive"}
        return {key: value for key, value in image.info.items() if key not in harmless}


@pytest.mark.parametrize(
    ("image_format", "settings"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"dpi": (300, 300)}),
        ("PNG", {"dpi": (72, 72)}),
    ],
)
async def test_a_plain_photo_is_stored_byte_for_byte(image_format, settings, noise, encoded, intake):
    content = encoded(noise, image_format, **settings)
    assert (await intake.normalise(content, name="a")).content == content


@pytest.mark.parametrize("mode", ["RGB", "L"])
async def test_a_jpeg_loses_its_metadata_but_no_quality(mode, noise, encoded, intake):
    content = encoded(
        noise.convert(mode), "JPEG", exif=located(), comment=SECRET, xmp=b"<x:xmpmeta>" + SECRET, quality=60
    )
    assert content.count(SECRET) == 3
    photo = await intake.normalise(content, name="a")
    assert SECRET not in photo.content
    assert metadata_of(photo.content) == {}
    assert same_pixels(photo.content, content)


async def test_a_png_loses_its_metadata_but_no_quality(noise, encoded, intake):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", SECRET.decode())
    texts.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    content = encoded(noise, "PNG", exif=located(), pnginfo=texts)
    photo = await intake.normalise(content, name="a")
    assert SECRET not in photo.content
    assert metadata_of(photo.content) == {}
    assert same_pixels(photo.content, content)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 6])
async def test_no_format_keeps_the_location(image_format, orientation, noise, encoded, intake):
    content = encoded(noise, image_format, exif=located(orientation))
    assert SECRET in content
    photo = await intake.normalise(content, name="a")
    assert SECRET not in photo.content
    assert metadata_of(photo.content) == {}


async def test_the_comment_of_a_rotated_jpeg_is_removed(noise, encoded, intake):
    photo = await intake.normalise(encoded(noise, "JPEG", exif=located(8), comment=SECRET), name="a")
    assert SECRET not in photo.content


async def test_a_rotated_jpeg_keeps_its_quality_and_size(noise, encoded, intake):
    content = encoded(noise, "JPEG", exif=located(3), quality=70)
    photo = await intake.normalise(content, name="a")
    assert len(photo.content) == pytest.approx(len(content), rel=0.1)
    with Image.open(BytesIO(content)) as before, Image.open(BytesIO(photo.content)) as after:
        assert after.quantization == before.quantization


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "BMP", "TIFF"])
async def test_a_file_appended_to_the_photo_is_removed(image_format, noise, encoded, intake):
    photo = await intake.normalise(encoded(noise, image_format) + ARCHIVE, name="a")
    assert ARCHIVE not in photo.content
    assert len(photo.content) > 1000


async def test_a_thumbnail_in_the_header_is_removed(jpeg, intake):
    with_thumbnail = (
        jpeg[:2]
        + b"\xff\xe0\x00\x1cJFIF\0\1\1\0\0\1\0\1\2\2"
        + SECRET
        + b"12"
        + jpeg[jpeg.index(b"\xff\xdb") :]
    )
    photo = await intake.normalise(with_thumbnail, name="a")
    assert SECRET not in photo.content
    assert same_pixels(photo.content, jpeg)


def png_with(content: bytes, change) -> bytes:
    """A PNG whose compressed pixels were changed, in one chunk."""
    chunks = files.chunks(content)
    packed = b"".join(data for kind, data in chunks if kind == b"IDAT")
    others = [chunk for chunk in chunks if chunk[0] != b"IDAT"]
    parts = [*others[:-1], (b"IDAT", change(packed)), others[-1]]
    return files.PNG_START + b"".join(files.chunk(*part) for part in parts)


@pytest.mark.parametrize(
    "change",
    [
        lambda packed: packed + SECRET,
        lambda packed: packed + zlib.compress(SECRET),
        lambda packed: zlib.compress(zlib.decompress(packed) + SECRET),
    ],
    ids=["behind", "second stream", "more rows"],
)
async def test_data_after_the_rows_of_a_png_is_removed(change, noise, encoded, intake):
    content = png_with(encoded(noise, "PNG"), change)
    photo = await intake.normalise(content, name="a")
    assert same_pixels(photo.content, content)
    assert SECRET not in photo.content
    packed = b"".join(data for kind, data in files.chunks(photo.content) if kind == b"IDAT")
    unpacking = zlib.decompressobj()
    assert len(unpacking.decompress(packed)) == noise.height * (1 + noise.width * 3)
    assert unpacking.eof
    assert unpacking.unused_data == b""


@pytest.mark.parametrize(
    "chunk",
    [(b"pHYs", b"\0\0\1\0\0\0\1\0\1" + SECRET), (b"sRGB", b"\0" + SECRET), (b"PLTE", SECRET.ljust(30))],
)
async def test_png_chunks_of_invalid_length_are_removed(chunk, noise, encoded, intake):
    content = files.with_chunks(encoded(noise, "PNG"), chunk)
    photo = await intake.normalise(content, name="a")
    assert same_pixels(photo.content, content)
    assert SECRET not in photo.content


@pytest.mark.parametrize("is_interlaced", [False, True])
async def test_a_png_is_stored_with_eight_bits(is_interlaced, intake):
    rows = [struct.pack(">192H", *([60_000, 20_000, 5_000] * 64))] * 64
    content = files.png((64, 64), rows, kind=2, depth=16, is_interlaced=is_interlaced)
    photo = await intake.normalise(content, name="a")
    assert photo.content[24:29] == b"\x08\x02\0\0\0"
    assert same_pixels(photo.content, content)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-12],
        lambda content: content[:-9],
        lambda content: content[:-12] + struct.pack(">I", 2**31) + content[-8:],
        lambda content: content.replace(b"pHYs", b"iHYs"),
    ],
    ids=["no end", "cut end", "long end", "checksum"],
)
async def test_a_png_with_a_damaged_end_is_repaired_or_refused(change, noise, encoded, intake):
    """A fault of the service it is not: that would be 500."""
    content = encoded(noise, "PNG", dpi=(72, 72))
    try:
        photo = await intake.normalise(change(content), name="a")
    except PhotoRefusedError:
        return
    assert same_pixels(photo.content, content)
    assert files.chunks(photo.content)[-1] == (b"IEND", b"")
