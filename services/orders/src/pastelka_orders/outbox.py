"""Messages written in the transaction that causes them, and the relay that publishes them.

There is no publish next to a commit: a handler calls :meth:`Outbox.add`, and the message exists
exactly if the transaction does. The relay publishes in the order of the rows; a crash between
publishing and deleting publishes again under the same ``Nats-Msg-Id``.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram
from sqlalchemy import ARRAY, Integer, LargeBinary, Row, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Message, VersionJob, VersionStatusChanged
from pastelka_common.contracts.statuses import StatusType
from pastelka_common.messaging.publish import MSG_ID, Outgoing, Publisher, PublishError
from pastelka_common.telemetry import Traced, batch_span, current_headers
from pastelka_orders.database import Database

CHANNEL = "pastelka_outbox"
"""PostgreSQL notification channel: something was committed to the outbox."""

_BATCH = 500
_LOCK = 7_240_001  # the relay's advisory lock: one relay at a time keeps the order
_PAUSE_AFTER_FAILURE = 0.5
_LOOK_ANYWAY = 1.0

log = structlog.get_logger(__name__)

RELAYED = Counter("pastelka_outbox_relayed_total", "Outbox messages published")
LAG = Histogram(
    "pastelka_outbox_lag_seconds",
    "From commit of the oldest message of a batch to its publication",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30),
)

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
_ONLY_ONE = text("SELECT pg_advisory_xact_lock(:lock)")
# Deleted before they are published, in the transaction that commits when they are.
_TAKE_OLDEST = text(
    """DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT :batch)
    RETURNING id, subject, msg_id, payload, headers, queues_kind, queues_version_id, queues_run,
    EXTRACT(EPOCH FROM clock_timestamp() - created_at)::float8 AS age"""
)

_QUEUED = """WITH moved AS (
    UPDATE {table} v SET status = 'queued', updated_at = clock_timestamp()
    FROM unnest(CAST(:ids AS integer[]), CAST(:runs AS integer[])) AS j(id, run)
    WHERE v.id = j.id AND v.run = j.run AND v.status = 'pending' RETURNING v.id, v.image_id, v.run),
  noted AS (
    INSERT INTO status_changes (image_id, kind, version_id, run, attempt, status, at)
    SELECT image_id, '{kind}', id, run, 0, 'queued', clock_timestamp() FROM moved)
  SELECT m.id, m.run, m.image_id, o.order_number FROM moved m JOIN images i ON i.id = m.image_id
    JOIN line_items l ON l.id = i.line_item_id JOIN orders o ON o.id = l.order_id"""

_QUEUE: dict[StatusType, object] = {
    "coloring": text(_QUEUED.format(table="coloring_versions", kind="coloring")),
    "svg": text(_QUEUED.format(table="svg_versions", kind="svg")),
}


@dataclass(frozen=True, slots=True)
class _Entry:
    subject: str
    payload: bytes
    headers: str
    job: VersionJob | None


@dataclass(slots=True)
class Outbox:
    """Collects the messages of one transaction; :meth:`flush` writes them in one statement."""

    _entries: list[_Entry] = field(default_factory=list)

    def add(self, message: Message, *, headers: dict[str, str] | None = None, again: bool = False) -> None:
        """Publish ``message`` if this transaction commits.

        ``headers`` carry the trace it belongs to; without them it is the current one. A job that is
        published ``again`` in the middle of its run queues nothing: it goes out as it is.
        """
        payload = message.model_dump_json(exclude_none=True).encode()
        traced = json.dumps(headers if headers is not None else current_headers())
        job = message if isinstance(message, VersionJob) and not again else None
        self._entries.append(_Entry(message.subject, payload, traced, job))

    def add_raw(self, subject: str, payload: bytes) -> None:
        """Publish bytes on a subject, for what is no message of ours (a key-value bucket)."""
        self._entries.append(_Entry(subject, payload, json.dumps(current_headers()), None))

    async def flush(self, connection: AsyncConnection, *, notify: bool = True) -> None:
        """Write what was added; with ``notify``, wake the relay in another process when this commits."""
        if not self._entries:
            return
        entries, self._entries = self._entries, []
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
        if notify:
            await connection.execute(_NOTIFY)


class Relay:
    """Publishes what is in the outbox, oldest first; :meth:`wake` says that there is something."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._database = database
        self._publisher = publisher
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look at the outbox at once."""
        self._awake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until ``stop`` is set. What fails (no database, no broker) is tried again."""
        while not stop.is_set():
            try:
                async with asyncio.timeout(_LOOK_ANYWAY):
                    await self._awake.wait()
            except TimeoutError:
                pass  # a notification may have been lost with its connection
            self._awake.clear()
            await self._relay_all(stop)

    async def _relay_all(self, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set() and await self._database.write(self._relay_batch):
                pass
        except PublishError as error:
            log.warning("relay waits for the broker", error=str(error))
            await self._pause(stop)
        except Exception:
            log.exception("relay failed")
            await self._pause(stop)

    async def _pause(self, stop: asyncio.Event) -> None:
        self._awake.set()
        try:
            async with asyncio.timeout(_PAUSE_AFTER_FAILURE):
                await stop.wait()
        except TimeoutError:
            pass

    async def _relay_batch(self, connection: AsyncConnection) -> bool:
        """Publish and delete one batch; returns whether there is more to relay.

        A version becomes ``queued`` before its job is published, in the same transaction: its row
        stays locked until the acknowledgement is committed, so that no worker's fact, however
        fast, is applied before ``queued`` is.
        """
        await connection.execute(_ONLY_ONE, {"lock": _LOCK})
        taken = (await connection.execute(_TAKE_OLDEST, {"batch": _BATCH})).all()
        if not taken:
            return False
        rows = sorted(taken, key=lambda row: row.id)
        queued = await self._queue(connection, rows)
        due = [row for row in rows if _is_due(row, queued)]
        with batch_span("publish outbox", SpanKind.PRODUCER, due, _traced) as headers:
            await self._publisher.send_all([_outgoing(*pair) for pair in zip(due, headers, strict=True)])
        RELAYED.inc(len(rows))
        LAG.observe(max(row.age for row in rows))
        return len(rows) == _BATCH or bool(queued)

    async def _queue(self, connection: AsyncConnection, rows: Sequence[Row]) -> set[tuple[str, int, int]]:  # type: ignore[type-arg]
        """Move the versions whose jobs are in this batch to ``queued``; returns those that moved."""
        moved: set[tuple[str, int, int]] = set()
        outbox = Outbox()
        for kind, statement in _QUEUE.items():
            jobs = [row for row in rows if row.queues_kind == kind]
            if not jobs:
                continue
            traces = {(job.queues_version_id, job.queues_run): dict(job.headers) for job in jobs}
            values = {"ids": [j.queues_version_id for j in jobs], "runs": [j.queues_run for j in jobs]}
            for version in (await connection.execute(statement, values)).all():  # type: ignore[call-overload]
                moved.add((kind, version.id, version.run))
                event = VersionStatusChanged(
                    order_number=version.order_number,
                    image_id=version.image_id,
                    status_type=kind,
                    version_id=version.id,
                    previous="pending",
                    status="queued",
                )
                outbox.add(event, headers=traces[version.id, version.run])
        await outbox.flush(connection, notify=False)
        return moved


def _is_due(row: Row, queued: set[tuple[str, int, int]]) -> bool:  # type: ignore[type-arg]
    """Whether to publish: a job whose version is no longer waiting for it (cancelled) is dropped."""
    return row.queues_kind is None or (row.queues_kind, row.queues_version_id, row.queues_run) in queued


def _traced(row: Row) -> Traced:  # type: ignore[type-arg]
    kind = ".".join(row.subject.split(".")[:2])
    attributes = {
        "messaging.system": "nats",
        "messaging.operation.type": "send",
        "messaging.destination.name": row.subject,
        "messaging.message.id": row.msg_id,
        "pastelka.outbox_seconds": row.age,
    }
    return Traced(f"publish {kind}", attributes)


def _outgoing(row: Row, trace: Mapping[str, str]) -> Outgoing:  # type: ignore[type-arg]
    return Outgoing(row.subject, row.payload, {**row.headers, **trace, MSG_ID: row.msg_id})
