"""What is no photo is refused by name and code, with a sentence, before it can do harm."""

import struct
import time
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from pastelka_orders.photos.errors import PhotoRefusedError, display_name
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.photo_limits import PhotoLimits

HTML = b"<!DOCTYPE html><html><body>Not found</body></html>"


async def refused(intake, source, name="photo.jpg") -> PhotoRefusedError:
    with pytest.raises(PhotoRefusedError) as caught:
        await intake.normalise(source, name=name)
    return caught.value


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "photo_empty", "0 bytes"),
        (HTML, "photo_not_an_image", "a web page"),
        (b"\xef\xbb\xbf\r\n <html lang='cs'>", "photo_not_an_image", "a web page"),
        (b"Ahoj, fotka je v pr\xc3\xadloze.", "photo_not_an_image", "a text file"),
        (b"%PDF-1.7\n1 0 obj", "photo_not_an_image", "a PDF document"),
        (b"PK\x03\x04" + bytes(40), "photo_not_an_image", "a ZIP archive"),
        (b"\0\0\0\x18ftypqt  " + bytes(40), "photo_not_an_image", "a video"),
        (bytes(range(256)), "photo_not_an_image", "unknown kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "photo_unsupported_format", "an SVG drawing"),
        (b"<?xml version='1.0'?><svg/>", "photo_unsupported_format", "an SVG drawing"),
        (b"8BPS\0\1" + bytes(40), "photo_unsupported_format", "a Photoshop file"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "photo_unsupported_format", "a JPEG XL image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 200\n", "photo_not_an_image", "a PostScript"),
        (b"\xff\xd8\xff\xe0" + bytes(200), "photo_damaged", "damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "photo_damaged", "damaged"),
    ],
)
async def test_files_that_are_not_photos_are_refused(content, code, said, intake):
    error = await refused(intake, content)
    assert error.code == code
    assert said in error.reason
    assert error.reason.endswith(".")


async def test_a_document_containing_a_photo_is_refused(jpeg, intake):
    assert (await refused(intake, b"%PDF-1.7\n" + jpeg)).code == "photo_not_an_image"
    assert (await refused(intake, HTML + jpeg)).code == "photo_not_an_image"


@pytest.mark.filterwarnings("default:.*:UserWarning:PIL")
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "HEIF", "AVIF"])
async def test_truncated_files_are_refused(image_format, kept, noise, encoded, intake):
    content = encoded(noise, image_format)
    error = await refused(intake, content[: int(len(content) * kept)])
    assert error.code in {"photo_truncated", "photo_damaged"}


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "TIFF", "HEIF"])
async def test_a_truncated_file_is_reported_as_such(image_format, noise, encoded, intake):
    content = encoded(noise, image_format)
    assert (await refused(intake, content[: len(content) * 3 // 4])).code == "photo_truncated"


async def test_corrupted_pixels_are_detected(noise, encoded, intake):
    content = bytearray(encoded(noise, "PNG"))
    content[len(content) // 2] ^= 0xFF
    assert (await refused(intake, bytes(content))).code == "photo_damaged"


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((60_000, 60_000), "photo_side_too_long"),
        ((30_000, 30_000), "photo_too_many_pixels"),
        ((25_001, 10_000), "photo_too_many_pixels"),
        ((63, 500), "photo_too_small"),
    ],
)
async def test_a_bomb_is_refused_by_its_header_alone(size, code, png_by_hand, intake):
    """Its pixels are missing: had they been asked for, the code would be another."""
    await refused(intake, b"")  # starts the process that decodes
    started = time.monotonic()
    error = await refused(intake, png_by_hand(size, color_type=6, depth=16, rows=[]))
    assert error.code == code
    assert f"{size[0]} x {size[1]}" in error.reason
    assert time.monotonic() - started < 1


async def test_a_gif_frame_larger_than_its_screen_is_refused(encoded, intake):
    content = bytearray(encoded(Image.new("P", (100, 100)), "GIF"))
    frame = content.index(b"\x2c")
    content[frame + 5 : frame + 9] = struct.pack("<HH", 29_999, 29_999)
    assert (await refused(intake, bytes(content))).code == "photo_too_many_pixels"


async def test_a_cameras_raw_file_is_not_mistaken_for_its_preview(noise, encoded, intake):
    error = await refused(intake, encoded(noise, "TIFF", tiffinfo={254: 1}))
    assert error.code == "photo_unsupported_format"
    assert "raw file" in error.reason


@pytest.mark.parametrize("mode", ["I", "F"])
async def test_32_bit_pixels_are_refused(mode, encoded, intake):
    error = await refused(intake, encoded(Image.new(mode, (80, 80)), "TIFF"))
    assert error.code == "photo_unsupported_format"
    assert "32 bits" in error.reason


async def test_a_photo_with_too_many_bytes_is_refused(jpeg, tmp_path: Path):
    intake = PhotoIntake(PhotoLimits(max_bytes=len(jpeg) - 1))
    file = tmp_path / "photo"
    file.write_bytes(jpeg)
    for source in (jpeg, file):
        assert (await refused(intake, source)).code == "photo_too_large"


async def test_photos_at_the_limits_are_accepted(jpeg, noise):
    limits = PhotoLimits(
        max_bytes=len(jpeg),
        max_pixels=noise.width * noise.height,
        max_side=noise.width,
        min_side=noise.height,
    )
    photo = await PhotoIntake(limits).normalise(jpeg, name="a")
    assert (photo.width, photo.height) == noise.size


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "TIFF", "HEIF"])
@pytest.mark.parametrize(("max_pixels", "size"), [(7_500, (100, 75)), (27_000, (189, 142))])
async def test_a_photo_of_too_many_output_pixels_is_stored_smaller(
    image_format, max_pixels, size, noise, encoded
):
    intake = PhotoIntake(PhotoLimits(max_output_pixels=max_pixels))
    photo = await intake.normalise(encoded(noise, image_format), name="a")
    assert (photo.width, photo.height) == size
    with Image.open(BytesIO(photo.content)) as stored:
        assert stored.size == size


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\Jana\\fotka 1.jpg", "fotka 1.jpg"),
        ("/abs/žlutý kůň.heic", "žlutý kůň.heic"),
        ("a\0b\r\nX-Header: 1.jpg", "abX-Header: 1.jpg"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("", "photo"),
        (None, "photo"),
        ("..", "photo"),
        ("x" * 500, "x" * 120),
    ],
)
async def test_the_display_name_of_a_file_is_sanitized(sent, shown, intake):
    error = await refused(intake, b"", name=sent)
    assert error.name == shown == display_name(sent)
    assert str(error).startswith(f"{shown}: The file is empty")
