"""Queries on the outbox: messages that are committed but not yet published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import VersionJob
from pastelka_common.contracts.statuses import StatusType
from pastelka_orders.errors import RefusedMessageNotFoundError
from pastelka_orders.repository.sql import execute

CHANNEL = "pastelka_outbox"
"""PostgreSQL notification channel: something was committed to the outbox."""

_INSERT = """INSERT INTO outbox (subject, msg_id, payload, headers, queues_kind, queues_version_id,
        queues_run)
    SELECT m.subject, m.msg_id, m.payload, m.headers::jsonb, m.kind, m.version_id, m.run
    FROM unnest(CAST(:subjects AS text[]), CAST(:msg_ids AS text[]), CAST(:payloads AS bytea[]),
        CAST(:headers AS text[]), CAST(:kinds AS text[]), CAST(:version_ids AS integer[]),
        CAST(:runs AS integer[])) WITH ORDINALITY
        AS m(subject, msg_id, payload, headers, kind, version_id, run, place) ORDER BY m.place"""
_NOTIFY = f"SELECT pg_notify('{CHANNEL}', '')"
_OLDEST_AGE = """SELECT EXTRACT(EPOCH FROM clock_timestamp() - created_at)::float8 FROM outbox
    WHERE refused IS NULL ORDER BY id LIMIT 1"""
# A job is due while its version is pending: not if that was cancelled, or a worker has the job.
_OLDEST = """SELECT o.id, o.subject, o.msg_id, o.payload, o.headers,
    o.queues_kind, o.queues_version_id, o.queues_run,
    EXTRACT(EPOCH FROM clock_timestamp() - o.created_at)::float8 AS age, clock_timestamp() AS read_at,
    o.queues_kind IS NULL OR (o.queues_run = CASE o.queues_kind
        WHEN 'coloring' THEN (SELECT run FROM coloring_versions
            WHERE id = o.queues_version_id AND status = 'pending')
        WHEN 'svg' THEN (SELECT run FROM svg_versions
            WHERE id = o.queues_version_id AND status = 'pending') END) IS TRUE AS is_due
    FROM outbox o WHERE o.refused IS NULL ORDER BY o.id LIMIT :batch"""
_DELETE = "DELETE FROM outbox WHERE id = ANY(CAST(:ids AS bigint[]))"
_REFUSE = (
    "UPDATE outbox SET refused = CAST(:reason AS text) WHERE msg_id = CAST(:msg_id AS text) RETURNING id"
)

_REFUSED = """SELECT id, subject, octet_length(payload) AS size, refused AS reason, created_at FROM outbox
    WHERE refused IS NOT NULL ORDER BY id LIMIT :limit"""
_RETRY_REFUSED = "UPDATE outbox SET refused = NULL WHERE id = :id AND refused IS NOT NULL RETURNING id"
_DISCARD_REFUSED = "DELETE FROM outbox WHERE id = :id AND refused IS NOT NULL RETURNING id"

# ``at`` is before the publication, so that no fact of the worker is older.
_QUEUED = """WITH moved AS (
    UPDATE {table} v SET status = 'queued', updated_at = clock_timestamp()
    FROM unnest(CAST(:ids AS integer[]), CAST(:runs AS integer[])) AS j(id, run)
    WHERE v.id = j.id AND v.run = j.run AND v.status = 'pending' RETURNING v.id, v.image_id, v.run),
  noted AS (
    INSERT INTO status_changes (image_id, kind, version_id, run, attempt, status, at)
    SELECT image_id, '{kind}', id, run, 0, 'queued', CAST(:at AS timestamptz) FROM moved)
  SELECT m.id, m.run, m.image_id, o.order_number FROM moved m JOIN images i ON i.id = m.image_id
    JOIN line_items l ON l.id = i.line_item_id JOIN orders o ON o.id = l.order_id"""

_QUEUE: dict[StatusType, str] = {
    "coloring": _QUEUED.format(table="coloring_versions", kind="coloring"),
    "svg": _QUEUED.format(table="svg_versions", kind="svg"),
}


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One message to insert; ``headers`` is a JSON object, ``job`` is set if it queues a version."""

    subject: str
    payload: bytes
    headers: str
    job: VersionJob | None


async def insert(connection: AsyncConnection, entries: Sequence[OutboxEntry]) -> None:
    """Insert messages in order, each with a new message id."""
    await execute(
        connection,
        _INSERT,
        {
            "subjects": [e.subject for e in entries],
            "msg_ids": [uuid4().hex for _ in entries],
            "payloads": [e.payload for e in entries],
            "headers": [e.headers for e in entries],
            "kinds": [e.job.kind if e.job else None for e in entries],
            "version_ids": [e.job.version_id if e.job else None for e in entries],
            "runs": [e.job.run if e.job else None for e in entries],
        },
    )


async def notify(connection: AsyncConnection) -> None:
    """Notify :data:`CHANNEL` when the transaction commits."""
    await execute(connection, _NOTIFY)


async def oldest_age(connection: AsyncConnection) -> float | None:
    """Age in seconds of the oldest message that is not refused; ``None`` if there is none."""
    age: float | None = (await execute(connection, _OLDEST_AGE)).scalar()
    return age


async def oldest(connection: AsyncConnection, batch: int) -> Sequence[Row]:  # type: ignore[type-arg]
    """The oldest ``batch`` messages, with ``age`` (seconds), ``read_at`` and whether each ``is_due``."""
    return (await execute(connection, _OLDEST, {"batch": batch})).all()


async def delete(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """Delete published messages."""
    await execute(connection, _DELETE, {"ids": ids})


async def refuse(connection: AsyncConnection, msg_id: str, reason: str) -> None:
    """Mark a message as refused: it is not published until an operator retries it."""
    await execute(connection, _REFUSE, {"msg_id": msg_id, "reason": reason})


async def queue_versions(
    connection: AsyncConnection,
    kind: StatusType,
    jobs: Sequence[Row],  # type: ignore[type-arg]
) -> Sequence[Row]:  # type: ignore[type-arg]
    """Set the versions of the published ``jobs`` to ``queued``; returns those that were ``pending``."""
    values = {
        "ids": [j.queues_version_id for j in jobs],
        "runs": [j.queues_run for j in jobs],
        "at": jobs[0].read_at,
    }
    return (await execute(connection, _QUEUE[kind], values)).all()


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A message that the broker permanently refuses; ``size`` in bytes."""

    id: int
    subject: str
    size: int
    reason: str
    created_at: datetime


async def refused(connection: AsyncConnection, limit: int) -> list[RefusedMessage]:
    """Refused messages, at most ``limit``, oldest first."""
    rows = (await execute(connection, _REFUSED, {"limit": limit})).mappings().all()
    return [RefusedMessage(**row) for row in rows]


async def retry_refused(connection: AsyncConnection, message_id: int) -> None:
    """Publish a refused message again. Raises ``RefusedMessageNotFoundError``."""
    await _change_refused(connection, _RETRY_REFUSED, message_id)
    await notify(connection)


async def discard_refused(connection: AsyncConnection, message_id: int) -> None:
    """Delete a refused message. Raises ``RefusedMessageNotFoundError``."""
    await _change_refused(connection, _DISCARD_REFUSED, message_id)


async def _change_refused(connection: AsyncConnection, statement: str, message_id: int) -> None:
    if (await execute(connection, statement, {"id": message_id})).first() is None:
        raise RefusedMessageNotFoundError(message_id)
