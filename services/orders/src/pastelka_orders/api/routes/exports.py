"""Downloads of an order: a ZIP of its files, a PDF to print."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import PurePosixPath
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from pastelka_orders.api.authorization import OPERATOR, VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import Deps, OrderNumber, Services
from pastelka_orders.api.field_limits import EXPORT_SECONDS, MAX_ID
from pastelka_orders.api.problems import Responses, declared
from pastelka_orders.book.process import BookError, ComposerError, pdf_of
from pastelka_orders.bulk_schemas import DownloadRequest
from pastelka_orders.errors import (
    BookNotFoundError,
    BookUnavailableError,
    FileMissingError,
    NothingChosenError,
    NotPrintableError,
    OrderCancelledError,
    OrderNotFoundError,
    OrdersError,
)
from pastelka_orders.exports import Export, StoredEntry, file_export, file_name, zip_export
from pastelka_orders.handlers.book_content import fingerprints, resolved
from pastelka_orders.handlers.books import composed
from pastelka_orders.repository import book_versions, books, exports, orders
from pastelka_orders.repository.exports import What

router = APIRouter(prefix="/orders", tags=["orders"], route_class=AuthorizedRoute)

_ZIP = "application/zip"
PDF_TYPE = "application/pdf"


def file_responses(media_type: str) -> Responses:
    schema = {"schema": {"type": "string", "format": "binary"}}
    return {
        200: {"description": "The file", "content": {media_type: schema}},
        **declared(404, 409, 422, 429, 503),
    }


@router.get(
    "/{order_number}/download",
    dependencies=[VIEWER],
    response_class=StreamingResponse,
    responses=file_responses(_ZIP),
)
async def download_order(
    services: Deps,
    order_number: OrderNumber,
    what: Annotated[What, Query(description="The chosen pages, the chosen SVGs, or all photos")] = "coloring",
) -> StreamingResponse:
    """A ZIP of the files, named `<order>-<position>`."""
    async with open_slot(services) as slot:
        export = await zip_export(services.storage, await _entries(services, order_number, what))
        return export_response(export, _ZIP, file_name(order_number, f"{what}.zip"), slot.pop_all())


@router.post(
    "/download", dependencies=[OPERATOR], response_class=StreamingResponse, responses=file_responses(_ZIP)
)
async def download_orders(services: Deps, wanted: DownloadRequest) -> StreamingResponse:
    """One ZIP of the files of several orders, named `<order>-<position>`.

    409 `nothing_chosen` with the `order_numbers` that have no such file.
    """
    async with open_slot(services) as slot:
        entries: list[StoredEntry] = []
        without: list[str] = []
        for number in wanted.order_numbers:
            try:
                entries += await _entries(services, number, wanted.what)
            except NothingChosenError:
                without.append(number)
        if without:
            raise NothingChosenError(wanted.what, *without)
        export = await zip_export(services.storage, entries)
        return export_response(export, _ZIP, f"orders-{wanted.what}.zip", slot.pop_all())


@router.get(
    "/{order_number}/print",
    dependencies=[VIEWER],
    response_class=StreamingResponse,
    responses=file_responses(PDF_TYPE),
)
async def print_order(
    services: Deps,
    order_number: OrderNumber,
    version: Annotated[
        int | None, Query(ge=1, le=MAX_ID, description="Of the order's book; the newest completed one")
    ] = None,
) -> StreamingResponse:
    """This version of the order's book; the newest one unless it is outdated, else one composed on demand.

    It has a cover and the chosen pages of each line item, in all copies.
    """
    layouts = services.settings.print_layouts
    async with open_slot(services) as slot:
        name = file_name(order_number, "print.pdf")
        content = await services.database.read(lambda c: books.contents(c, order_number))
        stored = await services.database.read(lambda c: book_versions.newest(c, order_number, version))
        current = [] if content is None else fingerprints(content, layouts)
        if stored is not None and (version is not None or stored.fingerprint in current):
            file = await slot.enter_async_context(services.storage.local_copy(stored.path))
            if await anyio.Path(file).is_file():
                return export_response(file_export(file), PDF_TYPE, name, slot.pop_all())
        if version is not None:
            raise await _no_version(services, order_number, version, is_noted=stored is not None)
        options = services.settings.book_options
        order = None if content is None else resolved(content, layouts, has_photos=options.has_photos)
        if order is None or not order.books:
            raise await _nothing_to_export(services, order_number, "coloring")
        with printable(order_number):
            made = composed(services.composer, services.storage, order, options)
            _, folder = await slot.enter_async_context(made)
        return export_response(file_export(pdf_of(folder)), PDF_TYPE, name, slot.pop_all())


@contextmanager
def printable(order_number: str) -> Iterator[None]:
    """Translate the errors of composing a book into those of the API."""
    try:
        yield
    except BookError as error:
        raise NotPrintableError(error.message, order_number=order_number) from error
    except ComposerError as error:
        raise BookUnavailableError(error.message, order_number=order_number) from error


async def _entries(services: Services, order_number: str, what: What) -> list[StoredEntry]:
    """The files with their names in the archive; not empty."""
    files = await services.database.read(lambda c: exports.files(c, order_number, what))
    if not files:
        raise await _nothing_to_export(services, order_number, what)
    return [
        StoredEntry(file_name(order_number, file.label) + PurePosixPath(file.path).suffix, file.path)
        for file in files
    ]


async def _no_version(services: Services, order_number: str, version: int, *, is_noted: bool) -> OrdersError:
    """Why there is no PDF of this version."""
    if is_noted:
        return FileMissingError(f"{order_number}.pdf")
    reason = await _nothing_to_export(services, order_number, "coloring")
    return BookNotFoundError(order_number, version) if isinstance(reason, NothingChosenError) else reason


async def _nothing_to_export(services: Services, order_number: str, what: What) -> OrdersError:
    """Why there is nothing to export."""
    match await services.database.read(lambda c: orders.is_cancelled(c, order_number)):
        case None:
            return OrderNotFoundError(order_number)
        case True:
            return OrderCancelledError(order_number)
        case _:
            return NothingChosenError(what, order_number)


@asynccontextmanager
async def open_slot(services: Services) -> AsyncIterator[AsyncExitStack]:
    """A stack that releases the slot when it is closed; the response takes it over."""
    async with AsyncExitStack() as stack:
        stack.enter_context(services.exports.slot())
        yield stack


class _ExportResponse(StreamingResponse):
    """A response that occupies an export slot until it is sent or the client disconnects."""

    def __init__(self, *args: Any, slot: AsyncExitStack, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._slot = slot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._slot:
            with anyio.move_on_after(EXPORT_SECONDS):
                await super().__call__(scope, receive, send)


def export_response(export: Export, media_type: str, name: str, slot: AsyncExitStack) -> StreamingResponse:
    headers = {
        "Content-Length": str(export.size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        # A streamed export must not be buffered on the gateway's disk.
        "X-Accel-Buffering": "no",
    }
    return _ExportResponse(export.pieces, media_type=media_type, headers=headers, slot=slot)
