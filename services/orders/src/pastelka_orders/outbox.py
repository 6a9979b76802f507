"""Messages written in the transaction that causes them, and the relay that publishes them.

No handler publishes next to a commit: it calls :meth:`Outbox.add`, so message and change are committed
together. The relay publishes in row order without an open transaction; after a crash between publish and
delete it publishes again under the same ``Nats-Msg-Id``.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Message, VersionJob, VersionStatusChanged
from pastelka_common.contracts.statuses import STATUS_ENUMS
from pastelka_common.messaging.publish import (
    MSG_ID,
    Outgoing,
    Publisher,
    PublishError,
    PublishRefusedError,
)
from pastelka_common.process import wait_at_most
from pastelka_common.telemetry import TraceHeaders, batch_span, current_headers
from pastelka_orders.database import Database, is_transient
from pastelka_orders.leases import DatabaseLease, released
from pastelka_orders.repository import outbox as outbox_rows

_BATCH = 500
RELAY_LEASE = "outbox"  # one relay at a time preserves the order
_RETRY_DELAY = 0.5
_POLL_INTERVAL = 1.0
_LEASE_FRACTION = 0.75  # share of the lease used for publishing; the rest is a margin for clocks and sockets
_WAIT_SECONDS = 5.0

log = structlog.get_logger(__name__)

RELAYED = Counter("pastelka_outbox_relayed_total", "Outbox messages published")
REFUSED = Counter("pastelka_outbox_refused_total", "Outbox messages that the broker permanently refuses")
LAG = Histogram(
    "pastelka_outbox_lag_seconds",
    "From commit of the oldest message of a batch to its publication",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30),
)
WAITING = Gauge(
    "pastelka_outbox_lease_wait_seconds",
    "Time that messages have waited while another worker holds the relay's lease",
)


@dataclass(slots=True)
class Outbox:
    """Collects the messages of one transaction; :meth:`flush` writes them in one statement."""

    _entries: list[outbox_rows.OutboxEntry] = field(default_factory=list)

    def add(
        self, message: Message, *, headers: dict[str, str] | None = None, is_republished: bool = False
    ) -> None:
        """Publish ``message`` if this transaction commits.

        ``headers`` carry its trace context, by default the current one. A job republished within its run
        (``is_republished``) does not set its version to ``queued``.
        """
        payload = message.model_dump_json(exclude_none=True).encode()
        traced = json.dumps(headers if headers is not None else current_headers())
        job = message if isinstance(message, VersionJob) and not is_republished else None
        self._entries.append(outbox_rows.OutboxEntry(message.subject, payload, traced, job))

    def add_raw(self, subject: str, payload: bytes) -> None:
        """Publish bytes on a subject, for key-value buckets."""
        self._entries.append(outbox_rows.OutboxEntry(subject, payload, json.dumps(current_headers()), None))

    @classmethod
    async def publish(cls, connection: AsyncConnection, *messages: Message) -> None:
        """Publish ``messages`` if this transaction commits."""
        outbox = cls()
        for message in messages:
            outbox.add(message)
        await outbox.flush(connection)

    async def flush(self, connection: AsyncConnection, *, notify: bool = True) -> None:
        """Insert the added messages; with ``notify``, wake the relay of another process on commit."""
        if not self._entries:
            return
        entries, self._entries = self._entries, []
        await outbox_rows.insert(connection, entries)
        if notify:
            await outbox_rows.notify(connection)


class Relay:
    """Publishes the outbox, oldest first; :meth:`wake` triggers it.

    A batch is read in one transaction, published without one, and deleted in another. Only the relay that
    holds the lease publishes.
    """

    def __init__(
        self, database: Database, publisher: Publisher, *, lease: DatabaseLease | None = None
    ) -> None:
        self.lease = lease or DatabaseLease(RELAY_LEASE)
        self._database = database
        self._publisher = publisher
        self._publish_until = 0.0
        self._waiting = _LeaseWait()
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Check the outbox immediately."""
        self._awake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until ``stop`` is set. Failures (no database, no broker) are retried."""
        while not stop.is_set():
            # A notification may have been lost with its connection.
            await wait_at_most(self._awake, _POLL_INTERVAL)
            self._awake.clear()
            await self._relay_all(stop)
        await released(self._database, self.lease)

    async def _relay_all(self, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set() and await self._relay_or_mark_refused():
                pass
        except PublishError as error:
            log.warning("relay deferred, broker unavailable", error=str(error))
            await self._pause(stop)
        except Exception as error:
            if is_transient(error):
                log.warning("relay deferred, database unavailable", error=str(error))
            else:
                log.exception("relay failed")
            await self._pause(stop)

    async def _relay_or_mark_refused(self) -> bool:
        try:
            return await self.relay_batch()
        except PublishRefusedError as error:
            await self._mark_refused(error)
            return True

    async def _mark_refused(self, error: PublishRefusedError) -> None:
        """Mark a message that can never be published, so that it does not block others.

        An operator decides (command ``refused-messages``).
        """
        msg_id = error.refused.headers[MSG_ID]
        await self._database.write(lambda c: outbox_rows.refuse(c, msg_id, error.reason))
        REFUSED.inc()
        log.error("message refused", subject=error.refused.subject, message_id=msg_id, reason=error.reason)

    async def _pause(self, stop: asyncio.Event) -> None:
        self._awake.set()
        await wait_at_most(stop, _RETRY_DELAY)

    async def relay_batch(self) -> bool:
        """Publish one batch and delete it; returns whether more is left.

        After a crash in between it is published again under the same ids. Raises :class:`PublishError`.
        """
        age = await self._database.read(outbox_rows.oldest_age)
        if age is None:
            self._waiting.end()
            return False
        rows = await self._claim()
        if rows is None:
            self._waiting.note(age)
            return False
        self._waiting.end()
        if rows:
            await self._publish([row for row in rows if row.is_due])
        more = await self._database.write(lambda c: self._finish(c, rows))
        RELAYED.inc(len(rows))
        LAG.observe(max((row.age for row in rows), default=0.0))
        return more

    async def _claim(self) -> Sequence[Row] | None:  # type: ignore[type-arg]
        """The oldest messages, exclusive during the lease; ``None``: lease not held."""
        end = asyncio.get_running_loop().time() + _LEASE_FRACTION * self.lease.seconds

        async def claim(connection: AsyncConnection) -> Sequence[Row] | None:  # type: ignore[type-arg]
            if not await self.lease.acquire(connection):
                return None
            return await outbox_rows.oldest(connection, _BATCH)

        rows = await self._database.write(claim)
        self._publish_until = end
        return rows

    async def _publish(self, rows: Sequence[Row]) -> None:  # type: ignore[type-arg]
        """Publish until shortly before the lease expires; unacknowledged messages are not deleted."""
        with batch_span("publish outbox", SpanKind.PRODUCER, rows, _traced) as headers:
            messages = [_outgoing(*pair) for pair in zip(rows, headers, strict=True)]
            try:
                async with asyncio.timeout_at(self._publish_until):
                    await self._publisher.send_all(messages)
            except TimeoutError as error:
                raise PublishError(f"{len(rows)} messages were not acknowledged in time") from error

    async def _finish(self, connection: AsyncConnection, rows: Sequence[Row]) -> bool:  # type: ignore[type-arg]
        """Delete published messages, and set their versions to ``queued`` unless a fact already did.

        Does nothing if another relay has the lease: it publishes and deletes them again.
        """
        if not await self.lease.lock(connection):
            log.warning("relay lost its lease", rows=len(rows))
            return True
        await outbox_rows.delete(connection, [row.id for row in rows])
        queued = await self._queue(connection, [row for row in rows if row.is_due])
        return len(rows) == _BATCH or bool(queued)

    async def _queue(self, connection: AsyncConnection, rows: Sequence[Row]) -> set[tuple[str, int, int]]:  # type: ignore[type-arg]
        """Set the versions whose jobs are in this batch to ``queued``; returns those that changed."""
        moved: set[tuple[str, int, int]] = set()
        outbox = Outbox()
        for kind in STATUS_ENUMS:
            jobs = [row for row in rows if row.queues_kind == kind]
            if not jobs:
                continue
            traces = {(job.queues_version_id, job.queues_run): dict(job.headers) for job in jobs}
            for version in await outbox_rows.queue_versions(connection, kind, jobs):
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


class _LeaseWait:
    """Reports that messages wait because another relay holds the lease."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._logged_at = 0.0

    def note(self, age: float) -> None:
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        WAITING.set(now - self._since)
        if age >= _WAIT_SECONDS and now - self._logged_at >= _WAIT_SECONDS:
            self._logged_at = now
            log.warning("relay waiting for lease", lease=RELAY_LEASE, oldest_seconds=round(age, 1))

    def end(self) -> None:
        self._since = None
        WAITING.set(0.0)


def _traced(row: Row) -> TraceHeaders:  # type: ignore[type-arg]
    kind = ".".join(row.subject.split(".")[:2])
    attributes = {
        "messaging.system": "nats",
        "messaging.operation.type": "send",
        "messaging.destination.name": row.subject,
        "messaging.message.id": row.msg_id,
        "pastelka.outbox_seconds": row.age,
    }
    return TraceHeaders(f"publish {kind}", attributes)


def _outgoing(row: Row, trace: Mapping[str, str]) -> Outgoing:  # type: ignore[type-arg]
    return Outgoing(row.subject, row.payload, {**row.headers, **trace, MSG_ID: row.msg_id})
