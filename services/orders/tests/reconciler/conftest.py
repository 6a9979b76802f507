"""A nats-server of one's own beside the database, with the relay at work and a reconciler to call."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.topology import (
    EVENTS_CONSUMER,
    FACTS_CONSUMER,
    ensure_consumer,
    ensure_streams,
)
from pastelka_common.servers import ServerProcess
from pastelka_common.storage import Storage
from pastelka_common.testing.waiting import until
from pastelka_orders.database import Database
from pastelka_orders.outbox import Relay
from pastelka_orders.reconciler import ReconcilePass, Reconciler


@pytest_asyncio.fixture(loop_scope="session")
async def nc(broker: ServerProcess) -> AsyncIterator[Client]:
    """A connection to it, with everything declared."""
    connection = await nats.connect(broker.url, max_reconnect_attempts=-1, reconnect_time_wait=0.05)
    await ensure_streams(connection)
    for spec in (FACTS_CONSUMER, EVENTS_CONSUMER):
        await ensure_consumer(connection, spec)
    yield connection
    await connection.close()


class Broken:
    """The system whose broker is about to lose something."""

    def __init__(
        self, database: Database, nc: Client, sql: asyncpg.Connection, storage: Storage, relay: Relay
    ) -> None:
        self.nc = nc
        self.js = nc.jetstream()
        self.sql = sql
        self.relay = relay
        self._database = database
        self.storage = storage

    def reconciler(self, *, grace: float = 0.0, files: int = 0, storage: Storage | None = None) -> Reconciler:
        """One that takes every row for old, and looks for no files unless told how many."""
        return Reconciler(
            self._database,
            self.nc,
            storage or self.storage,
            interval=60,
            grace=grace,
            files=files,
            on_repaired=self.relay.wake,
        )

    async def run_once(
        self, *, grace: float = 0.0, dry_run: bool = False, files: int = 0, storage: Storage | None = None
    ) -> list[tuple[str, str]]:
        """One pass; returns what it repaired, as kinds and reasons, once that is published."""
        found = await self.reconciler(grace=grace, files=files, storage=storage).run_once(dry_run=dry_run)
        assert isinstance(found, ReconcilePass)
        if not dry_run:
            await self.published()
        return [(one.kind, one.reason) for one in found.repaired]

    async def published(self) -> None:
        """Wait until nothing is left in the outbox."""
        self.relay.wake()

        async def empty() -> bool:
            return await self.sql.fetchval("SELECT count(*) FROM outbox") == 0

        await until(empty, 30)

    async def job(self, subject: str) -> dict[str, Any] | None:
        """The last job on a subject."""
        try:
            return json.loads((await self.js.get_last_msg("JOBS", subject)).data or b"")
        except NotFoundError:
            return None

    async def jobs(self) -> int:
        """How many messages ``JOBS`` holds."""
        return (await self.js.stream_info("JOBS")).state.messages

    async def lose_jobs(self) -> None:
        """Purge ``JOBS``, by hand as it were."""
        await self.js.purge_stream("JOBS")

    async def fact(self, received: Any) -> None:
        """Store a fact in ``STATUS``, as a worker does."""
        await self.js.publish(received.fact.subject, received.fact.model_dump_json().encode())

    async def ack_facts(self) -> None:
        """Acknowledge all facts without applying them."""
        subscription = await self.js.pull_subscribe_bind(FACTS_CONSUMER.name, "STATUS")
        for msg in await subscription.fetch(100, timeout=5):
            await msg.ack_sync(timeout=10)
        await subscription.unsubscribe()


@pytest_asyncio.fixture(loop_scope="session")
async def broken(api: Any, database: Database, nc: Client, sql: asyncpg.Connection) -> AsyncIterator[Broken]:
    """The relay at work, and what a test needs to break and repair."""
    relay, stop = Relay(database, Publisher(nc, timeout=1)), asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    yield Broken(database, nc, sql, api.stored, relay)
    stop.set()
    relay.wake()
    await asyncio.wait_for(task, 20)


@pytest.fixture
def coloring(api: Any, broken: Broken) -> Callable[..., Awaitable[int]]:
    """``await coloring()`` asks for a coloring of an order of its own and returns it ``queued``."""

    async def ask() -> int:
        order = await api.order()
        image_id = order["line_items"][0]["images"][0]["id"]
        version = await api.post(f"/images/{image_id}/generate-coloring")
        await broken.published()
        return int(version["id"])

    return ask
