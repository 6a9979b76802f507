"""Printed books: preflight, versions, several orders as one PDF."""

import shutil
import tempfile
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request, Response, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter, ValidationError

from pastelka_orders.api import field_limits
from pastelka_orders.api.authorization import OPERATOR, VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import Deps, Id, OrderNumber, Services, document_response, etag_response
from pastelka_orders.api.problems import NOT_MODIFIED, Responses, declared
from pastelka_orders.api.routes.exports import PDF_TYPE, export_response, file_responses, open_slot, printable
from pastelka_orders.book.description import BookOptions
from pastelka_orders.book.process import pdf_of
from pastelka_orders.book_schemas import (
    MAX_JOINED_BYTES,
    BookPatch,
    BookResponse,
    BooksRequest,
    FindingResponse,
    PreflightResponse,
)
from pastelka_orders.errors import (
    BookNotFoundError,
    BooksMissingError,
    BooksOutdatedError,
    BooksTooLargeError,
    OrderCancelledError,
    OrderNotFoundError,
)
from pastelka_orders.exports import file_export
from pastelka_orders.handlers import book_versions as handlers
from pastelka_orders.handlers.book_content import fingerprints
from pastelka_orders.handlers.books import joined
from pastelka_orders.repository import book_versions, books
from pastelka_orders.repository.book_versions import StoredBook

router = APIRouter(prefix="/orders", tags=["books"], route_class=AuthorizedRoute)
joined_router = APIRouter(prefix="/books", tags=["books"], route_class=AuthorizedRoute)

_BOOKS: TypeAdapter[object] = TypeAdapter(list[BookResponse])
_READING: Responses = {**NOT_MODIFIED, **declared(404, 422, 503)}
_MAKING: Responses = declared(404, 409, 422, 503)


@router.get(
    "/{order_number}/books",
    dependencies=[VIEWER],
    response_model=list[BookResponse],
    responses=_READING,
)
async def list_books(request: Request, services: Deps, order_number: OrderNumber) -> Response:
    """All versions of an order's book, newest first."""
    layouts = services.settings.print_layouts
    document = await services.database.read(
        lambda c: handlers.listed(c, order_number, services.files, layouts)
    )
    return document_response(request, _BOOKS, document)


@router.get("/{order_number}/books/preflight", dependencies=[VIEWER], responses=_READING)
async def preflight_book(
    services: Deps, order_number: OrderNumber, options: Annotated[BookOptions, Query()]
) -> PreflightResponse:
    """Check the book of an order with these options; defaults come from the settings."""
    findings = await handlers.preflight(
        services.database,
        services.storage,
        order_number,
        _complete(services, options),
        services.settings.print_layouts,
    )
    return PreflightResponse(
        can_print=not any(one.is_error for one in findings),
        findings=[
            FindingResponse(
                severity="error" if one.is_error else "warning",
                code=one.code,
                message=one.message,
                line_item_id=one.line_item_id,
                image_id=one.image_id,
                values=dict(one.values),
            )
            for one in findings
        ],
    )


@router.post(
    "/{order_number}/books",
    dependencies=[OPERATOR],
    response_model=BookResponse,
    status_code=status.HTTP_202_ACCEPTED,
    responses=_MAKING,
)
async def create_book(
    request: Request,
    services: Deps,
    order_number: OrderNumber,
    options: BookOptions | None = None,
    force: Annotated[
        bool, Query(description="Compose it despite errors of the preflight; missing pages are omitted")
    ] = False,
) -> Response:
    """Compose the book of an order as it is now; defaults of options come from the settings.

    Returns an unfinished version that is the same instead, if there is one.
    """
    version = await handlers.request_book(
        services.database,
        services.storage,
        order_number,
        _complete(services, options),
        services.settings.print_layouts,
        is_forced=force,
    )
    return await _book(request, services, order_number, version, status.HTTP_202_ACCEPTED)


@router.post(
    "/{order_number}/books/{version}/retry",
    dependencies=[OPERATOR],
    response_model=BookResponse,
    status_code=status.HTTP_202_ACCEPTED,
    responses=_MAKING,
)
async def retry_book(request: Request, services: Deps, order_number: OrderNumber, version: Id) -> Response:
    """Compose a failed version again."""
    _check(order_number, version)
    await services.write(lambda c: handlers.retry(c, order_number, version))
    return await _book(request, services, order_number, version, status.HTTP_202_ACCEPTED)


@router.patch(
    "/{order_number}/books/{version}",
    dependencies=[OPERATOR],
    response_model=BookResponse,
    responses=_MAKING,
)
async def change_book(
    request: Request, services: Deps, order_number: OrderNumber, version: Id, patch: BookPatch
) -> Response:
    """Mark a completed version as printed, or as not printed."""
    _check(order_number, version)
    await services.write(
        lambda c: handlers.mark_printed(c, order_number, version, is_printed=patch.is_printed)
    )
    return await _book(request, services, order_number, version, status.HTTP_200_OK)


@joined_router.get(
    "/options",
    dependencies=[VIEWER],
    response_model=BookOptions,
    responses={**NOT_MODIFIED, **declared(503)},
)
async def get_book_options(request: Request, services: Deps) -> Response:
    """The options of a book for which none are given: those of the settings."""
    return etag_response(request, services.settings.book_options.model_dump_json().encode())


@joined_router.post(
    "", dependencies=[OPERATOR], response_class=StreamingResponse, responses=file_responses(PDF_TYPE)
)
async def join_books(
    services: Deps,
    wanted: BooksRequest,
    force: Annotated[bool, Query(description="Print books although their orders were changed since")] = False,
) -> StreamingResponse:
    """Merge the newest finished books of several orders into one PDF, each after a separator sheet.

    The result is not stored; compose the orders' books first.
    """
    async with open_slot(services) as slot:
        found = {number: await _finished(services, number) for number in wanted.order_numbers}
        missing = [number for number, (stored, _) in found.items() if stored is None]
        if missing:
            raise BooksMissingError(missing)
        outdated = [number for number, (_, is_outdated) in found.items() if is_outdated]
        if outdated and not force:
            raise BooksOutdatedError(outdated)
        ready = [stored for stored, _ in found.values() if stored is not None]
        await _require_room(services, ready)
        with printable(", ".join(found)):
            made = joined(services.composer, services.storage, ready)
            folder = await slot.enter_async_context(made)
        return export_response(file_export(pdf_of(folder)), PDF_TYPE, "books.pdf", slot.pop_all())


async def _require_room(services: Services, ready: list[StoredBook]) -> None:
    """Copies of a bucket's files and the PDF itself are temporary files. Raises ``BooksTooLargeError``."""
    size = sum([await services.storage.size(stored.path) or 0 for stored in ready])
    free = (await anyio.to_thread.run_sync(shutil.disk_usage, tempfile.gettempdir())).free
    most = min(MAX_JOINED_BYTES, free // 2)
    if size > most:
        raise BooksTooLargeError(size, most)


async def _finished(services: Services, order_number: str) -> tuple[StoredBook | None, bool]:
    """The newest finished book of an order, and whether it is outdated."""
    content = await services.database.read(lambda c: books.contents(c, order_number))
    if content is None:
        raise OrderNotFoundError(order_number)
    if content.is_cancelled:
        raise OrderCancelledError(order_number)
    stored = await services.database.read(lambda c: book_versions.newest(c, order_number))
    current = fingerprints(content, services.settings.print_layouts)
    return stored, stored is not None and stored.fingerprint not in current


async def _book(request: Request, services: Services, order_number: str, version: int, code: int) -> Response:
    layouts = services.settings.print_layouts
    document = await services.database.read(
        lambda c: handlers.shown(c, order_number, version, services.files, layouts)
    )
    response = document_response(request, BookResponse, document)
    response.status_code = code
    return response


def _complete(services: Services, options: BookOptions | None) -> BookOptions:
    """The options, completed from the settings."""
    defaults = services.settings.book_options
    if options is None:
        return defaults
    given = options.model_dump(include=options.model_fields_set)
    try:
        return BookOptions.model_validate({**defaults.model_dump(), **given})
    except ValidationError as error:  # what is given does not go with the settings
        raise RequestValidationError(
            [{**one, "loc": ("options", *one["loc"])} for one in error.errors(include_context=False)]
        ) from error


def _check(order_number: str, version: int) -> None:
    if version > field_limits.MAX_ID:
        raise BookNotFoundError(order_number, version)
