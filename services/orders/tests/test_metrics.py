"""The gauges, over a real nats-server and a real PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from prometheus_client import REGISTRY

from pastelka_common.contracts.messages import DeadLetter, Failure, now
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.topology import COLORING_CONSUMER, ensure_consumer, ensure_streams
from pastelka_common.servers import ServerProcess
from pastelka_common.storage import FolderStorage
from pastelka_common.testing.places import Place, storage_of
from pastelka_orders.database import Database
from pastelka_orders.metrics import MetricsCollector
from pastelka_orders.outbox import Relay


@pytest_asyncio.fixture(loop_scope="session")
async def nc(broker: ServerProcess) -> AsyncIterator[Client]:
    """A connection to it."""
    connection = await nats.connect(broker.url)
    yield connection
    await connection.close()


@pytest.fixture
def gauges(database: Database, nc: Client, tmp_path: Path) -> MetricsCollector:
    """Looks only when told."""
    return MetricsCollector(database, nc, FolderStorage(tmp_path))


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_work_is_counted_from_the_request_on(
    api: Any, gauges: MetricsCollector, database: Database, nc: Client
) -> None:
    await ensure_streams(nc)
    await ensure_consumer(nc, COLORING_CONSUMER)
    await api.order(2, process="coloring")
    await gauges.collect()
    waiting = value("pastelka_outbox_messages")
    assert waiting is not None
    assert waiting >= 3
    assert (value("pastelka_outbox_oldest_seconds") or 0) > 0
    assert value("pastelka_versions_in_progress", kind="coloring") == 2
    assert value("pastelka_versions_in_progress", kind="svg") == 0

    stop = asyncio.Event()
    relaying = asyncio.create_task(Relay(database, Publisher(nc)).run(stop))
    async with asyncio.timeout(30):
        while value("pastelka_outbox_messages") != 0:
            await gauges.collect()
    stop.set()
    await relaying
    assert value("pastelka_outbox_oldest_seconds") == 0
    assert value("pastelka_queue_messages", consumer="coloring", state="waiting") == 2
    assert (value("pastelka_queue_oldest_seconds", consumer="coloring") or 0) > 0

    subscription = await nc.jetstream().pull_subscribe_bind("coloring", "JOBS")
    first, second = await subscription.fetch(2, timeout=10)
    await gauges.collect()
    assert value("pastelka_queue_messages", consumer="coloring", state="in_progress") == 2
    await second.ack_sync(timeout=10)
    await gauges.collect()
    assert value("pastelka_queue_messages", consumer="coloring", state="in_progress") == 1
    assert (value("pastelka_queue_oldest_seconds", consumer="coloring") or 0) > 0
    await first.ack_sync(timeout=10)
    await gauges.collect()
    assert value("pastelka_queue_oldest_seconds", consumer="coloring") == 0


async def test_dead_letters_and_disk_space_are_measured(
    gauges: MetricsCollector, nc: Client, tmp_path: Path
) -> None:
    await gauges.collect()
    assert value("pastelka_dead_letters") == 0
    assert value("pastelka_dead_letters_oldest_seconds") == 0
    await ensure_streams(nc)
    letter = DeadLetter(
        original_subject="jobs.coloring.1",
        original_payload="{}",
        failure=Failure(code="x", message="y"),
        attempt=1,
        at=now(),
    )
    await Publisher(nc).publish(letter, msg_id="dead.1")
    await gauges.collect()
    assert value("pastelka_dead_letters") == 1
    first = value("pastelka_dead_letters_oldest_seconds")
    await gauges.collect()
    assert 0 < (first or 0) < (value("pastelka_dead_letters_oldest_seconds") or 0)
    newer = letter.model_copy(update={"original_subject": "jobs.coloring.1"})
    await Publisher(nc).publish(newer, msg_id="dead.2")
    await gauges.collect()
    assert value("pastelka_dead_letters") == 1  # a newer failure takes the letter's place
    free, size = value("pastelka_storage_free_bytes"), value("pastelka_storage_size_bytes")
    assert free is not None
    assert size is not None
    assert 0 < free <= size


async def test_an_unavailable_storage_is_reported_as_down(
    database: Database, nc: Client, place: Place
) -> None:
    gauges = MetricsCollector(database, nc, storage_of(place))
    await gauges.collect()
    asked = value("pastelka_metrics_collected_timestamp_seconds", source="storage")
    assert value("pastelka_storage_up") == 1
    await place.leave()
    started = time.monotonic()
    await gauges.collect()
    assert time.monotonic() - started < gauges.interval + 2
    assert value("pastelka_storage_up") == 0
    assert value("pastelka_metrics_collected_timestamp_seconds", source="storage") == asked
    await place.come_back()
    await gauges.collect()
    assert value("pastelka_storage_up") == 1


async def test_an_unavailable_source_keeps_its_collection_timestamp(
    gauges: MetricsCollector, sql: asyncpg.Connection, nc: Client
) -> None:
    assert await sql.fetchval("SELECT count(*) FROM orders") == 0
    await gauges.collect()
    broker = value("pastelka_metrics_collected_timestamp_seconds", source="broker")
    database = value("pastelka_metrics_collected_timestamp_seconds", source="database")
    await nc.close()
    await gauges.collect()
    assert value("pastelka_metrics_collected_timestamp_seconds", source="broker") == broker
    later = value("pastelka_metrics_collected_timestamp_seconds", source="database")
    assert later is not None
    assert database is not None
    assert later > database
