"""A real PgBouncer that gives each transaction another session, between the service and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.servers import PostgresServer, running
from pastelka_orders import migrations_runner
from pastelka_orders.database import Database
from pastelka_orders.pg_notify import listen
from pastelka_orders.settings import OrdersSettings
from tests import pgbouncer

pytestmark = pytest.mark.skipif(not pgbouncer.is_installed(), reason=pgbouncer.MISSING)


@pytest_asyncio.fixture(loop_scope="session")
async def pooler(postgres_server: PostgresServer, tmp_path: Path) -> AsyncIterator[int]:
    """Its port."""
    server = pgbouncer.PgBouncer(folder=tmp_path / "pgbouncer", postgres=postgres_server)
    async with running(server):
        yield server.port


@pytest.fixture
def pooled_url(pooler: int, orders_url: str) -> str:
    """The database by way of the pooler."""
    return make_url(orders_url).set(port=pooler).render_as_string(hide_password=False)


@pytest_asyncio.fixture(loop_scope="session")
async def pooled_api(
    serving: Any, settings: OrdersSettings, pooled_url: str, orders_url: str
) -> AsyncIterator[Any]:
    """The API with its database behind the pooler."""
    secret = type(settings.database_url)
    changed = settings.model_copy(
        update={"database_url": secret(pooled_url), "database_direct_url": secret(orders_url)}
    )
    async with serving(changed) as api:
        yield api


@pytest.mark.timeout(300)
async def test_two_hundred_requests_are_answered(pooled_api: Any) -> None:
    await pooled_api.order(3)

    at_once = asyncio.Semaphore(15)

    async def ask(number: int) -> int:
        async with at_once:
            return await answer(number)

    async def answer(number: int) -> int:
        if number % 4 == 0:
            return (await pooled_api.http.post(f"/images/{1 + number % 3}/generate-coloring")).status_code
        path = ("/orders", "/orders/M1000", "/images/1/coloring-versions")[number % 3]
        return (await pooled_api.http.get(path)).status_code

    statuses = await asyncio.gather(*(ask(number) for number in range(200)))
    assert set(statuses) == {200, 202}


async def test_every_pooled_transaction_has_its_timeouts(pooled_url: str) -> None:
    database = Database(pooled_url, is_pooled=True, timezone="Europe/Prague")
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "jit", "timezone")

    async def shown(connection: AsyncConnection) -> list[str]:
        return [(await connection.execute(text(f"SHOW {name}"))).scalar_one() for name in names]

    wanted = ["12s", "10s", "8s", "off", "Europe/Prague"]
    try:
        many = await asyncio.gather(*(database.read(shown) for _ in range(12)))
        many += await asyncio.gather(*(database.write(shown) for _ in range(12)))
    finally:
        await database.aclose()
    assert many == [wanted] * 24


async def test_facts_are_applied_through_the_pooler(
    pooled_api: Any, pooled_url: str, worker: Any, sql: asyncpg.Connection
) -> None:
    await pooled_api.order(2, process="coloring")
    database = Database(pooled_url, is_pooled=True)
    try:
        played = type(worker)(database)
        await asyncio.gather(*(played.end("coloring", version) for version in (1, 2)))
    finally:
        await database.aclose()
    assert await sql.fetchval("SELECT count(*) FROM coloring_versions WHERE status = 'completed'") == 2


async def test_listen_and_migrations_bypass_the_pooler(
    pooled_api: Any, settings: OrdersSettings, orders_url: str, pooled_url: str
) -> None:
    secret = type(settings.database_url)
    changed = settings.model_copy(
        update={"database_url": secret(pooled_url), "database_direct_url": secret(orders_url)}
    )
    heard, stop = asyncio.Event(), asyncio.Event()
    listening = asyncio.create_task(listen(changed.direct_url, {"pastelka_outbox": heard.set}, stop))
    await asyncio.wait_for(heard.wait(), 20)
    heard.clear()
    await pooled_api.order()
    await asyncio.wait_for(heard.wait(), 20)
    stop.set()
    await listening
    await migrations_runner.upgrade(changed.direct_url)


async def test_without_the_direct_url_the_error_names_the_missing_setting(pooled_url: str) -> None:
    database = Database(pooled_url)

    async def one(connection: AsyncConnection) -> None:
        await connection.execute(text("SELECT 1"))

    with pytest.raises(Exception, match="DATABASE_DIRECT_URL"):
        await database.read(one)
    await database.aclose()
