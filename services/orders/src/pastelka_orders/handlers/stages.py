"""What an operator notes on an order."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import OrderChanged
from pastelka_orders.errors import OrderNotFoundError
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import stages


async def note(connection: AsyncConnection, order_number: str, notes: Mapping[str, Any]) -> None:
    """Put an order on hold, mark it as printed or shipped, or what needed attention as seen, or take it back.

    ``notes`` are those of ``repository.stages.change``. Raises ``OrderNotFoundError``.
    """
    if not await stages.lock(connection, order_number):
        raise OrderNotFoundError(order_number)
    if notes:
        await stages.change(connection, order_number, notes)
        await Outbox.publish(connection, OrderChanged(order_number=order_number))
