"""Gauges for Prometheus, collected periodically.

Every replica of the worker reports the same values, so alerts use the maximum. While a source (broker,
database, storage) is unavailable, its gauges keep their values; ``COLLECTED`` is their timestamp.
"""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass

import structlog
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import now
from pastelka_common.contracts.statuses import StatusType
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.messaging.stored_messages import StreamNotFoundError, get_stream_state
from pastelka_common.messaging.topology import (
    COLORING_CONSUMER,
    DEAD,
    EVENTS_CONSUMER,
    FACTS_CONSUMER,
    VECTORIZE_CONSUMER,
    ConsumerSpec,
)
from pastelka_common.process import wait_at_most
from pastelka_common.storage import Storage
from pastelka_orders.consumer_stats import consumer_stats
from pastelka_orders.database import Database, DatabaseUnavailableError
from pastelka_orders.repository import book_versions, claims, downloads, erasures, shop_jobs, system

QUEUE = Gauge("pastelka_queue_messages", "Messages of a consumer", ["consumer", "state"])
QUEUE_AGE = Gauge(
    "pastelka_queue_oldest_seconds",
    "Age of the oldest message that a consumer has not finished",
    ["consumer"],
)
QUEUE_PAUSED = Gauge(
    "pastelka_queue_paused", "1 if a consumer of jobs is paused, else 0", ["consumer", "kind"]
)
OUTBOX = Gauge("pastelka_outbox_messages", "Messages that are committed but not published")
OUTBOX_AGE = Gauge("pastelka_outbox_oldest_seconds", "Age of the oldest message in the outbox")
OUTBOX_REFUSED = Gauge("pastelka_outbox_refused_messages", "Messages that the broker permanently refuses")
IN_PROGRESS = Gauge("pastelka_versions_in_progress", "Versions that have not ended", ["kind"])
DEAD_LETTERS = Gauge("pastelka_dead_letters", "Abandoned jobs that wait for an operator")
DEAD_LETTERS_AGE = Gauge("pastelka_dead_letters_oldest_seconds", "Age of the oldest dead letter")
STORAGE_FREE = Gauge("pastelka_storage_free_bytes", "Free space of the storage")
STORAGE_SIZE = Gauge("pastelka_storage_size_bytes", "Size of the storage's file system")
STORAGE_UP = Gauge("pastelka_storage_up", "1 if the storage responds, else 0")
COLLECTED = Gauge(
    "pastelka_metrics_collected_timestamp_seconds", "When a source was last queried", ["source"]
)

_CONSUMERS = (COLORING_CONSUMER, VECTORIZE_CONSUMER, FACTS_CONSUMER, EVENTS_CONSUMER)
_KINDS: dict[str, StatusType] = {COLORING_CONSUMER.name: "coloring", VECTORIZE_CONSUMER.name: "svg"}
ROW_JOBS = {
    "download": downloads.TABLE,
    "shop": shop_jobs.TABLE,
    "erase": erasures.TABLE,
    "book": book_versions.TABLE,
}

log = structlog.get_logger(__name__)


@dataclass
class MetricsCollector:
    """Updates the gauges every ``interval`` seconds."""

    database: Database
    nc: Client
    storage: Storage
    interval: float = 5.0

    async def run(self, stop: asyncio.Event) -> None:
        """Collect until ``stop`` is set; failures are retried."""
        while not stop.is_set():
            await self.collect()
            await wait_at_most(stop, self.interval)

    async def collect(self) -> None:
        """Set all gauges whose source is available. Does not raise otherwise."""
        await asyncio.gather(
            _collect_source("broker", self._collect_broker()),
            _collect_source("database", self.database.read(_collect_database)),
            _collect_source("storage", self._collect_storage()),
        )

    async def _collect_broker(self) -> None:
        async with asyncio.timeout(self.interval):
            await asyncio.gather(_dead_letters(self.nc), *(_queue(self.nc, spec) for spec in _CONSUMERS))

    async def _collect_storage(self) -> None:
        try:
            async with asyncio.timeout(self.interval):
                await self.storage.ping()
        except OSError:
            STORAGE_UP.set(0)
            raise
        STORAGE_UP.set(1)
        space = await self.storage.capacity()
        if space is not None:
            free, size = space
            STORAGE_FREE.set(free)
            STORAGE_SIZE.set(size)


async def _collect_source(source: str, collection: Awaitable[None]) -> None:
    try:
        await collection
    except (DatabaseUnavailableError, SQLAlchemyError, *BROKER_ERRORS) as error:
        log.warning("metrics collection failed", source=source, error=type(error).__name__)
    else:
        COLLECTED.labels(source).set(time.time())


async def _collect_database(connection: AsyncConnection) -> None:
    outbox = await system.outbox(connection)
    OUTBOX_REFUSED.set(outbox.refused)
    OUTBOX.set(outbox.messages)
    OUTBOX_AGE.set(outbox.oldest_seconds or 0.0)
    for name, table in ROW_JOBS.items():
        jobs = await claims.stats(connection, table)
        QUEUE.labels(name, "waiting").set(jobs.waiting)
        QUEUE.labels(name, "in_progress").set(jobs.in_progress)
        QUEUE_AGE.labels(name).set(jobs.overdue)
    for kind, number in (await system.active_versions(connection)).items():
        IN_PROGRESS.labels(kind).set(number)


async def _dead_letters(nc: Client) -> None:
    try:
        state = await get_stream_state(nc, DEAD)
    except StreamNotFoundError:  # not created yet
        DEAD_LETTERS.set(0)
        DEAD_LETTERS_AGE.set(0.0)
        return
    DEAD_LETTERS.set(state.messages)
    age = (now() - state.first_time).total_seconds() if state.messages else 0.0
    DEAD_LETTERS_AGE.set(max(0.0, age))


async def _queue(nc: Client, spec: ConsumerSpec) -> None:
    found = await consumer_stats(nc, spec)
    is_empty = not (found.waiting or found.in_progress)
    QUEUE.labels(spec.name, "waiting").set(found.waiting)
    QUEUE.labels(spec.name, "in_progress").set(found.in_progress)
    if spec.name in _KINDS:
        QUEUE_PAUSED.labels(spec.name, _KINDS[spec.name]).set(found.is_paused)
    QUEUE_AGE.labels(spec.name).set(0.0 if is_empty else await _oldest(nc, spec, found.finished + 1))


async def _oldest(nc: Client, spec: ConsumerSpec, first: int) -> float:
    """Age in seconds of the oldest message from sequence ``first`` on."""
    names = names_of(nc)
    try:
        found = await nc.jetstream().get_msg(
            names.stream(spec.stream), first, names.subject(spec.filter_subject), next=True
        )
    except NotFoundError:  # finished meanwhile
        return 0.0
    return max(0.0, (now() - found.time).total_seconds()) if found.time else 0.0
