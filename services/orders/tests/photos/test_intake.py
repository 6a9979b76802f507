"""Photos sent together are taken together or not at all, and leave nothing behind."""

import tempfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from starlette.datastructures import UploadFile

from pastelka_orders.photos.errors import PhotosRefusedError
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.photo_limits import PhotoLimits


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """The folder that temporary files are made in, to be found empty afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def upload(content: bytes, name: str) -> UploadFile:
    return UploadFile(BytesIO(content), filename=name)


class Endless:
    """An upload that never ends, and counts what was taken of it."""

    filename = "endless.jpg"
    taken = 0

    async def read(self, size: int = -1) -> bytes:
        self.taken += size
        return b"\xff" * size


async def test_photos_keep_their_order(temporary, encoded, intake):
    sizes = [(100 + 10 * number, 80) for number in range(6)]
    uploads = [upload(encoded(Image.new("RGB", size), "PNG"), f"{size[0]}.png") for size in sizes]
    async with intake.staged(uploads) as staged:
        photos = staged.photos
        assert staged.refused == []
        assert [(photo.width, photo.height) for photo in photos] == sizes
        assert [photo.name for photo in photos] == [f"{size[0]}.png" for size in sizes]
        for photo in photos:
            with Image.open(photo.path) as image:
                assert image.size == (photo.width, photo.height)
    assert list(temporary.iterdir()) == []


BAD = [
    (2, "empty.jpg", "photo_empty"),
    (3, "cut.jpg", "photo_truncated"),
    (4, "page.jpg", "photo_not_an_image"),
]


async def test_refused_photos_are_named_and_valid_ones_staged(temporary, jpeg, intake):
    uploads = [
        upload(jpeg, "good.jpg"),
        upload(b"", "../empty.jpg"),
        upload(jpeg[:1000], "C:\\cut.jpg"),
        upload(b"<html>", "page.jpg"),
        upload(jpeg, "good too.jpg"),
    ]
    async with intake.staged(uploads) as staged:
        assert [photo.name for photo in staged.photos] == ["good.jpg", "good too.jpg"]
        assert all(photo.path.exists() for photo in staged.photos)
        assert [(error.position, error.name, error.code) for error in staged.refused] == BAD
        assert "cut.jpg: The file ends in the middle" in str(staged.refused[1])
    assert list(temporary.iterdir()) == []


async def test_an_upload_without_a_valid_photo_names_every_file_and_leaves_nothing(temporary, jpeg, intake):
    uploads = [upload(b"", "empty.jpg"), upload(jpeg[:1000], "cut.jpg")]
    with pytest.raises(PhotosRefusedError) as caught:
        async with intake.staged(uploads):
            pytest.fail("bad photos were accepted")
    assert [error.code for error in caught.value.refusals] == ["photo_empty", "photo_truncated"]
    assert "2 of 2 files" in str(caught.value)
    assert list(temporary.iterdir()) == []


async def test_reading_stops_at_the_limit(temporary):
    endless = Endless()
    with pytest.raises(PhotosRefusedError) as caught:
        async with PhotoIntake(PhotoLimits(max_bytes=1_000_000)).staged([endless]):
            pytest.fail("an endless photo was accepted")
    assert [error.code for error in caught.value.refusals] == ["photo_too_large"]
    assert endless.taken < 1_600_000
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(("count", "code"), [(0, "photos_missing"), (4, "photos_too_many")])
async def test_the_number_of_photos_is_bounded(count, code, temporary, jpeg):
    intake = PhotoIntake(PhotoLimits(max_photos=3))
    with pytest.raises(PhotosRefusedError) as caught:
        async with intake.staged([upload(jpeg, "a.jpg")] * count):
            pytest.fail("a wrong number was accepted")
    assert caught.value.code == code
    assert caught.value.refusals == ()


async def test_staged_photos_are_deleted_when_their_block_fails(temporary, jpeg, intake):
    async def store_nothing() -> None:
        async with intake.staged([upload(jpeg, "a.jpg")]) as staged:
            assert staged.photos[0].path.exists()
            raise RuntimeError("no database")

    with pytest.raises(RuntimeError, match="no database"):
        await store_nothing()
    assert list(temporary.iterdir()) == []
