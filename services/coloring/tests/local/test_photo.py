"""Reading stored photos."""

import io

import numpy as np
import pytest
from PIL import Image

from pastelka_coloring.providers import ColoringRequest
from pastelka_coloring.providers.local.photo import read_photo
from pastelka_common.errors import PermanentError
from pastelka_common.testing.sources import local_source
from tests.photos import files

ORIENTATION = 0x0112
# How each EXIF orientation is stored, undone by the reader.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def upright():
    """A landscape with four colours in its corners."""
    picture = np.full((40, 64, 3), 128, np.uint8)
    picture[:20, :32], picture[:20, 32:], picture[20:, :32] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    return Image.fromarray(picture)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff"])
@pytest.mark.parametrize("orientation", list(STORED))
def test_orientation_is_honoured(tmp_path, orientation, suffix):
    turn = STORED[orientation]
    stored = upright() if turn is None else upright().transpose(turn)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored.save(tmp_path / f"photo.{suffix}", exif=exif)

    photo = read_photo(tmp_path / f"photo.{suffix}")

    assert photo.size == (64, 40)
    np.testing.assert_allclose(
        photo.pixels[5::10, 5::10].astype(int),
        np.asarray(upright())[5::10, 5::10],
        atol=30 if suffix == "jpg" else 0,
    )


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "avif"])
def test_xmp_orientation_is_not_applied(tmp_path, suffix):
    (tmp_path / f"photo.{suffix}").write_bytes(files.with_xmp(upright(), suffix.replace("jpg", "jpeg")))

    assert read_photo(tmp_path / f"photo.{suffix}").size == (64, 40)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "F"])
def test_every_mode_is_read(tmp_path, mode):
    dark_on_light = np.full((30, 50), 255, np.uint8)
    dark_on_light[10:20, 10:40] = 0
    picture = Image.fromarray(dark_on_light)
    if mode == "I;16":
        picture = Image.fromarray(dark_on_light.astype(np.uint16) * 257)
    picture = picture.convert(mode)
    picture.save(tmp_path / "photo.tiff")

    pixels = read_photo(tmp_path / "photo.tiff").pixels

    assert pixels.shape == (30, 50, 3)
    assert pixels[15, 25].max() < 10
    assert pixels[2, 2].min() > 245


def test_transparency_is_white(tmp_path):
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(tmp_path / "photo.png")

    assert read_photo(tmp_path / "photo.png").pixels.min() == 255


def test_large_photo_is_reduced(tmp_path):
    Image.linear_gradient("L").resize((6000, 4000)).save(tmp_path / "photo.jpg")

    photo = read_photo(tmp_path / "photo.jpg")

    assert photo.size == (6000, 4000)
    assert photo.pixels.shape[:2] == (1000, 1500)


def test_bomb_is_refused(tmp_path):
    Image.new("1", (20_000, 20_000)).save(tmp_path / "photo.png")

    with pytest.raises(PermanentError) as caught:
        read_photo(tmp_path / "photo.png")
    assert caught.value.code == "photo_too_large"


def truncated_jpeg():
    file = io.BytesIO()
    Image.effect_noise((400, 300), 80).save(file, "JPEG")
    return file.getvalue()[:3000]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an image",
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        b"\xff\xd8\xff\xe0" + bytes(100),
        truncated_jpeg(),
    ],
    ids=["empty", "text", "png", "jpeg", "truncated"],
)
async def test_unreadable_photo_is_a_permanent_error(without_model, tmp_path, progress, content):
    (tmp_path / "photo.jpg").write_bytes(content)

    with pytest.raises(PermanentError) as caught:
        await without_model.color(ColoringRequest(local_source(tmp_path / "photo.jpg"), 1.0, 4), progress)
    assert caught.value.code == "photo_unreadable"
    assert "photo.jpg" in caught.value.message
    assert str(tmp_path) not in caught.value.message


def test_missing_photo_is_a_permanent_error(tmp_path):
    with pytest.raises(PermanentError) as caught:
        read_photo(tmp_path / "gone.jpg")
    assert caught.value.code == "photo_missing"
