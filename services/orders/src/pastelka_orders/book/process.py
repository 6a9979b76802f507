"""Runs the composer: one process for each book, with bounds on memory and time."""

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
"""Address space. 500 pages take 0.6 GB of memory."""
CPU_SECONDS = 240
_MAX_SECONDS = 900.0
# What the composer needs to start; nothing else of the service's environment is its business.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR", "LANG")
# Threads reserve address space for each processor, and a book is to take one of them.
_ONE_THREAD = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}

_OUTCOME: TypeAdapter[ComposedBook | BookRefusal] = TypeAdapter(ComposedBook | BookRefusal)

log = structlog.get_logger(__name__)


class BookError(PermanentError):
    """The book cannot be composed; code and message say why."""


class BookComposer:
    """Composes books, one at a time: each takes a processor and some 100 to 300 MB."""

    def __init__(self) -> None:
        self._turn = anyio.CapacityLimiter(1)

    async def compose(
        self,
        books: OrderBooks,
        options: BookOptions,
        folder: Path,
        *,
        has_previews: bool = False,
        created_at: datetime | None = None,
    ) -> ComposedBook:
        """Compose into ``folder``, which ends up with ``book.pdf`` and the previews. Raises ``BookError``.

        The same book with the same ``created_at`` is the same file. The process is ended when the caller
        is cancelled.
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
        return await self._do(job, folder)

    async def join(self, parts: Sequence[FinishedBook], folder: Path) -> ComposedBook:
        """Write one PDF of finished ones, each after a separator sheet. Raises ``BookError``."""
        job = ComposeJob(
            books=parts[0].books,
            options=parts[0].options,
            parts=tuple(parts),
            title=", ".join(part.books.order_number for part in parts),
            created_at=datetime.now(UTC),
            memory_bytes=MEMORY_BYTES,
            cpu_seconds=CPU_SECONDS,
        )
        return await self._do(job, folder)

    async def _do(self, job: ComposeJob, folder: Path) -> ComposedBook:
        await anyio.Path(folder / JOB).write_text(job.model_dump_json(), encoding="utf-8")
        async with self._turn:
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
            answer, told = await process.communicate()
    except TimeoutError:
        return _too_complex()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == 0:
        return _OUTCOME.validate_json(answer)
    return _died(process.returncode or 0, told)


def _died(code: int, told: bytes) -> BookRefusal:
    """What it means that the process ended without an answer."""
    log.warning("composer died", code=code, reason=told[-500:].decode(errors="replace"))
    if -code in {signal.SIGXCPU, signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV} or b"memory" in told:
        return _too_complex()
    raise RuntimeError(f"the composer ended with {code}")


def _too_complex() -> BookRefusal:
    return BookRefusal(
        code="book_too_complex",
        message="Composing the book takes more memory or time than is allowed; split the order, or generate"
        " its pages with less detail.",
    )


def _title(books: OrderBooks) -> str:
    titles = ", ".join(dict.fromkeys(book.title for book in books.books))
    return f"{books.order_number}: {titles}" if titles else books.order_number
