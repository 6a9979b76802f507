"""Queries on what an operator edits on an order: customer, note, assignee."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.domain.shop_edits import ShopEdits
from pastelka_orders.repository.order_search import search_text
from pastelka_orders.repository.sql import execute

_OF_SHOP = ("customer_name",)
"""Fields that the shop sets, too."""

_FIND = """SELECT id, order_number, source = 'shopify' AS is_of_shop, customer_name, customer_email, note,
        assignee, shop_values, shop_changed_fields
    FROM orders WHERE order_number = :order_number"""
_LOCK = f"{_FIND} FOR NO KEY UPDATE"
_SAVE = """UPDATE orders SET customer_name = :customer_name, note = :note, assignee = :assignee,
        shop_values = CAST(CAST(:shop_values AS text) AS jsonb),
        shop_changed_fields = CAST(:shop_changed_fields AS text[]), search = :search,
        updated_at = clock_timestamp()
    WHERE id = :id"""
_ASSIGNEES = "SELECT name FROM users WHERE disabled_at IS NULL ORDER BY name_key"


@dataclass(frozen=True, slots=True)
class OrderDetails:
    """``shop_values`` are the shop's values of fields edited here; ``shop_changed_fields`` changed since."""

    id: int
    order_number: str
    is_of_shop: bool
    customer_name: str | None
    customer_email: str | None
    note: str | None
    assignee: str | None
    shop_values: Mapping[str, Any] | None
    shop_changed_fields: Sequence[str] | None

    def changed(self, values: Mapping[str, Any]) -> "OrderDetails":
        """The order with new ``values``; see ``ShopEdits.edited`` for those that the shop sets, too."""
        before = asdict(self)
        edits = ShopEdits.of(self.shop_values, self.shop_changed_fields)
        if self.is_of_shop:
            edits = edits.edited(before, {name: values[name] for name in _OF_SHOP if name in values})
        settled = {"shop_values": edits.values or None, "shop_changed_fields": edits.changed or None}
        return OrderDetails(**{**before, **values, **settled})


async def find(connection: AsyncConnection, order_number: str, *, lock: bool = False) -> OrderDetails | None:
    """One order; ``lock`` locks it until the transaction ends."""
    row = await execute(connection, _LOCK if lock else _FIND, {"order_number": order_number})
    found = row.mappings().first()
    return OrderDetails(**found) if found else None


async def save(connection: AsyncConnection, order: OrderDetails) -> None:
    """Save a locked order."""
    fields = order.shop_changed_fields
    values = {
        "id": order.id,
        "customer_name": order.customer_name,
        "note": order.note,
        "assignee": order.assignee,
        "shop_values": json.dumps(dict(order.shop_values)) if order.shop_values else None,
        "shop_changed_fields": list(fields) if fields else None,
        "search": search_text(order.order_number, order.customer_name, order.customer_email),
    }
    await execute(connection, _SAVE, values)


async def assignees(connection: AsyncConnection) -> list[str]:
    """Names of the users that an order can be assigned to."""
    return list((await execute(connection, _ASSIGNEES)).scalars())
