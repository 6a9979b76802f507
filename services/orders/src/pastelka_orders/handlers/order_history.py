"""What operators write about an order: customer, note, assignee, and notes in its history."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import OrderChanged
from pastelka_orders.errors import NoteNotFoundError, OrderNotFoundError, PreconditionFailedError
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import order_details, order_history
from pastelka_orders.repository.order_details import OrderDetails


async def change(
    connection: AsyncConnection,
    order_number: str,
    values: Mapping[str, Any],
    is_expected: Callable[[OrderDetails], bool],
) -> OrderDetails:
    """Set ``values``; a later customer of the shop is stored separately.

    Raises ``OrderNotFoundError``, and ``PreconditionFailedError`` if ``is_expected`` fails.
    """
    order = await order_details.find(connection, order_number, lock=True)
    if order is None:
        raise OrderNotFoundError(order_number)
    if not is_expected(order):
        raise PreconditionFailedError
    changed = order.changed(values)
    if changed != order:
        await order_details.save(connection, changed)
        await Outbox.publish(connection, OrderChanged(order_number=order_number))
    return changed


async def add_note(connection: AsyncConnection, order_number: str, text: str) -> RowMapping:
    """Add a note of the actor; returns its entry. Raises ``OrderNotFoundError``."""
    entry = await order_history.add_note(connection, order_number, text)
    if entry is None:
        raise OrderNotFoundError(order_number)
    await Outbox.publish(connection, OrderChanged(order_number=order_number))
    return entry


async def delete_note(connection: AsyncConnection, order_number: str, note_id: int) -> None:
    """Delete a note; the history keeps that there was one. Raises ``NoteNotFoundError``."""
    if not await order_history.delete_note(connection, order_number, note_id):
        raise NoteNotFoundError(note_id)
    await Outbox.publish(connection, OrderChanged(order_number=order_number))
