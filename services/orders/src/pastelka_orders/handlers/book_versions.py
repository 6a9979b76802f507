"""Book versions: requested through the API, composed by the worker."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import anyio
import structlog
from PIL import Image, UnidentifiedImageError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure, OrderChanged
from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.storage import Storage
from pastelka_orders.book.composer import preview_name
from pastelka_orders.book.description import BookOptions
from pastelka_orders.book.process import BookComposer, pdf_of
from pastelka_orders.book.settings import Layouts
from pastelka_orders.database import Database
from pastelka_orders.errors import (
    BookFindingsError,
    BookNotFoundError,
    BookStateError,
    FileMissingError,
    OrderNotFoundError,
)
from pastelka_orders.exports import file_name
from pastelka_orders.handlers.books import composed
from pastelka_orders.handlers.preflight import Finding, Sizes, check, raster_paths
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import book_versions, books, claims, stages
from pastelka_orders.repository.book_versions import BookRecord, ClaimedBook
from pastelka_orders.repository.claims import Claim, ClaimLostError
from pastelka_orders.row_jobs import Write

_STORE_CONCURRENCY = 4
_BEGUN, _COMPOSED = 10, 70
"""Percent."""

log = structlog.get_logger(__name__)


async def preflight(
    database: Database, storage: Storage, order_number: str, options: BookOptions, layouts: Layouts
) -> list[Finding]:
    """Check the book of an order. Raises ``OrderNotFoundError``, ``OSError``."""
    content = await database.read(lambda c: books.contents(c, order_number))
    if content is None:
        raise OrderNotFoundError(order_number)
    sizes = await _sizes(storage, raster_paths(content))
    return check(content, options, layouts, sizes)


async def request_book(
    database: Database,
    storage: Storage,
    order_number: str,
    options: BookOptions,
    layouts: Layouts,
    *,
    is_forced: bool,
) -> int:
    """Request a book; returns its version number, or that of an active version with the same options.

    Raises ``BookFindingsError`` if the preflight finds errors, unless ``is_forced``; a book without pages, or
    of a cancelled order, cannot be forced.
    """
    found = [
        one for one in await preflight(database, storage, order_number, options, layouts) if one.is_error
    ]
    if found and (not is_forced or any(one.code in {"no_pages", "order_cancelled"} for one in found)):
        raise BookFindingsError(order_number, [one.message for one in found])
    return await database.write(lambda c: _add(c, order_number, options))


async def _add(connection: AsyncConnection, order_number: str, options: BookOptions) -> int:
    version = await book_versions.add(connection, order_number, options.model_dump(mode="json"))
    if version is None:
        raise OrderNotFoundError(order_number)
    await _announce(connection, order_number)
    return version


async def retry(connection: AsyncConnection, order_number: str, version: int) -> None:
    """Requeue a failed version; an active one stays unchanged (a second click)."""
    record = await _locked(connection, order_number, version)
    if record.status == "completed":
        raise BookStateError(order_number, version, "is completed; request a new version")
    if record.status == "error":
        await book_versions.restart(connection, record.id)
        await _announce(connection, order_number)


async def mark_printed(
    connection: AsyncConnection, order_number: str, version: int, *, is_printed: bool
) -> None:
    """Mark a completed version as printed, or as not printed."""
    record = await _locked(connection, order_number, version)
    if record.status != "completed":
        raise BookStateError(
            order_number, version, f"is {record.status}; only a completed one can be printed"
        )
    await book_versions.set_printed(connection, record.id, is_printed=is_printed)
    await stages.set_printed_by_books(connection, order_number)
    await _announce(connection, order_number)


async def _locked(connection: AsyncConnection, order_number: str, version: int) -> BookRecord:
    record = await book_versions.lock(connection, order_number, version)
    if record is None:
        raise BookNotFoundError(order_number, version)
    return record


async def _announce(connection: AsyncConnection, order_number: str) -> None:
    outbox = Outbox()
    outbox.add(OrderChanged(order_number=order_number))
    await outbox.flush(connection)


@dataclass(frozen=True)
class BookJobs:
    """Composes and stores books: previews first, the PDF last. A lost claim changes nothing."""

    database: Database
    storage: Storage
    composer: BookComposer
    layouts: Layouts

    name = "book"
    table = book_versions.TABLE

    async def work(self, claim: Claim) -> Write:
        """See ``JobKind``."""
        book = await self.database.write(lambda c: self._progress(c, claim, _BEGUN))
        content = await self.database.read(lambda c: books.contents(c, book.order_number))
        if content is None:
            raise ClaimLostError
        options = BookOptions.model_validate(book.options)
        try:
            async with composed(
                self.composer,
                self.storage,
                content,
                options,
                self.layouts,
                has_previews=True,
                created_at=book.created_at,
            ) as (outcome, folder):
                await self.database.write(lambda c: self._progress(c, claim, _COMPOSED))
                path = _path(book)
                await self._store_previews(folder, PurePosixPath(path).parent, outcome.previews)
                await self.storage.put_file(path, pdf_of(folder))
        except FileMissingError as error:
            raise PermanentError(error.code, error.detail) from error
        except FileNotFoundError as error:  # a file that was deleted meanwhile
            raise TransientError("file_missing", "A file of the book is not in the storage.") from error
        return lambda c: self._complete(c, claim, path, outcome.sheets, outcome.previews)

    async def give_up(self, connection: AsyncConnection, claim: Claim, failure: Failure) -> None:
        """Store on the version why it cannot be composed."""
        book = await book_versions.claimed(connection, claim)
        await book_versions.mark_failed(connection, book.id, failure.code, failure.message)
        await _announce(connection, book.order_number)
        await claims.end(connection, claim, attempts=claim.attempts, error=failure.message)

    async def _progress(self, connection: AsyncConnection, claim: Claim, progress: int) -> ClaimedBook:
        book = await book_versions.claimed(connection, claim)
        await book_versions.save_progress(connection, book.id, progress)
        await _announce(connection, book.order_number)
        return book

    async def _complete(
        self, connection: AsyncConnection, claim: Claim, path: str, sheets: int, previews: int
    ) -> None:
        book = await book_versions.claimed(connection, claim)
        await book_versions.mark_completed(connection, book.id, path, sheets=sheets, previews=previews)
        await _announce(connection, book.order_number)
        await claims.end(connection, claim)

    async def _store_previews(self, folder: Path, target: PurePosixPath, count: int) -> None:
        limiter = anyio.CapacityLimiter(_STORE_CONCURRENCY)

        async def store(name: str) -> None:
            async with limiter:
                await self.storage.put_file(str(target / name), folder / name)

        try:
            async with anyio.create_task_group() as group:
                for number in range(1, count + 1):
                    group.start_soon(store, preview_name(number))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed


def _path(book: ClaimedBook) -> str:
    return f"{book.order_id}/book/v{book.version}/{file_name(book.order_number)}.pdf"


async def _sizes(storage: Storage, paths: list[str]) -> Sizes:
    """Widths and heights; ``None`` for files that are missing or not images."""
    limiter = anyio.CapacityLimiter(_STORE_CONCURRENCY)
    found: dict[str, tuple[int, int] | None] = {}

    async def measure(path: str) -> None:
        async with limiter, storage.local_copy(path) as file:
            found[path] = await anyio.to_thread.run_sync(_size, file)

    try:
        async with anyio.create_task_group() as group:
            for path in paths:
                group.start_soon(measure, path)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return found


def _size(file: Path) -> tuple[int, int] | None:
    try:
        with Image.open(file) as image:
            return image.size
    except (FileNotFoundError, UnidentifiedImageError):
        return None
