"""Queues are paused for all, and stay so whatever happens to the broker."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client

from pastelka_common.messaging.pauses import pause, pause_state
from pastelka_common.messaging.topology import COLORING_CONSUMER, JOBS, VECTORIZE_CONSUMER, ensure_streams
from pastelka_common.servers import ServerProcess
from pastelka_common.testing.waiting import until
from pastelka_orders.api.app import create_app
from pastelka_orders.database import Database
from pastelka_orders.handlers.queue_pauses import PauseKeeper
from pastelka_orders.settings import OrdersSettings

EVENTS = "SELECT subject FROM outbox WHERE subject LIKE 'events.queue.%' ORDER BY id"


@pytest_asyncio.fixture(loop_scope="session")
async def nc(broker: ServerProcess) -> AsyncIterator[Client]:
    """A connection; the streams exist, and no consumer."""
    connection = await nats.connect(broker.url)
    await ensure_streams(connection)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def http(settings: OrdersSettings, broker: ServerProcess) -> AsyncIterator[httpx.AsyncClient]:
    """The API with that nats-server."""
    app = create_app(settings.model_copy(update={"nats_url": broker.url}))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client,
    ):
        yield client


async def queues(http: httpx.AsyncClient) -> dict[str, Any]:
    response = await http.get("/queues")
    assert response.status_code == 200, response.text
    return {queue["kind"]: queue for queue in response.json()["queues"]}


async def test_a_queue_is_paused_and_resumed_once_with_an_event(
    http: httpx.AsyncClient, nc: Client, sql: asyncpg.Connection
) -> None:
    for _ in range(2):
        response = await http.post("/queues/coloring/pause")
        assert response.status_code == 200, response.text
    found = await queues(http)
    assert response.json() == {"queues": list(found.values())}
    assert found["coloring"]["paused_at"]
    assert found["coloring"]["paused_by"] == "open"
    assert found["svg"] == {"kind": "svg", "paused_at": None, "paused_by": None}
    assert await pause_state(nc, COLORING_CONSUMER) == "paused"
    assert await pause_state(nc, VECTORIZE_CONSUMER) == "missing"
    for _ in range(2):
        assert (await http.post("/queues/coloring/resume")).status_code == 200
    assert (await queues(http))["coloring"]["paused_at"] is None
    assert await pause_state(nc, COLORING_CONSUMER) == "running"
    subjects = [row["subject"] for row in await sql.fetch(EVENTS)]
    assert subjects == ["events.queue.coloring.queue_changed"] * 2
    assert (await http.post("/queues/photos/pause")).status_code == 422


async def test_without_the_broker_nothing_is_changed(
    http: httpx.AsyncClient, nc: Client, broker: ServerProcess
) -> None:
    await broker.kill()
    response = await http.post("/queues/svg/pause")
    assert (response.status_code, response.json()["code"]) == (503, "broker_unavailable")
    assert (await queues(http))["svg"]["paused_at"] is None
    await broker.start()

    async def is_paused() -> bool:
        return (await http.post("/queues/svg/pause")).status_code == 200

    await until(is_paused)
    await until(lambda: nc.is_connected)
    assert await pause_state(nc, VECTORIZE_CONSUMER) == "paused"


async def test_what_the_broker_lost_is_paused_again(
    http: httpx.AsyncClient, nc: Client, database: Database
) -> None:
    keeper = PauseKeeper(database, nc)
    await http.post("/queues/coloring/pause")
    for lost in ("consumer", "stream"):
        if lost == "consumer":
            await nc.jetstream().delete_consumer(JOBS, COLORING_CONSUMER.name)
        else:
            await nc.jetstream().delete_stream(JOBS)
            await ensure_streams(nc)
        assert await pause_state(nc, COLORING_CONSUMER) == "missing"
        await keeper.keep()
        assert await pause_state(nc, COLORING_CONSUMER) == "paused"


@pytest.mark.parametrize("is_ours", [True, False])
async def test_a_pause_that_is_not_stored_is_lifted_only_if_it_was_made_here(
    nc: Client, database: Database, is_ours: bool
) -> None:
    await pause(nc, COLORING_CONSUMER)
    if not is_ours:
        await nc.jetstream().pause_consumer(JOBS, COLORING_CONSUMER.name, "2100-01-01T00:00:00Z")
    await PauseKeeper(database, nc).keep()
    expected = "running" if is_ours else "paused_elsewhere"
    assert await pause_state(nc, COLORING_CONSUMER) == expected
