"""Editable fields of line items; line items of manual orders are added and deleted."""

from fastapi import APIRouter, Request, Response, status

from pastelka_orders.api import field_limits
from pastelka_orders.api.authorization import OPERATOR, VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import Deps, Id, IfMatch, OrderNumber, etag_matches, etag_of, etag_response
from pastelka_orders.api.problems import NOT_MODIFIED, Responses, declared
from pastelka_orders.book_schemas import LineItemPatch, LineItemState
from pastelka_orders.errors import LineItemNotFoundError
from pastelka_orders.handlers import line_items as handlers
from pastelka_orders.handlers.orders import MANUAL_TITLE
from pastelka_orders.photo_schemas import NewLineItemRequest
from pastelka_orders.repository import line_items
from pastelka_orders.repository.line_items import LineItemRecord
from pastelka_orders.repository.orders import NewLineItem

router = APIRouter(prefix="/orders", tags=["orders"], route_class=AuthorizedRoute)

_READING: Responses = {**NOT_MODIFIED, **declared(404, 422, 503)}


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


@router.post(
    "/{order_number}/line-items",
    dependencies=[OPERATOR],
    response_model=LineItemState,
    status_code=status.HTTP_201_CREATED,
    responses=declared(404, 409, 422, 503),
)
async def add_line_item(
    request: Request, services: Deps, order_number: OrderNumber, wanted: NewLineItemRequest | None = None
) -> Response:
    """Add a line item without photos to a manual order; 409 `order_of_shop` for an order of the shop."""
    item = line_item_of(wanted or NewLineItemRequest())
    item_id = await services.write(lambda c: handlers.add(c, order_number, item))
    added = await services.database.read(lambda c: line_items.find(c, order_number, item_id))
    if added is None:
        raise LineItemNotFoundError(item_id)
    response = etag_response(request, _body(added))
    response.status_code = status.HTTP_201_CREATED
    response.headers["Location"] = f"/api/v1/orders/{order_number}/line-items/{item_id}"
    return response


@router.delete(
    "/{order_number}/line-items/{item_id}",
    dependencies=[OPERATOR],
    status_code=status.HTTP_204_NO_CONTENT,
    responses=declared(404, 409, 412, 422, 503),
)
async def delete_line_item(
    services: Deps, order_number: OrderNumber, item_id: Id, if_match: IfMatch = None
) -> None:
    """Delete a line item of a manual order with its photos and files; active work is cancelled.

    409 `order_of_shop` for an order of the shop, `last_line_item` for the only one, `image_approved` if a
    page of it is approved.
    """
    _check(item_id)
    await handlers.delete(
        services.database, services.storage, order_number, item_id, lambda item: _is_expected(if_match, item)
    )


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
    if_match: IfMatch = None,
) -> Response:
    """Change title, quantity, dedication or layout; absent fields stay.

    Later changes by the shop do not overwrite it; they appear in `shop_values`.
    """
    _check(item_id)
    values = patch.model_dump(include=patch.model_fields_set)
    changed = await services.write(
        lambda c: handlers.change(c, order_number, item_id, values, lambda item: _is_expected(if_match, item))
    )
    return etag_response(request, _body(changed))


def line_item_of(wanted: NewLineItemRequest) -> NewLineItem:
    """The line item that a request describes."""
    return NewLineItem(wanted.title or MANUAL_TITLE, wanted.quantity, wanted.dedication, wanted.layout)


def _is_expected(if_match: str | None, item: LineItemRecord) -> bool:
    return if_match is None or etag_matches(if_match, etag_of(_body(item)))


def _body(item: LineItemRecord) -> bytes:
    return LineItemState.model_validate(item, from_attributes=True).model_dump_json().encode()


def _check(item_id: int) -> None:
    if item_id > field_limits.MAX_ID:
        raise LineItemNotFoundError(item_id)
