"""The places of an order's versions among all versions that wait for a worker."""

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.sql import execute

# Reads the waiting versions only, by the partial indexes of active ones. The broker delivers in the order of
# the requests; a version between two attempts is no longer in that order.
_WAITING = """SELECT '{kind}' AS status_type, v.id AS version_id, v.image_id, v.asked_at,
        row_number() OVER (ORDER BY v.asked_at, v.id) - 1 AS ahead
    FROM {kind}_versions v
    WHERE v.is_active AND v.status IN ('pending', 'queued') AND v.retry IS NULL"""
_PLACES = f"""SELECT w.status_type, w.version_id, w.ahead
    FROM ({_WAITING.format(kind="coloring")} UNION ALL {_WAITING.format(kind="svg")}) AS w
    JOIN images i ON i.id = w.image_id
    JOIN line_items l ON l.id = i.line_item_id JOIN orders o ON o.id = l.order_id
    WHERE o.order_number = :order_number ORDER BY w.asked_at, w.version_id"""
_EXISTS = "SELECT 1 FROM orders WHERE order_number = :order_number"


async def places(connection: AsyncConnection, order_number: str) -> list[dict[str, object]] | None:
    """``status_type``, ``version_id`` and ``ahead`` of waiting versions, ``None`` without such an order."""
    values = {"order_number": order_number}
    found = [dict(row) for row in (await execute(connection, _PLACES, values)).mappings()]
    if not found and (await execute(connection, _EXISTS, values)).first() is None:
        return None
    return found
