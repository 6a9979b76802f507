"""An order's files as one: a ZIP that is made while it is sent, a PDF to print."""

import asyncio
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import anyio
import img2pdf
from anyio import from_thread, to_thread
from zipstream import ZipStream

from pastelka_common.storage import Storage
from pastelka_orders.errors import ExportsBusyError, FileMissingError, NotPrintableError

_CHUNK = 256 * 1024
_SIZES_AT_ONCE = 16
_A4 = (img2pdf.mm_to_pt(210), img2pdf.mm_to_pt(297))
_MARGIN = img2pdf.mm_to_pt(10)
"""Printers leave some millimetres of each edge white."""

# A damaged picture: as img2pdf itself says it, or Pillow within it.
_UNREADABLE = (img2pdf.ImageOpenError, OSError, SyntaxError, ValueError)


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A file in the storage, and the name that it is given."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A file and the name that it is given."""

    name: str
    file: Path


@dataclass(frozen=True, slots=True)
class Export:
    """Content that is sent in pieces; ``size`` in bytes."""

    size: int
    pieces: Iterator[bytes]


def file_name(*parts: str) -> str:
    """``parts`` joined by hyphens, of letters, digits, ``.``, ``_`` and ``-`` only."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", "-".join(parts))


async def zipped(storage: Storage, entries: Sequence[StoredEntry]) -> Export:
    """A ZIP of ``entries``, stored and not compressed again.

    Each file is read from the storage when it is sent, one at a time: before the first byte the storage
    is asked for their sizes only. Raises ``FileMissingError``, ``OSError``.
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
    """The file, read once it is wanted. The response takes its pieces in a thread of the event loop's."""
    yield from_thread.run(storage.read, path)


class ExportSlots:
    """How many ZIPs and PDFs one process makes and sends at once: each takes a thread, and disk or memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """One of them, for as long as the block lasts. Raises ``ExportsBusyError`` if none is free."""
        if self._taken >= self._most:
            raise ExportsBusyError(self._most)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


class Printer:
    """Makes PDFs, one at a time: all pages of one are in memory for a moment."""

    def __init__(self) -> None:
        self._turn = anyio.CapacityLimiter(1)

    async def pdf(self, title: str, entries: Sequence[Entry]) -> Export:
        """A PDF of A4 sheets, upright or on their side as the page is, one page each.

        The pixels are those of the files, without loss. Raises ``FileMissingError``, ``NotPrintableError``.
        """
        return await to_thread.run_sync(_pdf, title, entries, limiter=self._turn)


def _pdf(title: str, entries: Sequence[Entry]) -> Export:
    for entry in entries:
        if not entry.file.is_file():
            raise FileMissingError(entry.name)
    layout = img2pdf.get_layout_fun(
        _A4, border=(_MARGIN, _MARGIN), fit=img2pdf.FitMode.into, auto_orient=True
    )
    file = tempfile.TemporaryFile(prefix="pastelka-print-")  # noqa: SIM115 - closed once it is sent
    try:
        img2pdf.convert(
            [str(entry.file) for entry in entries],
            layout_fun=layout,
            title=title,
            outputstream=file,
            engine=img2pdf.Engine.internal,
        )
        size = file.tell()
        file.seek(0)
    except _UNREADABLE as error:
        file.close()
        if getattr(error, "errno", None) is not None:  # the disk, not the page
            raise
        raise NotPrintableError(title) from error
    except BaseException:
        file.close()
        raise
    return Export(size, _pieces(file))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_CHUNK):
            yield piece
