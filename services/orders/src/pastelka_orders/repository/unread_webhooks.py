"""Webhooks with unparsable fields: their bodies, and the problems found.

One row per order, for the last applied webhook; deleted with the order, and when a later one parses
completely. Bodies without an order are kept for 30 days, at most 100, and are deleted when a customer is
erased: they may be that customer's.
"""

import hashlib
import json
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.domain.shop_orders import UnreadBody
from pastelka_orders.repository.sql import execute

MAX_BODY_BYTES = 256 * 1024
"""Of a stored body; a longer one is truncated."""
_RETENTION_DAYS = 30
_MAX_ROWS = 100

_PROBLEMS = "SELECT problems FROM unread_webhooks WHERE order_id = :order_id FOR UPDATE"
_READ = "DELETE FROM unread_webhooks WHERE order_id = :order_id"
_INSERT = """INSERT INTO unread_webhooks (order_id, topic, body, body_digest, problems)
    VALUES (:order_id, :topic, :body, :digest, CAST(:problems AS jsonb))
    ON CONFLICT (order_id) DO UPDATE SET topic = EXCLUDED.topic, body = EXCLUDED.body,
        body_digest = EXCLUDED.body_digest, problems = EXCLUDED.problems, received_at = clock_timestamp()"""
_INSERT_UNIDENTIFIED = """INSERT INTO unread_webhooks (topic, body, body_digest, problems)
    SELECT :topic, :body, :digest, CAST(:problems AS jsonb)
    WHERE NOT EXISTS (SELECT 1 FROM unread_webhooks WHERE order_id IS NULL AND body_digest = :digest)"""
_DELETE_OLD = """DELETE FROM unread_webhooks WHERE order_id IS NULL
        AND (received_at < clock_timestamp() - make_interval(days => :days) OR id <= (
            SELECT id FROM unread_webhooks WHERE order_id IS NULL ORDER BY id DESC OFFSET :rows LIMIT 1))"""
_DELETE_UNIDENTIFIED = "DELETE FROM unread_webhooks WHERE order_id IS NULL"


async def save(connection: AsyncConnection, order_id: int, unread: UnreadBody | None) -> bool:
    """Store or clear the problems of the order's last webhook; returns whether they changed."""
    before: Sequence[str] | None = (await execute(connection, _PROBLEMS, {"order_id": order_id})).scalar()
    if unread is None:
        if before is not None:
            await execute(connection, _READ, {"order_id": order_id})
        return before is not None
    await execute(connection, _INSERT, {"order_id": order_id, **_values(unread)})
    return before is None or list(before) != list(unread.problems)


async def add_unidentified(connection: AsyncConnection, unread: UnreadBody) -> None:
    """Store a webhook without an order."""
    await execute(connection, _INSERT_UNIDENTIFIED, _values(unread))
    await execute(connection, _DELETE_OLD, {"days": _RETENTION_DAYS, "rows": _MAX_ROWS})


async def delete_unidentified(connection: AsyncConnection) -> None:
    """Delete webhooks without an order: they may be of a customer being erased."""
    await execute(connection, _DELETE_UNIDENTIFIED)


def _values(unread: UnreadBody) -> dict[str, object]:
    return {
        "topic": unread.topic,
        "body": unread.body[:MAX_BODY_BYTES],
        "digest": hashlib.sha256(unread.body).digest(),
        "problems": json.dumps(unread.problems),
    }
