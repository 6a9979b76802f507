"""Storage in a folder shared by all services (``STORAGE_PATH``)."""

import os
import secrets
import shutil
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import anyio
from anyio import to_thread

from pastelka_common.storage import deletion
from pastelka_common.storage.interface import StorageUnavailableError, StorageUsage
from pastelka_common.storage.paths import UnsafePathError, validate_path
from pastelka_common.storage.sync import sync_folder

_CHUNK = 1024 * 1024


class FolderStorage:
    """A :class:`Storage` with its files below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def resolve(self, path: str) -> Path:
        """Absolute path of a stored file. Raises :class:`UnsafePathError`."""
        return self.root / validate_path(path)

    async def read(self, path: str) -> bytes:
        file = anyio.Path(self.resolve(path))
        with self._require_root():
            return await file.read_bytes()

    async def read_head(self, path: str, most: int) -> bytes:
        file = self.resolve(path)
        with self._require_root():
            return await to_thread.run_sync(_read_head, file, most)

    async def read_since(self, path: str, moment: datetime) -> bytes | None:
        file = anyio.Path(self.resolve(path))
        with self._require_root():
            written = datetime.fromtimestamp((await file.stat()).st_mtime, UTC)
            return await file.read_bytes() if written >= moment else None

    @asynccontextmanager
    async def local_copy(self, path: str) -> AsyncIterator[Path]:
        """The file itself: files never change, and a deletion does not affect open handles."""
        file = self.resolve(path)
        await self.ping()
        yield file

    async def exists(self, path: str) -> bool:
        """Whether the file exists; ``False`` for a path outside the root. Raises ``OSError``."""
        return await self.size(path) is not None

    async def size(self, path: str) -> int | None:
        try:
            with self._require_root():
                found = await anyio.Path(self.resolve(path)).stat()
        except (UnsafePathError, FileNotFoundError, NotADirectoryError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    async def prefix_exists(self, folder: str) -> bool:
        """Whether anything exists at or below ``folder``, even an empty folder."""
        return await anyio.Path(self.resolve(folder)).exists()

    async def write(self, path: str, content: bytes) -> None:
        target = self.resolve(path)
        await to_thread.run_sync(_write_durably, target, content)

    async def put_file(self, path: str, source: Path) -> None:
        await to_thread.run_sync(_write_durably, self.resolve(path), source)

    async def remove(self, path: str) -> None:
        await anyio.Path(self.resolve(path)).unlink(missing_ok=True)

    async def files(self, path: str) -> AsyncIterator[str]:
        base = anyio.Path(self.resolve(path))
        async for file in base.rglob("*"):
            if await file.is_file():
                yield Path(file).relative_to(self.root).as_posix()

    async def folders(self) -> list[str]:
        return [entry.name async for entry in anyio.Path(self.root).iterdir() if await entry.is_dir()]

    async def usage(self, folder: str, others: Sequence[str]) -> StorageUsage:
        files = [self.resolve(path) for path in others]
        return await to_thread.run_sync(deletion.count, self.resolve(folder), files)

    async def erase(self, folder: str, others: Sequence[str]) -> None:
        """Delete ``folder`` and ``others``, durably. Raises ``IncompleteDeleteError``, ``OSError``."""
        files = [self.resolve(path) for path in others]
        await to_thread.run_sync(deletion.delete, self.root, self.resolve(folder), files)

    async def ensure_mounted(self, *, may_be_empty: bool) -> None:
        """Raise ``StorageNotMountedError`` if the folder is missing or unexpectedly empty."""
        await to_thread.run_sync(lambda: deletion.require(self.root, may_be_empty=may_be_empty))

    async def ping(self) -> None:
        """Return if the folder exists. Raises ``StorageUnavailableError``."""
        if not await anyio.Path(self.root).is_dir():
            raise _not_there()

    async def capacity(self) -> tuple[int, int] | None:
        """Free and total size of the file system in bytes. Raises ``OSError``."""
        usage = await to_thread.run_sync(shutil.disk_usage, self.root)
        return usage.free, usage.total

    async def presign(self, path: str, *, lifetime: timedelta) -> str | None:
        """``None``: the gateway serves files from the folder."""
        self.resolve(path)
        return None

    @contextmanager
    def _require_root(self) -> Iterator[None]:
        """Distinguish a missing file from a missing (not mounted) root folder."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError) as error:
            if self.root.is_dir():
                raise
            raise _not_there() from error


def _not_there() -> StorageUnavailableError:
    return StorageUnavailableError("The storage folder does not exist")


def _read_head(file: Path, most: int) -> bytes:
    with file.open("rb") as source:
        return source.read(most)


def _write_durably(target: Path, content: bytes | Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("wb") as file:
            _fill(file, content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def _fill(file: BinaryIO, content: bytes | Path) -> None:
    if isinstance(content, bytes):
        file.write(content)
        return
    with content.open("rb") as source:
        shutil.copyfileobj(source, file, _CHUNK)
