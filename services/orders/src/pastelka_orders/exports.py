"""Exports of an order's files: a ZIP created while it is sent, or an existing file."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import anyio
from anyio import from_thread
from zipstream import ZipStream

from pastelka_common.storage import Storage
from pastelka_orders.errors import ExportsBusyError, FileMissingError

_CHUNK = 256 * 1024
_SIZES_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A file in the storage, and its name in the archive."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Export:
    """Streamed content; ``size`` in bytes."""

    size: int
    pieces: Iterator[bytes]


def file_name(*parts: str) -> str:
    """``parts`` joined by hyphens, reduced to letters, digits, ``.``, ``_`` and ``-``."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", "-".join(parts))


async def zip_export(storage: Storage, entries: Sequence[StoredEntry]) -> Export:
    """A ZIP of ``entries``, stored without compression.

    Files are read one at a time while they are sent; only their sizes are queried before. Raises
    ``FileMissingError``, ``OSError``.
    """
    limiter = anyio.CapacityLimiter(_SIZES_AT_ONCE)

    async def size_of(entry: StoredEntry) -> int:
        async with limiter:
            size = await storage.size(entry.path)
        if size is None:
            raise FileMissingError(entry.name)
        return size

    sizes = await asyncio.gather(*(size_of(entry) for entry in entries))
    archive = ZipStream(sized=True)
    for entry, size in zip(entries, sizes, strict=True):
        archive.add(_content(storage, entry.path), entry.name, size=size)
    return Export(len(archive), iter(archive))


def _content(storage: Storage, path: str) -> Iterator[bytes]:
    """The file's chunks, read on demand; the response iterates them in a thread."""
    yield from_thread.run(storage.read, path)


class ExportSlots:
    """Limits concurrent exports of a process: each uses a thread, and disk or memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._in_use = 0

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Occupy a slot for the duration of the block. Raises ``ExportsBusyError`` if none is free."""
        if self._in_use >= self._limit:
            raise ExportsBusyError(self._limit)
        self._in_use += 1
        try:
            yield
        finally:
            self._in_use -= 1


def file_export(path: Path) -> Export:
    """The content of a file that must exist until it is sent."""
    file = path.open("rb")
    return Export(path.stat().st_size, _pieces(file))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_CHUNK):
            yield piece
