"""Queries on edited line items; the shop's values of edited fields are stored separately."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.domain.shop_edits import ShopEdits
from pastelka_orders.repository.orders import NewLineItem
from pastelka_orders.repository.sql import execute

FIELDS = ("title", "quantity", "dedication", "layout")

_FIND = """SELECT l.id, l.title, l.quantity, l.dedication, l.layout, l.shop_values, l.shop_changed_at,
        l.shop_changed_fields, l.shopify_line_item_id IS NOT NULL AS is_of_shop
    FROM line_items l JOIN orders o ON o.id = l.order_id
    WHERE o.order_number = :order_number AND l.id = :id"""
_ONE = _FIND
_LOCK = f"{_FIND} FOR NO KEY UPDATE OF l"
_SAVE = """UPDATE line_items SET title = :title, quantity = :quantity, dedication = :dedication,
        layout = :layout, shop_values = CAST(:shop_values AS jsonb),
        shop_changed_fields = CAST(:shop_changed_fields AS text[]),
        shop_changed_at = CASE WHEN CAST(:shop_changed_fields AS text[]) IS NOT NULL THEN shop_changed_at END
    WHERE id = :id"""

_OTHERS = """SELECT count(*) FROM line_items l JOIN orders o ON o.id = l.order_id
    WHERE o.order_number = :order_number AND l.id <> :id"""
_ADD = """INSERT INTO line_items (order_id, position, title, quantity, dedication, layout)
    VALUES (:order_id, COALESCE((SELECT max(position) FROM line_items WHERE order_id = :order_id), 0) + 1,
        :title, :quantity, :dedication, :layout) RETURNING id"""
_DELETE = "DELETE FROM line_items WHERE id = :id"


@dataclass(frozen=True, slots=True)
class LineItemRecord:
    """A line item; ``shop_values`` are the shop's values of fields edited here.

    ``shop_changed_fields`` are those that the shop changed since, the last one at ``shop_changed_at``.
    """

    id: int
    title: str
    quantity: int
    dedication: str | None
    layout: str | None
    shop_values: Mapping[str, Any] | None
    shop_changed_at: datetime | None
    shop_changed_fields: Sequence[str] | None
    is_of_shop: bool

    def changed(self, values: Mapping[str, Any]) -> "LineItemRecord":
        """The item with new ``values``; a field that equals the shop's value again is no longer edited.

        A value for a field that the shop changed acknowledges the change, also if it is the present value.
        """
        before = asdict(self)
        edits = ShopEdits.of(self.shop_values, self.shop_changed_fields)
        if self.is_of_shop:
            edits = edits.edited(before, values)
        after = {**before, **values}
        settled = {
            "shop_values": edits.values or None,
            "shop_changed_fields": edits.changed or None,
            "shop_changed_at": self.shop_changed_at if edits.changed else None,
        }
        return LineItemRecord(**{**after, **settled})


async def find(connection: AsyncConnection, order_number: str, item_id: int) -> LineItemRecord | None:
    """One line item of an order."""
    return await _one(connection, _ONE, order_number, item_id)


async def lock(connection: AsyncConnection, order_number: str, item_id: int) -> LineItemRecord | None:
    """Lock one line item of an order."""
    return await _one(connection, _LOCK, order_number, item_id)


async def save(connection: AsyncConnection, item: LineItemRecord) -> None:
    """Save a locked line item."""
    shop = None if item.shop_values is None else json.dumps(dict(item.shop_values))
    values = {name: getattr(item, name) for name in FIELDS}
    fields = None if item.shop_changed_fields is None else list(item.shop_changed_fields)
    await execute(
        connection, _SAVE, {"id": item.id, "shop_values": shop, "shop_changed_fields": fields, **values}
    )


async def has_others(connection: AsyncConnection, order_number: str, item_id: int) -> bool:
    """Whether the order has another line item."""
    values = {"order_number": order_number, "id": item_id}
    return int((await execute(connection, _OTHERS, values)).scalar_one()) > 0


async def add(connection: AsyncConnection, order_id: int, item: NewLineItem) -> int:
    """Add the last line item of a locked order; returns its id."""
    return int((await execute(connection, _ADD, {"order_id": order_id, **asdict(item)})).scalar_one())


async def delete(connection: AsyncConnection, item_id: int) -> None:
    """Delete a line item without photos."""
    await execute(connection, _DELETE, {"id": item_id})


async def _one(
    connection: AsyncConnection, query: Any, order_number: str, item_id: int
) -> LineItemRecord | None:
    row = (await execute(connection, query, {"order_number": order_number, "id": item_id})).mappings().first()
    return LineItemRecord(**row) if row else None
