"""Runs the composer: one process per book, with limits on memory and time."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import anyio
import structlog
from pydantic import TypeAdapter

from pastelka_common.errors import PermanentError, TransientError
from pastelka_orders.book.composer import JOB, PDF, ComposeJob, FinishedBook
from pastelka_orders.book.description import (
    BookFault,
    BookOptions,
    BookRefusal,
    ComposedBook,
    OrderBooks,
)
from pastelka_orders.errors import NO_ROOM

MEMORY_BYTES = 1536 * 1024**2
"""Address space. Measured memory: 90 MB for 40 pages with vectors, 150 MB for 500; 12 MB for each bitmap of
8 megapixels."""
RESERVED_BYTES = 512 * 1024**2
"""Part of the container's memory limit that the composer leaves to the service."""
_LEAST_BYTES = 384 * 1024**2
CPU_SECONDS = 240
_MAX_SECONDS = 900.0
# What the composer needs to start; it gets no other variables, in particular no secrets.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR", "LANG")
# Each thread reserves address space, and a book should use one core.
_ONE_THREAD = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}

_Outcome = ComposedBook | BookRefusal | BookFault
_OUTCOME: TypeAdapter[_Outcome] = TypeAdapter(_Outcome)

log = structlog.get_logger(__name__)


# Version 2 of control groups, and version 1.
_CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory_bytes(files: Sequence[Path] = _CONTAINER_LIMITS) -> int:
    """Address space of one composer, within the container's memory limit."""
    for file in files:
        with suppress(OSError, ValueError):
            limit = int(file.read_text(encoding="ascii"))
            return max(_LEAST_BYTES, min(MEMORY_BYTES, limit - RESERVED_BYTES))
    return MEMORY_BYTES


class BookError(PermanentError):
    """The book cannot be composed; code and message say why."""


class ComposerError(TransientError):
    """The book could not be composed in this attempt; code and message say why."""


class BookComposer:
    """Composes books, one at a time: each uses one core and about 100 to 300 MB."""

    def __init__(self) -> None:
        self._lock = anyio.CapacityLimiter(1)

    async def compose(
        self,
        books: OrderBooks,
        options: BookOptions,
        folder: Path,
        *,
        has_previews: bool = False,
        created_at: datetime | None = None,
    ) -> ComposedBook:
        """Write ``book.pdf`` and the previews into ``folder``. Raises ``BookError``, ``ComposerError``.

        The same book with the same ``created_at`` yields the same bytes. Cancelling the caller ends the
        process.
        """
        job = ComposeJob(
            books=books,
            options=options,
            title=_title(books),
            has_previews=has_previews,
            created_at=created_at or datetime.now(UTC),
            memory_bytes=memory_bytes(),
            cpu_seconds=CPU_SECONDS,
        )
        return await self._submit(job, folder)

    async def join(self, parts: Sequence[FinishedBook], folder: Path) -> ComposedBook:
        """Merge finished PDFs into one, each after a separator sheet.

        Raises ``BookError``, ``ComposerError``.
        """
        job = ComposeJob(
            books=parts[0].books,
            options=parts[0].options,
            parts=tuple(parts),
            title=", ".join(part.books.order_number for part in parts),
            created_at=datetime.now(UTC),
            memory_bytes=memory_bytes(),
            cpu_seconds=CPU_SECONDS,
        )
        return await self._submit(job, folder)

    async def _submit(self, job: ComposeJob, folder: Path) -> ComposedBook:
        await anyio.Path(folder / JOB).write_text(job.model_dump_json(), encoding="utf-8")
        async with self._lock:
            outcome = await _run(folder)
        if isinstance(outcome, BookRefusal):
            raise BookError(outcome.code, outcome.message)
        if isinstance(outcome, BookFault):
            if outcome.error_number in NO_ROOM:
                raise no_room()
            raise ComposerError(
                "composer_failed", f"A file of the book cannot be read or written: {outcome.reason}."
            )
        return outcome


def no_room() -> ComposerError:
    """The error for a full folder of temporary files."""
    return ComposerError(
        "temp_full",
        "The folder for temporary files (TMPDIR) has no room for the book; free space in it, or enlarge it.",
    )


def pdf_of(folder: Path) -> Path:
    """The PDF that :func:`compose` wrote."""
    return folder / PDF


async def _run(folder: Path) -> _Outcome:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pastelka_orders.book.composer",
        str(folder),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**environment, **_ONE_THREAD},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_MAX_SECONDS):
            stdout, stderr = await process.communicate()
    except TimeoutError:
        return _too_complex()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == 0:
        return _OUTCOME.validate_json(stdout)
    return _exit_outcome(process.returncode or 0, stderr)


def _exit_outcome(code: int, stderr: bytes) -> BookRefusal:
    """Outcome of a process that ended without output, by its exit code."""
    log.warning("composer died", code=code, reason=stderr[-500:].decode(errors="replace"))
    if -code in {signal.SIGXCPU, signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV} or b"memory" in stderr:
        return _too_complex()
    raise ComposerError("composer_failed", f"The composer ended unexpectedly ({code}); the log says more.")


def _too_complex() -> BookRefusal:
    return BookRefusal(
        code="book_too_complex",
        message="Composing the book exceeds the memory or time limit; split the order, or generate"
        " its pages with less detail.",
    )


def _title(books: OrderBooks) -> str:
    titles = ", ".join(dict.fromkeys(book.title for book in books.books))
    return f"{books.order_number}: {titles}" if titles else books.order_number
