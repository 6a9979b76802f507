"""Editable fields of line items."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from pastelka_orders.api import field_limits
from pastelka_orders.api.authorization import OPERATOR, VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import Deps, Id, OrderNumber, etag_matches, etag_of, etag_response
from pastelka_orders.api.problems import Responses, declared
from pastelka_orders.book_schemas import LineItemPatch, LineItemState
from pastelka_orders.errors import LineItemNotFoundError
from pastelka_orders.handlers import line_items as handlers
from pastelka_orders.repository import line_items
from pastelka_orders.repository.line_items import LineItemRecord

router = APIRouter(prefix="/orders", tags=["orders"], route_class=AuthorizedRoute)

_READING: Responses = {304: {"description": "The caller's `ETag` is current"}, **declared(404, 422, 503)}


@router.get(
    "/{order_number}/line-items/{item_id}",
    dependencies=[VIEWER],
    response_model=LineItemState,
    responses=_READING,
)
async def get_line_item(request: Request, services: Deps, order_number: OrderNumber, item_id: Id) -> Response:
    """The editable fields of a line item, with the `ETag` for `If-Match`."""
    _check(item_id)
    item = await services.database.read(lambda c: line_items.find(c, order_number, item_id))
    if item is None:
        raise LineItemNotFoundError(item_id)
    return etag_response(request, _body(item))


@router.patch(
    "/{order_number}/line-items/{item_id}",
    dependencies=[OPERATOR],
    response_model=LineItemState,
    responses=declared(404, 409, 412, 422, 503),
)
async def change_line_item(
    request: Request,
    services: Deps,
    order_number: OrderNumber,
    item_id: Id,
    patch: LineItemPatch,
    if_match: Annotated[
        str | None,
        Header(max_length=1000, description="`ETag` of the item that was read; 412 if it has changed since"),
    ] = None,
) -> Response:
    """Change title, quantity, dedication or layout; absent fields stay.

    Later changes by the shop do not overwrite it; they appear in `shop_values`.
    """
    _check(item_id)
    values = patch.model_dump(include=patch.model_fields_set)

    def is_expected(item: LineItemRecord) -> bool:
        return if_match is None or etag_matches(if_match, etag_of(_body(item)))

    changed = await services.write(lambda c: handlers.change(c, order_number, item_id, values, is_expected))
    return etag_response(request, _body(changed))


def _body(item: LineItemRecord) -> bytes:
    return LineItemState.model_validate(item, from_attributes=True).model_dump_json().encode()


def _check(item_id: int) -> None:
    if item_id > field_limits.MAX_ID:
        raise LineItemNotFoundError(item_id)
