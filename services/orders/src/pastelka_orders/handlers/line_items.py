"""Edits of line items."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import OrderChanged
from pastelka_orders.errors import ItemRemovedError, LineItemNotFoundError, PreconditionFailedError
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import line_items
from pastelka_orders.repository.line_items import LineItemRecord


async def change(
    connection: AsyncConnection,
    order_number: str,
    item_id: int,
    values: Mapping[str, Any],
    is_expected: Callable[[LineItemRecord], bool],
) -> LineItemRecord:
    """Set ``values``; later values of the shop for these fields are stored separately.

    Raises ``LineItemNotFoundError``, ``PreconditionFailedError`` if ``is_expected`` fails, and
    ``ItemRemovedError`` for the quantity of an item that the shop removed: only the shop reverses that.
    """
    item = await line_items.lock(connection, order_number, item_id)
    if item is None:
        raise LineItemNotFoundError(item_id)
    if not is_expected(item):
        raise PreconditionFailedError
    if item.is_of_shop and item.quantity == 0 and values.get("quantity", 0) != 0:
        raise ItemRemovedError(f"Line item {item_id}", "its quantity cannot be set", line_item_id=item_id)
    changed = item.changed(values)
    if changed != item:
        await line_items.save(connection, changed)
        outbox = Outbox()
        outbox.add(OrderChanged(order_number=order_number))
        await outbox.flush(connection)
    return changed
