"""A database that is read-only, changed, or not as the code expects: nothing is lost for that."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import nats
import pytest
import pytest_asyncio
import structlog
from nats.aio.client import Client
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.errors import PostponedError
from pastelka_common.messaging.topology import FACTS_CONSUMER, ensure_consumer, ensure_streams
from pastelka_common.servers import ServerProcess
from pastelka_common.storage import FolderStorage
from pastelka_common.testing.waiting import until
from pastelka_orders.consumers import FactsConsumer
from pastelka_orders.database import Database
from pastelka_orders.handlers.downloads import Downloads
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.intake import PhotoIntake
from services.orders.tests.job_attempts import attempt_due

_END_ALL = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""


@pytest_asyncio.fixture(loop_scope="session")
async def nc(broker: ServerProcess) -> AsyncIterator[Client]:
    """A connection to a nats-server of the test's own, with the streams and the facts' consumer."""
    connection = await nats.connect(broker.url)
    await ensure_streams(connection)
    await ensure_consumer(connection, FACTS_CONSUMER)
    yield connection
    await connection.close()


@asynccontextmanager
async def consuming(nc: Client, database: Database) -> AsyncIterator[list[Any]]:
    """The facts' consumer at work; yields what it logs."""
    stop = asyncio.Event()
    with structlog.testing.capture_logs() as logged:
        task = asyncio.create_task(FactsConsumer(nc, database, lambda: None).run(stop))
        try:
            yield logged
        finally:
            stop.set()
            await asyncio.wait_for(task, 15)


async def publish(nc: Client, received: Any) -> None:
    await nc.jetstream().publish(received.fact.subject, received.fact.model_dump_json().encode())


async def until_tried(logged: list[Any], times: int = 2) -> None:
    """Until the facts were tried in vain."""
    await until(
        lambda: [one["event"] for one in logged].count("facts deferred, database unavailable") >= times, 20
    )


async def acknowledged(nc: Client) -> None:
    """Until the server holds nothing that was not acknowledged or dropped."""

    async def nothing() -> bool:
        return await _waiting(nc) == 0

    await until(nothing, 20)


async def read_only(sql: asyncpg.Connection, *, on: bool) -> None:
    """As a failover that left us with a replica, or an operator who wants no changes."""
    name = await sql.fetchval("SELECT current_database()")
    value = "SET default_transaction_read_only = on" if on else "RESET default_transaction_read_only"
    await sql.execute(f'ALTER DATABASE "{name}" {value}')
    await sql.execute(_END_ALL)


async def statuses(sql: asyncpg.Connection) -> list[str]:
    rows = await sql.fetch("SELECT status FROM status_changes WHERE kind = 'coloring' ORDER BY id")
    return [row["status"] for row in rows]


async def test_facts_wait_while_the_database_is_read_only(
    api: Any, worker: Any, nc: Client, database: Database, sql: asyncpg.Connection
) -> None:
    await api.order()
    version = await api.post("/images/1/generate-coloring")
    async with consuming(nc, database) as logged:
        await publish(nc, worker.fact("coloring", version["id"], "processing", step=1))
        await acknowledged(nc)
        await read_only(sql, on=True)
        await publish(nc, worker.fact("coloring", version["id"], "runpod_submitting", step=2))
        await until_tried(logged)
        assert (await _waiting(nc)) == 1
        await read_only(sql, on=False)
        await acknowledged(nc)
    assert await statuses(sql) == ["pending", "queued", "processing", "runpod_submitting"]


async def test_facts_wait_while_a_column_is_missing(
    api: Any, worker: Any, nc: Client, database: Database, sql: asyncpg.Connection
) -> None:
    await api.order()
    version = await api.post("/images/1/generate-coloring")
    await sql.execute("ALTER TABLE status_changes RENAME COLUMN attempt TO trial")
    async with consuming(nc, database) as logged:
        await publish(nc, worker.fact("coloring", version["id"], "processing", step=1))
        await until_tried(logged)
        assert (await _waiting(nc)) == 1
        await sql.execute("ALTER TABLE status_changes RENAME COLUMN trial TO attempt")
        await acknowledged(nc)
    assert await statuses(sql) == ["pending", "queued", "processing"]


async def test_writes_are_503_while_the_database_is_read_only(api: Any, sql: asyncpg.Connection) -> None:
    await api.order()
    await read_only(sql, on=True)
    refused = await api.http.post("/images/1/generate-coloring")
    assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
    assert refused.headers["Retry-After"]
    assert (await api.get("/orders/M1000"))["order_number"] == "M1000"
    await read_only(sql, on=False)
    await api.post("/images/1/generate-coloring")


async def test_a_lock_timeout_is_503(api: Any, sql: asyncpg.Connection) -> None:
    await api.order()
    async with sql.transaction():
        await sql.execute("SELECT 1 FROM images FOR UPDATE")
        refused = await api.http.post("/images/1/generate-coloring")
    assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")


async def test_a_download_is_postponed_while_the_database_is_read_only(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    await api.order()
    await sql.execute("UPDATE images SET path = NULL, original_url = 'https://a/1'")
    await read_only(sql, on=True)
    async with PhotoDownloader(PhotoIntake()) as downloader:
        downloads = Downloads(database, FolderStorage(api.storage), downloader, "none")
        with pytest.raises(PostponedError):
            await attempt_due(database, downloads)
    await read_only(sql, on=False)


async def test_running_services_tolerate_a_changed_column_type(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await api.order(2)
    first = await api.post("/images/1/generate-coloring")
    await api.get("/images/1/coloring-versions")
    await worker.tell(worker.fact("coloring", first["id"], "processing", step=1))
    await sql.execute("ALTER TABLE coloring_versions ALTER COLUMN error_message TYPE varchar(4000)")
    await sql.execute("ALTER TABLE coloring_versions ALTER COLUMN path TYPE varchar(2000)")
    await sql.execute("ALTER TABLE images ALTER COLUMN path TYPE varchar(2000)")
    second = await api.post("/images/2/generate-coloring")
    assert second["status"] == "pending"
    assert (await api.get("/images/1/coloring-versions"))[0]["status"] == "processing"
    assert await worker.tell(worker.fact("coloring", first["id"], "completed", step=2)) == 1


async def test_a_statement_with_an_outdated_plan_is_retried(
    database: Database, sql: asyncpg.Connection
) -> None:
    await sql.execute("CREATE TABLE plans (value integer); INSERT INTO plans VALUES (1)")

    async def value(connection: AsyncConnection) -> Any:
        return (await connection.execute(text("SELECT * FROM plans"))).scalar_one()

    assert await database.read(value) == await database.write(value) == 1
    await sql.execute("ALTER TABLE plans ALTER COLUMN value TYPE text")
    assert await database.read(value) == await database.write(value) == "1"


async def _waiting(nc: Client) -> int:
    """Facts that are neither acknowledged nor given up."""
    info = await nc.jetstream().consumer_info(FACTS_CONSUMER.stream, FACTS_CONSUMER.name)
    return (info.num_ack_pending or 0) + (info.num_pending or 0)
