"""Uploads whose photos are being stored: ids that no order has yet, with files that no other row names."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.sql import execute

# No request takes that long.
_ABANDONED_AFTER = "interval '6 hours'"

_BEGIN = """INSERT INTO uploads (order_id, line_item_id)
    VALUES (nextval(pg_get_serial_sequence('orders', 'id')),
        nextval(pg_get_serial_sequence('line_items', 'id'))) RETURNING order_id, line_item_id"""
_COMPLETE = "DELETE FROM uploads WHERE order_id = :order_id AND NOT is_abandoned RETURNING order_id"
_ABANDON = "UPDATE uploads SET is_abandoned = true WHERE order_id = :order_id RETURNING order_id"
_ABANDON_OLD = f"""UPDATE uploads SET is_abandoned = true
    WHERE is_abandoned OR started_at < clock_timestamp() - {_ABANDONED_AFTER} RETURNING order_id"""
_FORGET = "DELETE FROM uploads WHERE order_id = :order_id"


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """The ids that the order and its line item get once their photos are stored."""

    order_id: int
    line_item_id: int


async def begin(connection: AsyncConnection) -> UploadRecord:
    """Reserve ids; the files below them are deleted unless the upload is completed."""
    row = (await execute(connection, _BEGIN)).one()
    return UploadRecord(row.order_id, row.line_item_id)


async def complete(connection: AsyncConnection, order_id: int) -> bool:
    """Give the ids to an order, in its transaction; ``False`` if the upload was abandoned."""
    return (await execute(connection, _COMPLETE, {"order_id": order_id})).first() is not None


async def abandon(connection: AsyncConnection, order_id: int) -> bool:
    """Whether the upload is not completed, and cannot be any more: its files may be deleted."""
    return (await execute(connection, _ABANDON, {"order_id": order_id})).first() is not None


async def abandon_old(connection: AsyncConnection) -> list[int]:
    """Ids of the uploads that a process that ended has left; none of them can be completed any more."""
    return [row.order_id for row in await execute(connection, _ABANDON_OLD)]


async def forget(connection: AsyncConnection, order_id: int) -> None:
    """Its files are deleted."""
    await execute(connection, _FORGET, {"order_id": order_id})
