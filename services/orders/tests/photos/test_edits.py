"""Edited photos: turned without loss, cropped, straightened, lightened; metadata and limits as for others."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pastelka_orders.domain.photo_edit import Crop, PhotoEdit
from pastelka_orders.photos.errors import PhotoRefusedError
from pastelka_orders.photos.intake import PhotoIntake

SIZE = (240, 160)


def pattern() -> Image.Image:
    """A gradient in each direction, so that every place has its own color."""
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 90)], axis=-1).astype(np.uint8))


@pytest.fixture
def png() -> bytes:
    file = BytesIO()
    pattern().save(file, "PNG")
    return file.getvalue()


async def edited(content: bytes | Path, **parameters: Any) -> Image.Image:
    intake = PhotoIntake()
    try:
        photo = await intake.normalise(content, name="a.png", edit=PhotoEdit(**parameters))
    finally:
        await intake.aclose()
    image = Image.open(BytesIO(photo.content))
    assert image.size == (photo.width, photo.height)
    assert photo.thumbnail is not None
    return image


@pytest.mark.parametrize("turns", range(4))
async def test_four_quarter_turns_are_none(png: bytes, tmp_path: Path, turns: int) -> None:
    turned = await edited(png, quarter_turns=turns)
    file = tmp_path / "turned.png"
    turned.save(file)
    back = await edited(file, quarter_turns=-turns % 4)
    assert np.array_equal(np.asarray(back), np.asarray(pattern()))


async def test_a_quarter_turn_is_clockwise(png: bytes) -> None:
    turned = await edited(png, quarter_turns=1)
    assert turned.size == (160, 240)
    assert turned.getpixel((159, 0)) == pattern().getpixel((0, 0))
    assert turned.getpixel((0, 0)) == pattern().getpixel((0, 159))


async def test_the_crop_is_of_the_turned_photo(png: bytes) -> None:
    cropped = await edited(png, quarter_turns=1, crop=Crop(0.5, 0.25, 0.5, 0.5))
    assert cropped.size == (80, 120)
    # Right half, middle of the turned photo: top half, middle of the original.
    assert cropped.getpixel((79, 0)) == pattern().getpixel((60, 0))
    assert cropped.getpixel((0, 119)) == pattern().getpixel((179, 79))


@pytest.mark.parametrize("degrees", [-15.0, -3.3, 0.7, 15.0])
async def test_a_straightened_photo_shows_the_rotated_original(png: bytes, degrees: float) -> None:
    edit = PhotoEdit(straighten=degrees)
    pixels = np.asarray(await edited(png, straighten=degrees), dtype=float)
    a, b, c, d, e, f = edit.affine(SIZE)
    y, x = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]] + 0.5
    # The color of a place is the place: see `pattern`.
    assert np.abs(pixels[..., 0] - (a * x + b * y + c - 0.5)).max() < 1.5
    assert np.abs(pixels[..., 1] - (d * x + e * y + f - 0.5)).max() < 1.5
    assert (pixels[..., 2] == 90).all()


async def test_a_photo_is_rotated_clockwise_by_positive_degrees(png: bytes) -> None:
    pixels = np.asarray(await edited(png, straighten=10.0), dtype=int)
    # What was level falls to the right: the row is met further up there.
    assert pixels[80, -1, 1] < pixels[80, 0, 1]


async def test_tones_change_levels_alone(png: bytes) -> None:
    edit = PhotoEdit(brightness=30, contrast=-20)
    pixels = np.asarray(await edited(png, brightness=30, contrast=-20))
    assert np.array_equal(pixels, np.array(edit.tones(), dtype=np.uint8)[np.asarray(pattern())])


async def test_a_gray_photo_stays_gray() -> None:
    file = BytesIO()
    pattern().convert("L").save(file, "JPEG")
    gray = await edited(file.getvalue(), straighten=2.0, brightness=10)
    assert (gray.mode, gray.format) == ("L", "JPEG")


async def test_an_edited_photo_has_no_metadata(png: bytes) -> None:
    exif = Image.Exif()
    exif[0x010E] = "Ema in the garden"
    file = BytesIO()
    pattern().save(file, "JPEG", exif=exif, comment=b"secret")
    image = await edited(file.getvalue(), quarter_turns=2)
    assert not image.getexif()
    assert "comment" not in image.info


async def test_an_edit_that_leaves_too_little_is_refused(png: bytes) -> None:
    with pytest.raises(PhotoRefusedError) as refused:
        await edited(png, crop=Crop(0, 0, 0.25, 1))
    assert refused.value.code == "photo_too_small"
    assert "60 x 160 pixels; each side must have at least 64" in refused.value.reason
