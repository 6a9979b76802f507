"""Where files lie is as the plan has it; nothing leaves the root; a reader sees all of a file or none."""

import errno
import os
import stat
from pathlib import Path

import pytest

from pastelka_common.storage import (
    FolderStorage,
    UnsafePathError,
    folder,
    photo_path,
    public_url,
    sync,
    version_path,
)

PLACE = {"order_id": 92, "line_item_id": 121, "position": 1}


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path)


def _all_files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_paths_are_those_of_the_plan():
    assert photo_path(**PLACE, suffix="jpg") == "92/121/image_1.jpg"
    assert version_path("coloring", **PLACE, version=1) == "92/121/coloring/v1/image_1.png"
    assert version_path("coloring", **PLACE, version=2) == "92/121/coloring/v2/image_1.png"
    assert version_path("svg", **PLACE, version=1) == "92/121/svg/v1/image_1.svg"


def test_urls_are_those_of_the_plan():
    static = "http://localhost:8081/static"
    assert public_url(static, "42/121/image_1.jpg") == f"{static}/images/42/121/image_1.jpg"
    assert public_url(static, None) is None


@pytest.mark.parametrize(
    "path",
    ["", ".", "./", "/etc/passwd", "//etc/passwd", "..", "../x", "42/../../x", "42/..", "42/\0.png"],
)
async def test_a_path_that_leaves_the_root_is_refused(storage: FolderStorage, path: str):
    with pytest.raises(UnsafePathError, match="storage root"):
        await storage.write(path, b"x")
    with pytest.raises(UnsafePathError):
        await storage.read(path)
    with pytest.raises(UnsafePathError):
        await storage.erase(path, [])
    assert _all_files(storage.root) == []


async def test_a_written_file_can_be_read(storage: FolderStorage):
    await storage.write("42/121/image_1.jpg", b"photo")
    assert await storage.read("42/121/image_1.jpg") == b"photo"
    assert (storage.root / "42/121/image_1.jpg").read_bytes() == b"photo"
    with pytest.raises(FileNotFoundError):
        await storage.read("42/121/image_2.jpg")


async def test_writing_again_replaces_the_file(storage: FolderStorage):
    await storage.write("42/page.png", b"first")
    await storage.write("42/page.png", b"second")
    assert await storage.read("42/page.png") == b"second"
    assert _all_files(storage.root) == ["42/page.png"]


async def test_a_file_is_renamed_into_place_after_its_sync(
    storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
):
    seen: list[str] = []
    fsync = os.fsync

    def look_then_sync(descriptor: int) -> None:
        seen.append(" ".join(_all_files(storage.root)))
        fsync(descriptor)

    monkeypatch.setattr(folder.os, "fsync", look_then_sync)
    await storage.write("42/page.png", b"x" * 100_000)
    before, after = seen  # the file's own sync, then the folder's
    assert before.startswith("42/.page.png.")
    assert before.endswith(".tmp")
    assert after == "42/page.png"


async def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
):
    await storage.write("42/page.png", b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        await storage.write("42/page.png", b"new")
    with pytest.raises(OSError, match="No space left"):
        await storage.write("42/other.png", b"new")
    assert await storage.read("42/page.png") == b"old"
    assert _all_files(storage.root) == ["42/page.png"]


async def test_files_are_listed_and_erased_by_folder(storage: FolderStorage):
    for path in ("42/121/image_1.jpg", "42/121/svg/v1/image_1.svg", "43/122/image_1.jpg"):
        await storage.write(path, b"x")
    assert {path async for path in storage.files("42")} == {"42/121/image_1.jpg", "42/121/svg/v1/image_1.svg"}
    await storage.erase("42", [])
    await storage.erase("42", [])
    assert _all_files(storage.root) == ["43/122/image_1.jpg"]


async def test_put_file_copies_the_whole_source_and_keeps_it(storage: FolderStorage, tmp_path: Path):
    source = tmp_path / "sent"
    source.write_bytes(b"photo" * 1_000_000)
    await storage.put_file("1/2/image_1.jpg", source)
    assert await storage.read("1/2/image_1.jpg") == source.read_bytes()
    with pytest.raises(FileNotFoundError):
        await storage.put_file("1/2/image_1.jpg", tmp_path / "nothing")
    assert await storage.read("1/2/image_1.jpg") == source.read_bytes()
    assert [path async for path in storage.files("1")] == ["1/2/image_1.jpg"]


def _refuse_folders(monkeypatch: pytest.MonkeyPatch, call: str, code: int) -> None:
    """Make ``os.<call>`` fail with ``code`` for every folder, as some file systems do."""
    real = getattr(os, call)

    def refuse(target, *rest, **options):
        if stat.S_ISDIR(os.stat(target).st_mode):  # noqa: PTH116 - also of a descriptor
            raise OSError(code, os.strerror(code))
        return real(target, *rest, **options)

    monkeypatch.setattr(sync.os, call, refuse)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("fsync", errno.EINVAL),
        ("fsync", errno.ENOTSUP),
        ("fsync", errno.EBADF),
        ("open", errno.EACCES),
        ("open", errno.EPERM),
    ],
)
async def test_files_are_stored_where_folders_cannot_be_synced(
    storage: FolderStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
):
    source = tmp_path / "source"
    source.write_bytes(b"large")
    _refuse_folders(monkeypatch, call, code)
    await storage.write("1/2/page.png", b"page")
    await storage.put_file("1/2/photo.jpg", source)
    assert (await storage.read("1/2/page.png"), await storage.read("1/2/photo.jpg")) == (b"page", b"large")
    await storage.erase("1", [])
    assert _all_files(tmp_path) == ["source"]


async def test_a_folder_that_fails_to_sync_is_an_error(
    storage: FolderStorage, monkeypatch: pytest.MonkeyPatch
):
    _refuse_folders(monkeypatch, "fsync", errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        await storage.write("1/2/page.png", b"page")
