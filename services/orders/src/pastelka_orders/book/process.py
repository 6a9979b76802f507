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

from pastelka_common.errors import PermanentError
from pastelka_orders.book.composer import JOB, PDF, ComposeJob, FinishedBook
from pastelka_orders.book.description import BookOptions, BookRefusal, ComposedBook, OrderBooks

MEMORY_BYTES = 2 * 1024**3
"""Address space. 500 pages need 0.6 GB of memory."""
CPU_SECONDS = 240
_MAX_SECONDS = 900.0
# What the composer needs to start; it gets no other variables, in particular no secrets.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR", "LANG")
# Each thread reserves address space, and a book should use one core.
_ONE_THREAD = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}

_OUTCOME: TypeAdapter[ComposedBook | BookRefusal] = TypeAdapter(ComposedBook | BookRefusal)

log = structlog.get_logger(__name__)


class BookError(PermanentError):
    """The book cannot be composed; code and message say why."""


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
        """Write ``book.pdf`` and the previews into ``folder``. Raises ``BookError``.

        The same book with the same ``created_at`` yields the same bytes. Cancelling the caller ends the
        process.
        """
        job = ComposeJob(
            books=books,
            options=options,
            title=_title(books),
            has_previews=has_previews,
            created_at=created_at or datetime.now(UTC),
            memory_bytes=MEMORY_BYTES,
            cpu_seconds=CPU_SECONDS,
        )
        return await self._submit(job, folder)

    async def join(self, parts: Sequence[FinishedBook], folder: Path) -> ComposedBook:
        """Merge finished PDFs into one, each after a separator sheet. Raises ``BookError``."""
        job = ComposeJob(
            books=parts[0].books,
            options=parts[0].options,
            parts=tuple(parts),
            title=", ".join(part.books.order_number for part in parts),
            created_at=datetime.now(UTC),
            memory_bytes=MEMORY_BYTES,
            cpu_seconds=CPU_SECONDS,
        )
        return await self._submit(job, folder)

    async def _submit(self, job: ComposeJob, folder: Path) -> ComposedBook:
        await anyio.Path(folder / JOB).write_text(job.model_dump_json(), encoding="utf-8")
        async with self._lock:
            outcome = await _run(folder)
        if isinstance(outcome, BookRefusal):
            raise BookError(outcome.code, outcome.message)
        return outcome


def pdf_of(folder: Path) -> Path:
    """The PDF that :func:`compose` wrote."""
    return folder / PDF


async def _run(folder: Path) -> ComposedBook | BookRefusal:
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
    raise RuntimeError(f"the composer ended with {code}")


def _too_complex() -> BookRefusal:
    return BookRefusal(
        code="book_too_complex",
        message="Composing the book exceeds the memory or time limit; split the order, or generate"
        " its pages with less detail.",
    )


def _title(books: OrderBooks) -> str:
    titles = ", ".join(dict.fromkeys(book.title for book in books.books))
    return f"{books.order_number}: {titles}" if titles else books.order_number
