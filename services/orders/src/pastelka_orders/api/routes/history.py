"""The history of an order, and what operators write about it: customer, note, assignee, notes."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response, status
from pydantic import Field
from sqlalchemy import RowMapping

from pastelka_orders.api import field_limits
from pastelka_orders.api.authorization import OPERATOR, VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import Deps, Id, OrderNumber, etag_matches, etag_of, etag_response
from pastelka_orders.api.problems import NOT_MODIFIED, declared
from pastelka_orders.errors import OrderNotFoundError
from pastelka_orders.handlers import order_history as handlers
from pastelka_orders.history_schemas import (
    ActorResponse,
    AssigneesResponse,
    HistoryEntry,
    HistoryResponse,
    NoteRequest,
    OrderDetailsPatch,
    OrderDetailsResponse,
)
from pastelka_orders.repository import order_details, order_history
from pastelka_orders.repository.order_details import OrderDetails

router = APIRouter(tags=["orders"], route_class=AuthorizedRoute)


@router.get(
    "/orders/{order_number}/history",
    dependencies=[VIEWER],
    response_model=HistoryResponse,
    responses={**NOT_MODIFIED, **declared(404, 422, 503)},
)
async def get_history(
    request: Request,
    services: Deps,
    order_number: OrderNumber,
    cursor: Annotated[
        Annotated[
            str, Field(max_length=field_limits.CURSOR_LENGTH, json_schema_extra={"format": "history-cursor"})
        ]
        | None,
        Query(description="`next_cursor` of the previous page"),
    ] = None,
    limit: Annotated[int, Query(ge=field_limits.MIN_PAGE, le=field_limits.MAX_PAGE)] = field_limits.PAGE_SIZE,
    notes: Annotated[bool, Query(description="Only the notes")] = False,
) -> Response:
    """What was done to an order, by whom and when, newest first, with the ends of its versions."""
    found = await services.database.read(
        lambda c: order_history.page(c, order_number, limit=limit, cursor=cursor, notes=notes)
    )
    if found is None:
        raise OrderNotFoundError(order_number)
    rows, next_cursor = found
    page = HistoryResponse(items=[_entry(row) for row in rows], next_cursor=next_cursor)
    return etag_response(request, page.model_dump_json().encode())


@router.post(
    "/orders/{order_number}/notes",
    dependencies=[OPERATOR],
    response_model=HistoryEntry,
    status_code=status.HTTP_201_CREATED,
    responses=declared(404, 422, 503),
)
async def add_note(services: Deps, order_number: OrderNumber, wanted: NoteRequest) -> HistoryEntry:
    """Add a note to an order's history; its author is the caller."""
    return _entry(await services.write(lambda c: handlers.add_note(c, order_number, wanted.text)))


@router.delete(
    "/orders/{order_number}/notes/{note_id}",
    dependencies=[OPERATOR],
    status_code=status.HTTP_204_NO_CONTENT,
    responses=declared(404, 422, 503),
)
async def delete_note(services: Deps, order_number: OrderNumber, note_id: Id) -> None:
    """Delete a note; the history keeps who deleted whose note, without its text."""
    await services.write(lambda c: handlers.delete_note(c, order_number, note_id))


@router.get(
    "/orders/{order_number}/details",
    dependencies=[VIEWER],
    response_model=OrderDetailsResponse,
    responses={**NOT_MODIFIED, **declared(404, 422, 503)},
)
async def get_order_details(request: Request, services: Deps, order_number: OrderNumber) -> Response:
    """Customer, note and assignee of an order, with the `ETag` for `If-Match`."""
    order = await services.database.read(lambda c: order_details.find(c, order_number))
    if order is None:
        raise OrderNotFoundError(order_number)
    return etag_response(request, _details(order))


@router.patch(
    "/orders/{order_number}/details",
    dependencies=[OPERATOR],
    response_model=OrderDetailsResponse,
    responses=declared(404, 412, 422, 503),
)
async def change_order_details(
    request: Request,
    services: Deps,
    order_number: OrderNumber,
    patch: OrderDetailsPatch,
    if_match: Annotated[
        str | None,
        Header(max_length=1000, description="`ETag` of the details that were read; 412 if they have changed"),
    ] = None,
) -> Response:
    """Change customer, note or assignee; absent fields stay.

    A customer that the shop changes later does not overwrite it; it appears in `shop_values`.
    """
    values = patch.model_dump(include=patch.model_fields_set)

    def is_expected(order: OrderDetails) -> bool:
        return if_match is None or etag_matches(if_match, etag_of(_details(order)))

    changed = await services.write(lambda c: handlers.change(c, order_number, values, is_expected))
    return etag_response(request, _details(changed))


@router.get(
    "/assignees",
    dependencies=[VIEWER],
    response_model=AssigneesResponse,
    responses={**NOT_MODIFIED, **declared(503)},
)
async def list_assignees(request: Request, services: Deps) -> Response:
    """Users that an order can be assigned to; there are none unless `AUTH_MODE` is `password`."""
    names = await services.database.read(order_details.assignees)
    return etag_response(request, AssigneesResponse(names=names).model_dump_json().encode())


def _details(order: OrderDetails) -> bytes:
    return OrderDetailsResponse.model_validate(order, from_attributes=True).model_dump_json().encode()


def _entry(row: RowMapping) -> HistoryEntry:
    return HistoryEntry(**row, actor=ActorResponse(kind=row["actor_kind"], name=row["actor_name"]))
