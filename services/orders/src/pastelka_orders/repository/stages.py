"""Stages of orders: what an operator notes on an order, and how many orders a stage has."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.models.orders import OrderStage
from pastelka_orders.repository.sql import execute

COUNTED = 1000
"""Orders that are counted at most, so that a count costs the same however many there are."""

# Walked by date: without an order of rows the planner may read the table instead.
_BOUNDED = "(SELECT 1 FROM orders o {where} ORDER BY o.created_at DESC, o.id DESC LIMIT {limit})"
_COUNTS = f"""SELECT s.stage, (SELECT count(*) FROM {
    _BOUNDED.format(where="WHERE o.stage = s.stage", limit=COUNTED)
} n) AS orders FROM unnest(CAST(:stages AS text[])) AS s(stage)"""
_LOCK = "SELECT id FROM orders WHERE order_number = :order_number FOR NO KEY UPDATE"
_NOTES = {
    "on_hold_reason": "on_hold_reason = CAST(:on_hold_reason AS text)",
    "is_printed": "printed_at = CASE WHEN CAST(:is_printed AS boolean)"
    " THEN COALESCE(printed_at, clock_timestamp()) END",
    "is_shipped": "shipped_at = CASE WHEN CAST(:is_shipped AS boolean)"
    " THEN COALESCE(shipped_at, clock_timestamp()) END",
    "is_attention_seen": "attention_seen_at = clock_timestamp(), shop_changed_at = NULL",
}
_SAVE = "UPDATE orders SET {notes}, updated_at = clock_timestamp() WHERE order_number = :order_number"
_BOOK_PRINTED = """UPDATE orders o SET printed_at = (
        SELECT max(b.printed_at) FROM book_versions b WHERE b.order_id = o.id)
    WHERE o.order_number = :order_number"""
_IS_REVIEWED = """SELECT o.printed_at IS NOT NULL OR EXISTS (SELECT 1 FROM line_items l
        JOIN images i ON i.line_item_id = l.id WHERE l.order_id = o.id AND i.approved_at IS NOT NULL)
    FROM orders o WHERE o.id = :order_id"""
_SHOP_CHANGED = "UPDATE orders SET shop_changed_at = clock_timestamp() WHERE id = :order_id"


async def counts(connection: AsyncConnection) -> dict[str, int]:
    """Orders by stage; ``COUNTED`` stands for as many or more."""
    rows = await execute(connection, _COUNTS, {"stages": [stage.value for stage in OrderStage]})
    return {row.stage: row.orders for row in rows}


async def total(connection: AsyncConnection, condition: str | None) -> int:
    """Orders ``o`` that meet a condition (SQL), at most ``COUNTED``."""
    where = f"WHERE {condition}" if condition else ""
    query = f"SELECT count(*) FROM {_BOUNDED.format(where=where, limit=COUNTED)} n"
    return int((await execute(connection, query)).scalar_one())


async def lock(connection: AsyncConnection, order_number: str) -> bool:
    """Lock an order; whether there is one."""
    return (await execute(connection, _LOCK, {"order_number": order_number})).first() is not None


async def change(connection: AsyncConnection, order_number: str, notes: Mapping[str, Any]) -> None:
    """Note on a locked order: ``on_hold_reason``, ``is_printed``, ``is_shipped``, ``is_attention_seen``."""
    assignments = ", ".join(_NOTES[name] for name in notes)
    values = {name: value for name, value in notes.items() if name != "is_attention_seen"}
    await execute(connection, _SAVE.format(notes=assignments), {"order_number": order_number, **values})


async def set_printed_by_books(connection: AsyncConnection, order_number: str) -> None:
    """An order is printed when one of its books is, and not when none is any more."""
    await execute(connection, _BOOK_PRINTED, {"order_number": order_number})


async def is_reviewed(connection: AsyncConnection, order_id: int) -> bool:
    """Whether a page of the order is approved, or it is printed: a change by the shop has to be seen."""
    return bool((await execute(connection, _IS_REVIEWED, {"order_id": order_id})).scalar())


async def set_shop_changed(connection: AsyncConnection, order_id: int) -> None:
    """The shop changed a reviewed order."""
    await execute(connection, _SHOP_CHANGED, {"order_id": order_id})
