"""Photos of every kind arrive as something the endpoint can read."""

import dataclasses
import io
import os
from pathlib import Path

import pytest
from PIL import Image

from pastelka_coloring.providers.runpod import RunpodLimits
from pastelka_coloring.providers.runpod.photo import UploadLimits
from pastelka_common.errors import PermanentError
from tests.photos import files

RED, WHITE = (220, 20, 20), (255, 255, 255)


def near(pixel, wanted, tolerance=30):
    pixel = pixel if isinstance(pixel, tuple) else (pixel,) * 3
    return all(abs(a - b) <= tolerance for a, b in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.mpo"])
async def test_an_acceptable_photo_is_sent_unchanged(fake, color, save, drawing, name):
    photo = save(drawing(4096, 1000), name)

    await color(photo)

    (job,) = fake.jobs.by_id.values()
    assert fake.jobs.photo(job) == photo.read_bytes()


@pytest.mark.parametrize(
    ("orientation", "red"),
    [(1, (5, 600)), (2, (1595, 600)), (3, (1595, 600)), (6, (600, 5)), (8, (600, 1595))],
)
async def test_a_turned_photo_is_sent_upright(color, turned, sent, orientation, red):
    await color(turned(1600, 1200, orientation))

    image = sent()
    assert image.size == ((1200, 1600) if orientation > 4 else (1600, 1200))
    assert near(image.getpixel(red), RED)
    assert image.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF"])
async def test_xmp_orientation_is_ignored_and_not_sent(color, tmp_path, drawing, sent, image_format):
    """A decoder of the endpoint may read XMP, as Pillow does."""
    photo = tmp_path / "photo"
    photo.write_bytes(files.with_xmp(drawing(), image_format))
    await color(photo)

    image = sent()
    assert image.size == (1600, 1200)
    assert near(image.getpixel((5, 600)), RED)
    assert image.getexif().get(0x0112, 1) == 1


async def test_a_turned_tiff_is_sent_upright(color, save, drawing, sent):
    exif = Image.Exif()
    exif[0x0112] = 6
    await color(save(drawing(), "photo.tiff", exif=exif))

    assert sent().size == (1200, 1600)
    assert near(sent().getpixel((600, 5)), RED)


async def test_a_small_photo_is_enlarged_upright(color, turned, sent):
    await color(turned(400, 300, 6))

    assert sent().size == (900, 1200)
    assert near(sent().getpixel((450, 10)), RED)


async def test_cmyk_becomes_rgb(color, save, drawing, sent):
    await color(save(drawing(mode="CMYK")))

    assert sent().mode == "RGB"
    assert near(sent().getpixel((10, 10)), RED, 60)
    assert near(sent().getpixel((1590, 10)), WHITE)


async def test_a_small_cmyk_photo_is_enlarged(color, save, drawing, sent):
    await color(save(drawing(600, 400, "CMYK")))

    assert (sent().mode, sent().size) == ("RGB", (1200, 800))


async def test_sixteen_bits_are_scaled_not_clipped(color, save, sent):
    grey = Image.new("I;16", (1300, 1300), 128 * 256)

    await color(save(grey, "photo.png"))

    assert sent().mode == "L"
    assert abs(sent().getpixel((650, 650)) - 128) <= 2


async def test_sixteen_bit_colors_become_eight(fake, color, tmp_path, sixteen_bit_png, sent):
    photo = tmp_path / "photo.png"
    photo.write_bytes(sixteen_bit_png(1200, 3, (0xDC00, 0x1400, 0x1400)))

    await color(photo)

    assert sent().format == "JPEG"
    assert near(sent().getpixel((600, 1)), RED)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
async def test_transparent_pixels_become_white(color, save, drawing, sent, mode):
    image = drawing().convert("RGBA")
    image.paste((0, 0, 0, 0), (800, 0, 1600, 1200))
    if mode == "PA":
        image = image.quantize(16)
    photo = save(image if mode == "PA" else image.convert(mode), "photo.png")

    await color(photo)

    assert sent().mode == "RGB"
    assert near(sent().getpixel((1200, 600)), WHITE)
    assert not near(sent().getpixel((10, 600)), WHITE)


async def test_a_palette_becomes_rgb(color, save, drawing, sent):
    await color(save(drawing(mode="P"), "photo.png"))

    assert sent().mode == "RGB"
    assert near(sent().getpixel((10, 10)), RED, 60)


@pytest.mark.parametrize("name", ["photo.webp", "photo.tiff", "photo.bmp", "photo.gif", "photo.avif"])
async def test_other_formats_become_jpeg(color, save, drawing, sent, name):
    await color(save(drawing(), name))

    assert (sent().format, sent().size) == ("JPEG", (1600, 1200))


async def test_a_photo_too_wide_is_scaled(color, save, drawing, sent):
    await color(save(drawing(8192, 3000)))

    assert sent().size == (4096, 1500)
    assert near(sent().getpixel((10, 10)), RED)


async def test_a_photo_one_pixel_high_is_accepted(color, save, drawing, sent):
    await color(save(drawing(9000, 1), "photo.png"))

    assert sent().size == (4096, 1)


async def test_a_photo_above_the_request_limit_is_scaled_down(fake, color, save):
    noise = Image.frombytes("RGB", (2000, 1500), os.urandom(2000 * 1500 * 3))
    limits = RunpodLimits(photo=UploadLimits(request_bytes=600_000))

    await color(save(noise, "photo.png"), limits=limits)

    (job,) = fake.jobs.by_id.values()
    sent = fake.jobs.photo(job)
    assert 300_000 < len(sent) * 4 / 3 < 600_000
    assert Image.open(io.BytesIO(sent)).size < (2000, 1500)


async def test_a_photo_of_ten_megabytes_stays_below_the_limit_of_runpod(color, save, sent):
    noise = Image.frombytes("L", (4000, 3000), os.urandom(4000 * 3000))

    await color(save(noise, "photo.png"))  # the fake answers 413 above 10 MB

    assert sent().format == "JPEG"


@pytest.mark.parametrize("content", [b"", b"not a photo", b"\xff\xd8\xff\xe0 and then nothing"])
async def test_an_undecodable_photo_is_refused_before_submission(fake, color, progress, tmp_path, content):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(content)

    with pytest.raises(PermanentError) as caught:
        await color(photo)

    assert caught.value.code == "photo_unreadable"
    assert progress.calls == []
    assert fake.stats()["submits"] == 0


async def test_a_truncated_photo_that_must_be_decoded_is_refused(color, save, drawing):
    photo = save(drawing(600, 400), "photo.png")
    photo.write_bytes(photo.read_bytes()[:400])

    with pytest.raises(PermanentError, match="photo_unreadable"):
        await color(photo)


async def test_a_missing_photo_is_reported(color, tmp_path):
    with pytest.raises(PermanentError, match="photo_missing"):
        await color(tmp_path / "none.jpg")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # as in production
@pytest.mark.parametrize("side", [10_000, 20_000])  # above ours; above Pillow's own
async def test_a_photo_with_too_many_pixels_is_refused(color, save, side):
    with pytest.raises(PermanentError, match="photo_too_large"):
        await color(save(Image.new("1", (side, side)), "photo.png"))


def test_the_default_request_is_below_runpods_limit():
    limits = UploadLimits()

    assert limits.image_bytes * 4 / 3 < limits.request_bytes < 10_000_000
    assert dataclasses.replace(limits, request_bytes=1000).image_bytes < 1000


async def test_heic_becomes_jpeg(color, sent):
    """The file is the drawing of these tests, 160 x 120, made with pillow-heif."""
    await color(Path(__file__).parent / "data" / "red_left.heic")

    assert (sent().format, sent().size) == ("JPEG", (1200, 900))
    assert near(sent().getpixel((10, 10)), RED)
    assert near(sent().getpixel((1190, 10)), WHITE)
