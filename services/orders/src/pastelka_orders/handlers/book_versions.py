"""Book versions: requested through the API, composed by the worker."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import anyio
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure, OrderChanged
from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.storage import Storage
from pastelka_orders.book.composer import preview_name
from pastelka_orders.book.description import BookOptions, OrderBooks
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
from pastelka_orders.handlers.book_content import fingerprint, fingerprints, resolved, without
from pastelka_orders.handlers.books import composed
from pastelka_orders.handlers.page_files import FileStates, look_for, unusable
from pastelka_orders.handlers.preflight import NO_PAGES, Code, Finding, check, removed
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import book_versions, books, claims, stages
from pastelka_orders.repository.book_versions import BookRecord, ClaimedBook, NewBook
from pastelka_orders.repository.books import OrderContent
from pastelka_orders.repository.claims import Claim, ClaimLostError
from pastelka_orders.row_jobs import Write

_STORE_CONCURRENCY = 4
_STARTED, _COMPOSED = 10, 70
"""Percent."""
_NOT_FORCED: frozenset[Code] = frozenset({"no_pages", "order_cancelled"})
# Checks at once in one process: an order may have a thousand long texts.
_CHECKS = anyio.CapacityLimiter(2)

log = structlog.get_logger(__name__)


async def preflight(
    database: Database, storage: Storage, order_number: str, options: BookOptions, layouts: Layouts
) -> list[Finding]:
    """What is wrong with the book of an order. Raises ``OrderNotFoundError``, ``OSError``."""
    content = await database.read(lambda c: _content(c, order_number))
    return await _check(content, options, layouts, await look_for(storage, content, options))


async def _check(
    content: OrderContent, options: BookOptions, layouts: Layouts, files: FileStates
) -> list[Finding]:
    """Run the check in a thread: the texts of an order may be long."""
    return await anyio.to_thread.run_sync(check, content, options, layouts, files, limiter=_CHECKS)


async def request_book(
    database: Database,
    storage: Storage,
    order_number: str,
    options: BookOptions,
    layouts: Layouts,
    *,
    is_forced: bool,
) -> int:
    """Request a book of the order as it is now; returns its version number.

    An active version that is the same is returned instead. Raises ``BookFindingsError`` if the preflight
    finds errors, unless ``is_forced``: then missing and damaged files are left out. A book without pages,
    or of a cancelled order, cannot be forced.
    """
    content = await database.read(lambda c: _content(c, order_number))
    files = await look_for(storage, content, options)
    found = [one for one in await _check(content, options, layouts, files) if one.is_error]
    order = without(resolved(content, layouts, has_photos=options.has_photos), unusable(files))
    if not order.books and not any(one.code in _NOT_FORCED for one in found):
        found.append(Finding("no_pages", NO_PAGES))
    if found and (not is_forced or any(one.code in _NOT_FORCED for one in found)):
        raise BookFindingsError(order_number, [one.message for one in found])
    book = NewBook(
        options=options.model_dump(mode="json"),
        content=order.model_dump(mode="json", exclude_defaults=True),
        fingerprint=fingerprint(order),
        is_forced=is_forced,
    )
    return await database.write(lambda c: _add(c, order_number, book))


async def _add(connection: AsyncConnection, order_number: str, book: NewBook) -> int:
    version = await book_versions.add(connection, order_number, book)
    if version is None:
        raise OrderNotFoundError(order_number)
    await _announce(connection, order_number)
    return version


async def _content(connection: AsyncConnection, order_number: str) -> OrderContent:
    content = await books.contents(connection, order_number)
    if content is None:
        raise OrderNotFoundError(order_number)
    return content


async def listed(connection: AsyncConnection, order_number: str, files: str, layouts: Layouts) -> str:
    """JSON list of an order's versions, newest first. Raises ``OrderNotFoundError``."""
    current = fingerprints(await _content(connection, order_number), layouts)
    return await book_versions.listed(connection, order_number, files, current) or "[]"


async def shown(
    connection: AsyncConnection, order_number: str, version: int, files: str, layouts: Layouts
) -> str:
    """JSON of one version. Raises ``OrderNotFoundError``, ``BookNotFoundError``."""
    current = fingerprints(await _content(connection, order_number), layouts)
    document = await book_versions.shown(connection, order_number, version, files, current)
    if document is None:
        raise BookNotFoundError(order_number, version)
    return document


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
        book = await self._progress(claim, _STARTED)
        options = BookOptions.model_validate(book.options)
        order = OrderBooks.model_validate(book.content)
        await self._check(book, order, options)
        try:
            async with composed(
                self.composer,
                self.storage,
                order,
                options,
                has_previews=True,
                created_at=book.created_at,
            ) as (outcome, folder):
                await self._progress(claim, _COMPOSED)
                path = _path(book)
                await self._store_previews(folder, PurePosixPath(path).parent, outcome.previews)
                await self.storage.put_file(path, pdf_of(folder))
        except FileMissingError as error:
            raise PermanentError(error.code, error.detail) from error
        except FileNotFoundError as error:  # a file that was deleted meanwhile
            raise TransientError("file_missing", "A file of the book is not in the storage.") from error
        return lambda c: self._complete(c, claim, path, outcome.sheets, outcome.previews)

    async def _check(self, book: ClaimedBook, order: OrderBooks, options: BookOptions) -> None:
        """Raise ``PermanentError`` if the order, as it is now, must not be printed like this."""
        content = await self.database.read(lambda c: books.contents(c, book.order_number))
        if content is None:
            raise ClaimLostError
        found = [one for one in await _check(content, options, self.layouts, {}) if one.is_error]
        if book.is_forced:
            found = [one for one in found if one.code == "order_cancelled"]
        found += removed(content, {one.line_item_id for one in order.books})
        if found:
            raise PermanentError(found[0].code, " ".join(one.message for one in found))

    async def give_up(self, connection: AsyncConnection, claim: Claim, failure: Failure) -> None:
        """Store on the version why it cannot be composed."""
        book = await book_versions.claimed(connection, claim)
        await book_versions.mark_failed(connection, book.id, failure.code, failure.message)
        await _announce(connection, book.order_number)
        await claims.end(connection, claim, attempts=claim.attempts, error=failure.message)

    async def _progress(self, claim: Claim, progress: int) -> ClaimedBook:
        async def note(connection: AsyncConnection) -> ClaimedBook:
            book = await book_versions.claimed(connection, claim)
            await book_versions.save_progress(connection, book.id, progress)
            await _announce(connection, book.order_number)
            return book

        async with claim.lock:
            return await self.database.write(note)

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
