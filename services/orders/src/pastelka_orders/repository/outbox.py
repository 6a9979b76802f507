"""Rows of the outbox: messages that are committed and not yet published."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import ARRAY, BigInteger, Integer, LargeBinary, Row, Text, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import VersionJob
from pastelka_common.contracts.statuses import StatusType

CHANNEL = "pastelka_outbox"
"""PostgreSQL notification channel: something was committed to the outbox."""

_INSERT = text(
    """INSERT INTO outbox (subject, msg_id, payload, headers, queues_kind, queues_version_id, queues_run)
    SELECT m.subject, m.msg_id, m.payload, m.headers::jsonb, m.kind, m.version_id, m.run
    FROM unnest(CAST(:subjects AS text[]), CAST(:msg_ids AS text[]), CAST(:payloads AS bytea[]),
        CAST(:headers AS text[]), CAST(:kinds AS text[]), CAST(:version_ids AS integer[]),
        CAST(:runs AS integer[])) WITH ORDINALITY
        AS m(subject, msg_id, payload, headers, kind, version_id, run, place) ORDER BY m.place"""
).bindparams(
    bindparam("subjects", type_=ARRAY(Text)),
    bindparam("msg_ids", type_=ARRAY(Text)),
    bindparam("payloads", type_=ARRAY(LargeBinary)),
    bindparam("headers", type_=ARRAY(Text)),
    bindparam("kinds", type_=ARRAY(Text)),
    bindparam("version_ids", type_=ARRAY(Integer)),
    bindparam("runs", type_=ARRAY(Integer)),
)
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', '')")
_OLDEST_AGE = text(
    """SELECT EXTRACT(EPOCH FROM clock_timestamp() - created_at)::float8 FROM outbox
    WHERE refused IS NULL ORDER BY id LIMIT 1"""
)
# A job is due while its version waits for it: not if it was cancelled, or is known to have arrived.
_OLDEST = text(
    """SELECT o.id, o.subject, o.msg_id, o.payload, o.headers,
    o.queues_kind, o.queues_version_id, o.queues_run,
    EXTRACT(EPOCH FROM clock_timestamp() - o.created_at)::float8 AS age, clock_timestamp() AS read_at,
    o.queues_kind IS NULL OR (o.queues_run = CASE o.queues_kind
        WHEN 'coloring' THEN (SELECT run FROM coloring_versions
            WHERE id = o.queues_version_id AND status = 'pending')
        WHEN 'svg' THEN (SELECT run FROM svg_versions
            WHERE id = o.queues_version_id AND status = 'pending') END) IS TRUE AS is_due
    FROM outbox o WHERE o.refused IS NULL ORDER BY o.id LIMIT :batch"""
)
_DELETE = text("DELETE FROM outbox WHERE id = ANY(CAST(:ids AS bigint[]))").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger))
)
_REFUSE = text(
    "UPDATE outbox SET refused = CAST(:reason AS text) WHERE msg_id = CAST(:msg_id AS text) RETURNING id"
)

# ``at`` is before the job was published: no fact of its worker is older.
_QUEUED = """WITH moved AS (
    UPDATE {table} v SET status = 'queued', updated_at = clock_timestamp()
    FROM unnest(CAST(:ids AS integer[]), CAST(:runs AS integer[])) AS j(id, run)
    WHERE v.id = j.id AND v.run = j.run AND v.status = 'pending' RETURNING v.id, v.image_id, v.run),
  noted AS (
    INSERT INTO status_changes (image_id, kind, version_id, run, attempt, status, at)
    SELECT image_id, '{kind}', id, run, 0, 'queued', CAST(:at AS timestamptz) FROM moved)
  SELECT m.id, m.run, m.image_id, o.order_number FROM moved m JOIN images i ON i.id = m.image_id
    JOIN line_items l ON l.id = i.line_item_id JOIN orders o ON o.id = l.order_id"""

_QUEUE: dict[StatusType, TextClause] = {
    "coloring": text(_QUEUED.format(table="coloring_versions", kind="coloring")),
    "svg": text(_QUEUED.format(table="svg_versions", kind="svg")),
}


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One message to insert; ``headers`` is a JSON object, ``job`` the version's job that it queues."""

    subject: str
    payload: bytes
    headers: str
    job: VersionJob | None


async def insert(connection: AsyncConnection, entries: Sequence[OutboxEntry]) -> None:
    """Insert messages in their order, each with a message id of its own."""
    await connection.execute(
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
    await connection.execute(_NOTIFY)


async def oldest_age(connection: AsyncConnection) -> float | None:
    """Seconds since the oldest message that is not refused was written; ``None`` if there is none."""
    age: float | None = (await connection.execute(_OLDEST_AGE)).scalar()
    return age


async def oldest(connection: AsyncConnection, batch: int) -> Sequence[Row]:  # type: ignore[type-arg]
    """The oldest ``batch`` messages, with ``age`` (seconds), ``read_at`` and whether each ``is_due``."""
    return (await connection.execute(_OLDEST, {"batch": batch})).all()


async def delete(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """Delete messages that are published."""
    await connection.execute(_DELETE, {"ids": ids})


async def refuse(connection: AsyncConnection, msg_id: str, reason: str) -> None:
    """Set a message aside: it is not published until a person clears ``refused``."""
    await connection.execute(_REFUSE, {"msg_id": msg_id, "reason": reason})


async def queue_versions(
    connection: AsyncConnection,
    kind: StatusType,
    jobs: Sequence[Row],  # type: ignore[type-arg]
) -> Sequence[Row]:  # type: ignore[type-arg]
    """Move the versions of the published ``jobs`` to ``queued``; returns those that were ``pending``."""
    values = {
        "ids": [j.queues_version_id for j in jobs],
        "runs": [j.queues_run for j in jobs],
        "at": jobs[0].read_at,
    }
    return (await connection.execute(_QUEUE[kind], values)).all()
