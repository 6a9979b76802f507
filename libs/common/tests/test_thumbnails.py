"""Small pictures: of any mode, upright as they are, never a reason to fail."""

from io import BytesIO
from pathlib import Path

import anyio
import pytest
from PIL import Image

from pastelka_common.storage import FolderStorage, thumbnail_path
from pastelka_common.thumbnails import SIDE, Thumbnails, store_thumbnail, thumbnail, thumbnail_of


def test_the_path_of_a_thumbnail_is_beside_its_file():
    assert thumbnail_path("42/121/image_1.jpg") == "42/121/thumb_image_1.jpg.webp"
    assert thumbnail_path("42/121/svg/v2/image_1.svg") == "42/121/svg/v2/thumb_image_1.svg.webp"
    assert thumbnail_path("image.png") == "thumb_image.png.webp"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
@pytest.mark.parametrize(
    ("size", "small"), [((1600, 800), (400, 200)), ((3, 2), (3, 2)), ((1, 9000), (1, 400))]
)
def test_every_mode_and_size_becomes_a_small_webp(mode: str, size: tuple[int, int], small: tuple[int, int]):
    image = Image.new(mode, size)
    with Image.open(BytesIO(thumbnail(image))) as found:
        assert (found.format, found.mode, found.size) == ("WEBP", "RGB", small)
    assert (image.mode, image.size) == (mode, size)


def test_transparent_pixels_are_white_in_a_thumbnail():
    image = Image.new("RGBA", (1000, 1000), (200, 0, 0, 0))
    with Image.open(BytesIO(thumbnail(image))) as found:
        assert found.getpixel((5, 5)) == (255, 255, 255)


def test_a_large_photo_is_small_and_without_metadata():
    file = BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret"
    Image.effect_noise((3000, 2000), 40).save(file, "JPEG", exif=exif, comment=b"secret")
    made = thumbnail_of(file.getvalue())
    assert b"secret" not in made
    assert len(made) < 60_000
    with Image.open(BytesIO(made)) as found:
        assert max(found.size) == SIDE


async def test_thumbnail_failures_are_ignored(tmp_path: Path):
    storage = FolderStorage(tmp_path)
    await Thumbnails(storage).make("1/a.png", b"no picture")
    (tmp_path / "1").write_bytes(b"a file where a folder should be")
    await store_thumbnail(storage, "1/a.png", b"small")
    await store_thumbnail(storage, "../a.png", b"small")
    await store_thumbnail(storage, "2/a.png", None)
    assert [path.name async for path in anyio.Path(tmp_path).rglob("*")] == ["1"]
