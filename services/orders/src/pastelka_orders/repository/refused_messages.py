"""Messages of the outbox that the broker will never accept: too large, or on a subject of no stream."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.errors import RefusedMessageNotFoundError
from pastelka_orders.repository import outbox

_LIST = text(
    """SELECT id, subject, octet_length(payload) AS size, refused AS reason, created_at FROM outbox
    WHERE refused IS NOT NULL ORDER BY id LIMIT :limit"""
)
_RETRY = text("UPDATE outbox SET refused = NULL WHERE id = :id AND refused IS NOT NULL RETURNING id")
_DISCARD = text("DELETE FROM outbox WHERE id = :id AND refused IS NOT NULL RETURNING id")


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """One of them; ``size`` in bytes."""

    id: int
    subject: str
    size: int
    reason: str
    created_at: datetime


async def oldest(connection: AsyncConnection, limit: int) -> list[RefusedMessage]:
    """At most ``limit``, oldest first."""
    rows = (await connection.execute(_LIST, {"limit": limit})).mappings().all()
    return [RefusedMessage(**row) for row in rows]


async def retry(connection: AsyncConnection, message_id: int) -> None:
    """Have it published again. Raises ``RefusedMessageNotFoundError``."""
    await _change(connection, _RETRY, message_id)
    await outbox.notify(connection)


async def discard(connection: AsyncConnection, message_id: int) -> None:
    """Delete it unpublished. Raises ``RefusedMessageNotFoundError``."""
    await _change(connection, _DISCARD, message_id)


async def _change(connection: AsyncConnection, statement: TextClause, message_id: int) -> None:
    if (await connection.execute(statement, {"id": message_id})).first() is None:
        raise RefusedMessageNotFoundError(message_id)
