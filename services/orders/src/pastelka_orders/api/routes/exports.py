"""An order's files to take away: as a ZIP, as a PDF to print."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import PurePosixPath
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from pastelka_orders.api.authorization import VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import Deps, OrderNumber, Services
from pastelka_orders.api.field_limits import EXPORT_SECONDS
from pastelka_orders.api.problems import Responses, declared
from pastelka_orders.errors import NothingChosenError, OrderNotFoundError
from pastelka_orders.exports import Entry, Export, StoredEntry, file_name, zipped
from pastelka_orders.repository import exports, orders
from pastelka_orders.repository.exports import What

router = APIRouter(prefix="/orders", tags=["orders"], route_class=AuthorizedRoute)

_ZIP = "application/zip"
_PDF = "application/pdf"


def _sent(media_type: str) -> Responses:
    schema = {"schema": {"type": "string", "format": "binary"}}
    return {
        200: {"description": "The file", "content": {media_type: schema}},
        **declared(404, 409, 422, 429, 503),
    }


@router.get(
    "/{order_number}/download", dependencies=[VIEWER], response_class=StreamingResponse, responses=_sent(_ZIP)
)
async def download_order(
    services: Deps,
    order_number: OrderNumber,
    what: Annotated[What, Query(description="The chosen pages, the chosen SVGs, or all photos")] = "coloring",
) -> StreamingResponse:
    """A ZIP of the files, named `<order>-<position>`."""
    async with _slot(services) as slot:
        export = await zipped(services.storage, await _entries(services, order_number, what))
        return _response(export, _ZIP, file_name(order_number, f"{what}.zip"), slot.pop_all())


@router.get(
    "/{order_number}/print", dependencies=[VIEWER], response_class=StreamingResponse, responses=_sent(_PDF)
)
async def print_order(services: Deps, order_number: OrderNumber) -> StreamingResponse:
    """A PDF of the chosen pages, one on each sheet of A4."""
    async with _slot(services) as slot:
        entries = [
            Entry(entry.name, await slot.enter_async_context(services.storage.local_copy(entry.path)))
            for entry in await _entries(services, order_number, "coloring")
        ]
        export = await services.printer.pdf(order_number, entries)
        return _response(export, _PDF, file_name(order_number, "print.pdf"), slot.pop_all())


async def _entries(services: Services, order_number: str, what: What) -> list[StoredEntry]:
    """The files with their names."""
    files = await services.database.read(lambda c: exports.files(c, order_number, what))
    if not files:
        if not await services.database.read(lambda c: orders.exists(c, order_number)):
            raise OrderNotFoundError(order_number)
        raise NothingChosenError(order_number, what)
    return [
        StoredEntry(file_name(order_number, file.label) + PurePosixPath(file.path).suffix, file.path)
        for file in files
    ]


@asynccontextmanager
async def _slot(services: Services) -> AsyncIterator[AsyncExitStack]:
    """A stack that gives the slot back when it is closed; whoever sends the export takes it over."""
    async with AsyncExitStack() as stack:
        stack.enter_context(services.exports.taken())
        yield stack


class _Sent(StreamingResponse):
    """An export that keeps its slot until it is sent, or nobody reads it any more."""

    def __init__(self, *args: Any, slot: AsyncExitStack, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._slot = slot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._slot:
            with anyio.move_on_after(EXPORT_SECONDS):
                await super().__call__(scope, receive, send)


def _response(export: Export, media_type: str, name: str, slot: AsyncExitStack) -> StreamingResponse:
    headers = {
        "Content-Length": str(export.size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        # What is made while it is sent needs no copy on the gateway's disk.
        "X-Accel-Buffering": "no",
    }
    return _Sent(export.pieces, media_type=media_type, headers=headers, slot=slot)
