"""The outbox and its relay on real PostgreSQL and JetStream."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import nats
import pytest
import pytest_asyncio
import structlog
import structlog.testing
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import RawStreamMsg

from pastelka_common.messaging.publish import Outgoing, Publisher, PublishError
from pastelka_common.messaging.topology import ensure_streams
from pastelka_common.servers import NatsServer, ServerProcess, running
from pastelka_common.testing.waiting import until
from pastelka_orders.database import Database
from pastelka_orders.database_errors import DatabaseUnavailableError
from pastelka_orders.leases import DatabaseLease
from pastelka_orders.outbox import RELAY_LEASE, WAITING, Outbox, Relay
from pastelka_orders.pg_notify import listen
from pastelka_orders.repository import outbox as outbox_rows
from pastelka_orders.repository.outbox import CHANNEL


@pytest_asyncio.fixture(loop_scope="session")
async def broker(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A nats-server of this test's own, with the streams."""
    async with running(NatsServer(folder=tmp_path / "nats", sync_always=False)) as server:
        nc = await nats.connect(server.url)
        await ensure_streams(nc)
        await nc.close()
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def nc(broker: ServerProcess) -> AsyncIterator[Client]:
    """A connection to it."""
    connection = await nats.connect(broker.url, max_reconnect_attempts=-1, reconnect_time_wait=0.05)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def relay(database: Database, nc: Client, orders_url: str) -> AsyncIterator[Relay]:
    """The relay at work, woken by PostgreSQL's notifications."""
    relay = Relay(database, Publisher(nc, timeout=1))
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(relay.run(stop)),
        asyncio.create_task(listen(orders_url, {CHANNEL: relay.wake}, stop)),
    ]
    yield relay
    stop.set()
    relay.wake()
    await asyncio.gather(*tasks)


async def published(nc: Client, subject: str, count: int) -> list[Msg]:
    """The first ``count`` messages JetStream holds on a subject of ``EVENTS``."""
    subscription = await nc.jetstream().subscribe(subject, ordered_consumer=True)
    try:
        return [await subscription.next_msg(timeout=20) for _ in range(count)]
    finally:
        await subscription.unsubscribe()


async def jobs(nc: Client, count: int) -> list[RawStreamMsg]:
    """The first ``count`` messages of ``JOBS``, read without taking them."""
    js = nc.jetstream()
    async with asyncio.timeout(20):
        while (await js.stream_info("JOBS")).state.messages < count:  # noqa: ASYNC110 - a server's state
            await asyncio.sleep(0.02)
    return [await js.get_msg("JOBS", seq) for seq in range(1, count + 1)]


async def left(sql: asyncpg.Connection) -> int:
    return int(await sql.fetchval("SELECT count(*) FROM outbox"))


async def until_empty(sql: asyncpg.Connection) -> None:
    async with asyncio.timeout(20):
        while await left(sql):  # noqa: ASYNC110 - another connection's commit has no event here
            await asyncio.sleep(0.02)


async def test_a_request_publishes_a_job_and_marks_the_version_queued(
    api: Any, relay: Relay, nc: Client, sql: asyncpg.Connection
) -> None:
    await api.order()
    version = await api.post("/images/1/generate-coloring")
    (job,) = await jobs(nc, 1)
    assert json.loads(job.data or b"")["version_id"] == version["id"]
    assert job.headers is not None
    assert job.headers["Nats-Msg-Id"]
    assert job.headers["traceparent"].startswith("00-")
    created, queued = await published(nc, "events.>", 2)
    assert created.subject == "events.order.M1000.order_created"
    event = json.loads(queued.data)
    assert (event["previous"], event["status"], event["image_id"]) == ("pending", "queued", 1)
    await until_empty(sql)
    assert (await api.get("/images/1/coloring-versions"))[0]["status"] == "queued"
    # One trace, from the click to the event.
    assert queued.headers is not None
    assert queued.headers["traceparent"].split("-")[1] == job.headers["traceparent"].split("-")[1]


async def test_a_rolled_back_message_is_not_published(
    api: Any, relay: Relay, database: Database, nc: Client, sql: asyncpg.Connection
) -> None:
    from pastelka_common.contracts.messages import OrderChanged  # noqa: PLC0415

    async def fails(connection: Any) -> None:
        outbox = Outbox()
        outbox.add(OrderChanged(order_number="ghost"))
        await outbox.flush(connection)
        raise RuntimeError("after the outbox")

    with pytest.raises(RuntimeError, match="after the outbox"):
        await database.write(fails)
    await api.order()
    (only,) = await published(nc, "events.>", 1)
    assert only.subject == "events.order.M1000.order_created"


async def test_messages_are_published_in_commit_order(
    api: Any, worker: Any, relay: Relay, nc: Client
) -> None:
    await api.order(3, process="coloring")
    ids = [v["id"] for n in (1, 2, 3) for v in await api.get(f"/images/{n}/coloring-versions")]
    for step, status in enumerate(worker.happy, start=1):
        for version_id in ids:
            await worker.tell(worker.fact("coloring", version_id, status, step=step))
        relay.wake()
    events = [json.loads(m.data) for m in await published(nc, "events.*.*.version_status_changed", 3 * 7)]
    for version_id in ids:
        seen = [event["status"] for event in events if event["version_id"] == version_id]
        assert seen == ["queued", *worker.happy]


class Forgetful(Publisher):
    """Publishes, and then the process dies before it can say so."""

    async def send_all(self, messages: list[Outgoing]) -> None:
        await super().send_all(messages)
        raise PublishError("died after publishing")


async def test_a_crash_between_publishing_and_deleting_publishes_nothing_twice(
    api: Any, database: Database, nc: Client, sql: asyncpg.Connection
) -> None:
    await api.order(2, process="coloring")
    stop = asyncio.Event()
    crashing = asyncio.create_task(Relay(database, Forgetful(nc)).run(stop))
    await jobs(nc, 2)
    stop.set()
    await crashing
    assert await left(sql) == 3
    assert await sql.fetchval("SELECT count(*) FROM coloring_versions WHERE status = 'pending'") == 2
    again = asyncio.Event()
    relay = Relay(database, Publisher(nc))
    running_again = asyncio.create_task(relay.run(again))
    relay.wake()
    await until_empty(sql)
    again.set()
    await running_again
    info = await nc.jetstream().stream_info("JOBS")
    assert info.state.messages == 2


async def test_a_job_cancelled_before_publication_is_never_published(
    api: Any, database: Database, nc: Client, sql: asyncpg.Connection
) -> None:
    await api.order()
    version = await api.post("/images/1/generate-coloring")
    await api.post(f"/coloring-versions/{version['id']}/cancel", status=200)
    stop = asyncio.Event()
    relay = Relay(database, Publisher(nc))
    task = asyncio.create_task(relay.run(stop))
    relay.wake()
    await until_empty(sql)
    stop.set()
    await task
    assert (await nc.jetstream().stream_info("JOBS")).state.messages == 0
    bucket = await nc.jetstream().key_value("CANCELS")
    assert (await bucket.get(f"coloring.{version['id']}.1")).value == b"cancelled"


async def test_messages_are_published_after_a_broker_outage(
    api: Any, relay: Relay, broker: ServerProcess, nc: Client, sql: asyncpg.Connection
) -> None:
    await api.order()
    await until_empty(sql)
    await broker.kill()
    version = await api.post("/images/1/generate-coloring")
    assert version["status"] == "pending"
    assert await left(sql) == 1
    await broker.start()
    await until_empty(sql)
    assert (await api.get("/images/1/coloring-versions"))[0]["status"] == "queued"


async def test_two_relays_publish_each_message_once(
    api: Any, database: Database, nc: Client, sql: Any
) -> None:
    await api.order(20, process="coloring")
    stop = asyncio.Event()
    relays = [Relay(database, Publisher(nc)) for _ in range(2)]
    tasks = [asyncio.create_task(relay.run(stop)) for relay in relays]
    for relay in relays:
        relay.wake()
    await until_empty(sql)
    stop.set()
    await asyncio.gather(*tasks)
    assert (await nc.jetstream().stream_info("JOBS")).state.messages == 20
    assert (await nc.jetstream().stream_info("EVENTS")).state.messages == 21


class Held(Publisher):
    """Publishes only once it may: a process that stands still, or a broker that is slow."""

    def __init__(self, nc: Client) -> None:
        super().__init__(nc)
        self.reached, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def send_all(self, messages: Sequence[Outgoing]) -> None:
        self.reached.set()
        await self.may_go_on.wait()
        await super().send_all(messages)


_OPEN_TRANSACTIONS = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'"""


async def test_no_transaction_is_open_while_the_relay_publishes(
    api: Any, database: Database, nc: Client, sql: asyncpg.Connection
) -> None:
    await api.order(2, process="coloring")
    publisher = Held(nc)
    relaying = asyncio.create_task(Relay(database, publisher).relay_batch())
    await asyncio.wait_for(publisher.reached.wait(), 20)
    assert await sql.fetchval(_OPEN_TRANSACTIONS) == 0
    publisher.may_go_on.set()
    await relaying
    assert (await nc.jetstream().stream_info("JOBS")).state.messages == 2


async def test_the_lease_of_a_vanished_relay_expires(
    api: Any, relay: Relay, database: Database, nc: Client, sql: asyncpg.Connection
) -> None:
    """Its holder is silent; while messages wait for the lease, a gauge shows it."""
    gone = DatabaseLease(RELAY_LEASE, seconds=12)
    assert await database.write(gone.acquire)
    await api.order()
    with structlog.testing.capture_logs() as logged:
        await until(lambda: _value(WAITING) > 0, 20)
        assert await left(sql) == 1
        await until_empty(sql)
    assert {one["event"] for one in logged if one["log_level"] == "warning"} == {"relay waiting for lease"}
    await until(lambda: _value(WAITING) == 0, 20)


async def test_a_relay_that_lost_its_lease_deletes_nothing(
    api: Any, database: Database, nc: Client, sql: asyncpg.Connection
) -> None:
    await api.order(2, process="coloring")
    late = Held(nc)
    frozen = Relay(database, late)
    relaying = asyncio.create_task(frozen.relay_batch())
    await asyncio.wait_for(late.reached.wait(), 20)
    await sql.execute("UPDATE leases SET expires_at = clock_timestamp() - interval '1 s'")
    other = DatabaseLease(RELAY_LEASE)
    assert await database.write(other.acquire)
    late.may_go_on.set()
    await relaying
    assert await left(sql) == 3
    assert await sql.fetchval("SELECT count(*) FROM coloring_versions WHERE status = 'pending'") == 2
    await Relay(database, Publisher(nc), lease=other).relay_batch()
    await Relay(database, Publisher(nc), lease=other).relay_batch()
    assert await left(sql) == 0
    assert (await nc.jetstream().stream_info("JOBS")).state.messages == 2


async def test_a_relay_with_an_expired_lease_publishes_nothing(
    api: Any, database: Database, nc: Client, sql: asyncpg.Connection
) -> None:
    await api.order()
    late = Held(nc)
    with pytest.raises(PublishError, match="in time"):
        await Relay(database, late, lease=DatabaseLease(RELAY_LEASE, seconds=1)).relay_batch()
    assert (await nc.jetstream().stream_info("EVENTS")).state.messages == 0
    assert await left(sql) == 1


async def test_a_fact_applied_before_the_relay_finishes_is_ordered_after_queued(
    api: Any, worker: Any, database: Database, nc: Client, sql: asyncpg.Connection
) -> None:
    await api.order()
    version = await api.post("/images/1/generate-coloring")
    relay = Relay(database, Prompt(nc, lambda: worker.end("coloring", version["id"])))
    while await left(sql):
        await relay.relay_batch()
    timeline = await sql.fetch("SELECT status FROM status_changes WHERE kind = 'coloring' ORDER BY id")
    assert [row["status"] for row in timeline] == ["pending", "queued", "processing", "completed"]
    events = [json.loads(m.data) for m in await published(nc, "events.*.*.version_status_changed", 3)]
    assert [event["status"] for event in events] == ["queued", "processing", "completed"]


class Prompt(Publisher):
    """A worker has done its job before the relay hears that the job is stored."""

    def __init__(self, nc: Client, work: Callable[[], Awaitable[None]]) -> None:
        super().__init__(nc)
        self._work: Callable[[], Awaitable[None]] | None = work

    async def send_all(self, messages: Sequence[Outgoing]) -> None:
        await super().send_all(messages)
        work, self._work = self._work, None
        if work is not None:
            await work()


def _value(gauge: Any) -> float:
    return float(gauge._value.get())


async def test_a_message_the_broker_rejects_blocks_no_other(
    relay: Relay, nc: Client, sql: asyncpg.Connection
) -> None:
    """One larger than it takes, one on a subject of no stream, among messages of the same streams."""
    insert = "INSERT INTO outbox (subject, msg_id, payload) VALUES ($1, $2, $3)"
    with structlog.testing.capture_logs() as logs:
        async with sql.transaction():
            await sql.execute(insert, "events.order.M1.order_created", "first", b"{}")
            await sql.execute(insert, "events.order.M1.order_changed", "large", b" " * (nc.max_payload + 1))
            await sql.execute(insert, "events.order.M1.order_deleted", "second", b"{}")
            await sql.execute(insert, "nowhere.M1", "lost", b"{}")
            await sql.execute(insert, "jobs.coloring.1", "third", b"{}")
        relay.wake()
        async with asyncio.timeout(30):
            while await left(sql) > 2:  # noqa: ASYNC110 - another connection's commit has no event here
                await asyncio.sleep(0.02)
    found = await published(nc, "events.>", 2)
    assert [msg.subject.rpartition(".")[2] for msg in found] == ["order_created", "order_deleted"]
    assert [job.subject for job in await jobs(nc, 1)] == ["jobs.coloring.1"]
    refused = await sql.fetch("SELECT msg_id, refused FROM outbox ORDER BY id")
    assert [(row["msg_id"], bool(row["refused"])) for row in refused] == [("large", True), ("lost", True)]
    said = [entry["message_id"] for entry in logs if entry["event"] == "message refused"]
    assert sorted(said) == ["large", "lost"]


async def test_the_relay_survives_a_database_failure_while_it_marks_a_message_refused(
    relay: Relay, nc: Client, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse, failures = outbox_rows.refuse, [DatabaseUnavailableError("failover")]

    async def fail_once(*arguments: Any) -> None:
        if failures:
            raise failures.pop()
        await refuse(*arguments)

    monkeypatch.setattr(outbox_rows, "refuse", fail_once)
    insert = "INSERT INTO outbox (subject, msg_id, payload) VALUES ($1, $2, $3)"
    await sql.execute(insert, "nowhere.M1", "lost", b"{}")
    await sql.execute(insert, "events.order.M1.order_created", "next", b"{}")
    relay.wake()
    assert [msg.subject for msg in await published(nc, "events.>", 1)] == ["events.order.M1.order_created"]
    await until(lambda: sql.fetchval("SELECT refused FROM outbox WHERE msg_id = 'lost'"), 20)
    assert not failures
