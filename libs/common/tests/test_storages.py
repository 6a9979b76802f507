"""What every storage does, be it a folder or a bucket."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from pastelka_common.storage import (
    Storage,
    StorageNotMountedError,
    StorageSettings,
    StorageUnavailableError,
    StorageUsage,
    UnsafePathError,
    open_storage,
)
from pastelka_common.testing.places import Place, storage_of

if TYPE_CHECKING:
    from pastelka_common.servers import BucketServer

PAGE = "42/121/coloring/v1/image_1.png"


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.server)])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """A new, empty storage, as a service opens it."""
    if request.param == "folder":
        monkeypatch.setenv("STORAGE_PATH", str(tmp_path))
        return open_storage(StorageSettings.load())
    server: BucketServer = request.getfixturevalue("bucket_server")
    for name, value in server.settings(f"of test/{uuid4().hex}").items():
        monkeypatch.setenv(name, value)
    return open_storage(StorageSettings.load())


async def _files(storage: Storage, folder: str) -> list[str]:
    return sorted([path async for path in storage.files(folder)])


async def test_a_written_file_can_be_read(storage: Storage):
    await storage.write("42/121/image_1.jpg", b"photo")
    assert await storage.read("42/121/image_1.jpg") == b"photo"
    assert await storage.exists("42/121/image_1.jpg")
    assert not await storage.exists("42/121")
    for path in ("42/121/image_2.jpg", "nothing/at/all.png"):
        assert not await storage.exists(path)
        with pytest.raises(FileNotFoundError):
            await storage.read(path)


async def test_writing_again_replaces_the_file(storage: Storage):
    await storage.write(PAGE, b"first")
    await storage.write(PAGE, b"second, longer")
    assert await storage.read(PAGE) == b"second, longer"
    await storage.write(PAGE, b"")
    assert await storage.read(PAGE) == b""
    assert await _files(storage, "42") == [PAGE]


async def test_a_reader_sees_the_old_or_the_new_version(storage: Storage):
    versions = [bytes([letter]) * 6_000_000 for letter in b"ab"]
    await storage.write(PAGE, versions[0])
    writing = asyncio.create_task(storage.write(PAGE, versions[1]))
    while not writing.done():
        assert await storage.read(PAGE) in versions
    await writing
    assert await storage.read(PAGE) == versions[1]


@pytest.mark.parametrize(
    "path", ["", ".", "./", "/etc/passwd", "..", "../x", "42/../../x", "42/..", "4\0.png"]
)
async def test_a_path_that_leaves_the_root_is_refused(storage: Storage, path: str, tmp_path: Path):
    tries: list[Callable[[], object]] = [
        lambda: storage.write(path, b"x"),
        lambda: storage.put_file(path, tmp_path / "x"),
        lambda: storage.read(path),
        lambda: storage.remove(path),
        lambda: storage.erase(path, []),
        lambda: storage.usage("42", [path]),
        lambda: _files(storage, path),
    ]
    (tmp_path / "x").write_bytes(b"x")
    for attempt in tries:
        with pytest.raises(UnsafePathError):
            await attempt()
    with pytest.raises(UnsafePathError):
        async with storage.local_copy(path):
            pass
    assert not await storage.exists(path)


async def test_special_characters_in_paths_are_supported(storage: Storage):
    for path in (
        "old/a b.jpg",
        "old/100%.jpg",
        "old/a%20b.jpg",
        "old/žluť+é&?#=.jpg",
        "old/x/.hidden.png.run",
    ):
        await storage.write(path, path.encode())
        assert await storage.read(path) == path.encode()
        assert path in await _files(storage, "old")
    await storage.erase("old", [])
    assert await _files(storage, "old") == []


async def test_a_folder_does_not_match_a_longer_name(storage: Storage):
    for path in ("4/1/image_1.jpg", "42/121/image_1.jpg", "42/121/svg/v1/image_1.svg"):
        await storage.write(path, b"x")
    assert await _files(storage, "4") == ["4/1/image_1.jpg"]
    assert await _files(storage, "42") == ["42/121/image_1.jpg", "42/121/svg/v1/image_1.svg"]
    assert await storage.prefix_exists("4")
    await storage.erase("4", [])
    await storage.erase("4", [])
    assert not await storage.prefix_exists("4")
    assert await storage.prefix_exists("42")
    assert await _files(storage, "42") == ["42/121/image_1.jpg", "42/121/svg/v1/image_1.svg"]


async def test_put_file_copies_the_whole_source_and_keeps_it(storage: Storage, tmp_path: Path):
    source = tmp_path / "sent"
    source.write_bytes(b"photo" * 3_000_000)
    await storage.put_file("1/2/image_1.jpg", source)
    assert await storage.read("1/2/image_1.jpg") == source.read_bytes()
    with pytest.raises(FileNotFoundError):
        await storage.put_file("1/2/image_1.jpg", tmp_path / "nothing")
    assert await storage.read("1/2/image_1.jpg") == source.read_bytes()
    assert await _files(storage, "1") == ["1/2/image_1.jpg"]


async def test_a_local_copy_exists_within_its_block(storage: Storage):
    content = b"photo" * 5_000_000
    await storage.write("1/2/image_1.jpg", content)
    async with storage.local_copy("1/2/image_1.jpg") as file:
        assert file.read_bytes() == content
        assert file.name == "image_1.jpg"
        await storage.erase("2", [])
    assert await storage.read("1/2/image_1.jpg") == content
    async with storage.local_copy("1/2/image_2.jpg") as file:
        assert not file.exists()


async def test_read_since_compares_the_write_time_precisely(storage: Storage):
    before = datetime.now(UTC) - timedelta(milliseconds=50)  # a file system's clock ticks
    await storage.write(PAGE, b"page")
    after = datetime.now(UTC) + timedelta(milliseconds=50)
    assert await storage.read_since(PAGE, before) == b"page"
    assert await storage.read_since(PAGE, after) is None
    with pytest.raises(FileNotFoundError):
        await storage.read_since("42/none.png", before)


async def test_one_file_is_removed(storage: Storage):
    for path in (PAGE, "42/121/coloring/v1/.image_1.png.run"):
        await storage.write(path, b"x")
    await storage.remove("42/121/coloring/v1/.image_1.png.run")
    await storage.remove("42/121/coloring/v1/.image_1.png.run")
    assert await _files(storage, "42") == [PAGE]


async def test_files_are_counted_and_erased(storage: Storage):
    for path in ("42/1/a.jpg", "42/1/thumb_a.jpg.webp", "42/1/.a.jpg.run", "old/a.jpg", "43/kept.jpg"):
        await storage.write(path, b"12345")
    others = ["old/a.jpg", "old/none.jpg"]
    assert await storage.usage("42", others) == StorageUsage(files=4, bytes=20)
    await storage.erase("42", others)
    await storage.erase("42", others)
    assert await storage.usage("42", others) == StorageUsage(files=0, bytes=0)
    assert await storage.read("43/kept.jpg") == b"12345"
    assert not await storage.exists("old/a.jpg")


async def test_files_are_counted_during_an_erasure(storage: Storage):
    for _ in range(5):
        await asyncio.gather(*(storage.write(f"42/{n}/a.jpg", b"12345") for n in range(60)))
        counting = [storage.usage("42", ["42/7/a.jpg"]) for _ in range(4)]
        counts = (await asyncio.gather(*counting, storage.erase("42", [])))[:4]
        assert all(count.files <= 61 for count in counts)
    assert await storage.usage("42", []) == StorageUsage(files=0, bytes=0)


async def test_the_size_of_a_file_is_returned(storage: Storage):
    await storage.write(PAGE, b"12345")
    await storage.write("42/121/empty.jpg", b"")
    assert await storage.size(PAGE) == 5
    assert await storage.size("42/121/empty.jpg") == 0
    for path in ("42/121", "42/121/none.jpg", f"{PAGE}/x.png", "../x", "/etc/passwd"):
        assert await storage.size(path) is None


async def test_the_first_bytes_of_a_file_are_read(storage: Storage):
    await storage.write(PAGE, b"12345")
    await storage.write("42/121/empty.jpg", b"")
    assert [await storage.read_head(PAGE, most) for most in (2, 5, 100)] == [b"12", b"12345", b"12345"]
    assert await storage.read_head("42/121/empty.jpg", 100) == b""
    with pytest.raises(FileNotFoundError):
        await storage.read_head("42/121/none.jpg", 100)


async def test_the_folders_at_the_root_are_listed(storage: Storage):
    assert await storage.folders() == []
    for path in ("42/121/a.jpg", "42/122/a.jpg", "7/a.jpg", "names with ž/a.jpg", "a file"):
        await storage.write(path, b"x")
    assert sorted(await storage.folders()) == ["42", "7", "names with ž"]


async def test_an_unavailable_storage_is_not_a_missing_file(place: Place):
    storage = storage_of(place)
    await storage.write(PAGE, b"page")
    await place.leave()
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    tries: list[Callable[[], Awaitable[object]]] = [
        lambda: storage.exists(PAGE),
        lambda: storage.exists("42/none.png"),
        lambda: storage.size(PAGE),
        lambda: storage.read(PAGE),
        lambda: storage.read_since(PAGE, long_ago),
        storage.ping,
        storage.folders,
    ]
    for attempt in tries:
        with pytest.raises(OSError, match=r".") as refused:
            await attempt()
        assert refused.value.strerror
    for attempt in tries[:-1]:
        with pytest.raises(StorageUnavailableError):
            await attempt()
    with pytest.raises(StorageUnavailableError):
        async with storage.local_copy(PAGE):
            pass
    await place.come_back()
    await storage.ping()
    assert await storage.exists(PAGE)
    assert not await storage.exists("42/none.png")


async def test_listings_of_several_pages_are_complete(storage: Storage):
    await asyncio.gather(*(storage.write(f"7/{number}.jpg", b"x") for number in range(1005)))
    assert await storage.usage("7", []) == StorageUsage(files=1005, bytes=1005)
    await storage.erase("7", [])
    assert not await storage.prefix_exists("7")


async def test_an_empty_storage_is_distinguished_from_a_mounted_one(storage: Storage):
    await storage.ensure_mounted(may_be_empty=True)
    with pytest.raises(StorageNotMountedError, match="is empty although the order has files"):
        await storage.ensure_mounted(may_be_empty=False)
    await storage.write(PAGE, b"x")
    await storage.ensure_mounted(may_be_empty=False)
