"""A worker takes over the jobs of a killed one when their claims expire."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from pastelka_common.messaging.attempts import RetryPolicy
from pastelka_common.servers import ServerProcess
from pastelka_common.servers.ports import free_port
from pastelka_common.storage import FolderStorage
from pastelka_common.testing.forkserver import fork_server
from pastelka_common.testing.waiting import until
from pastelka_orders import row_jobs
from pastelka_orders.database import Database
from pastelka_orders.erasure import Eraser
from pastelka_orders.handlers.downloads import Downloads
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.urls import UrlRules
from pastelka_orders.repository import shop_jobs
from pastelka_orders.row_jobs import JobKind, JobRunner
from pastelka_orders.settings import OrdersSettings
from pastelka_orders.shopify.client import AdminApi
from pastelka_orders.shopify.jobs import ShopJobs
from services.orders.tests.fake_shopify import FakeShopify, shop_line, shop_order
from services.orders.tests.row_jobs.running import (
    LONG,
    SINCE,
    all_downloaded,
    are_all_answered,
    are_all_erased,
    connected,
    counted,
    running,
)
from services.orders.tests.test_downloads import Host, awaiting, serving

_WORKER = "pastelka_orders.entrypoints.worker"
START = 240.0
"""Seconds within which a worker process begins its work, on a busy machine too."""


@asynccontextmanager
async def worker_process(
    broker: ServerProcess, settings: OrdersSettings, **others: str
) -> AsyncIterator[Any]:
    """A worker in its own process, killed at the end of the body."""
    environment = {
        **os.environ,
        "NATS_URL": broker.url,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "STORAGE_PATH": str(settings.storage_path),
        "PORT": str(free_port()),
        **others,
    }
    process = await fork_server(_WORKER).start(_WORKER, env=environment, out=1, err=2)
    try:
        yield
        process.send_signal(signal.SIGKILL)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def take_over(
    sql: asyncpg.Connection, kind: JobKind, table: str, is_done: Callable[[], Awaitable[bool]]
) -> None:
    """Check that another worker takes over the row when the claim has expired, and no sooner."""
    ends_in = await sql.fetchval(f"SELECT max(claimed_until) - clock_timestamp() FROM {table}")  # noqa: S608
    assert timedelta(0) < ends_in <= timedelta(seconds=row_jobs.CLAIM_SECONDS)
    database: Database = kind.database  # type: ignore[attr-defined]
    runner = JobRunner(database, kind, 2, RetryPolicy(attempts=2))
    assert not await runner._claim()
    await sql.execute(f"UPDATE {table} SET claimed_until = claimed_until - $1::interval", ends_in)  # noqa: S608
    async with running([runner]):
        await until(is_done, LONG)


@pytest.mark.timeout(480)
async def test_the_download_of_a_killed_worker_is_taken_over(
    api: Any, sql: asyncpg.Connection, database: Database, broker: ServerProcess, settings: OrdersSettings
) -> None:
    async with serving(Host(200)) as host:
        host.gate.clear()
        await awaiting(api, sql, host.url())
        async with worker_process(broker, settings, DOWNLOAD_ALLOWED_HOSTS=host.name):
            await until(lambda: host.times, START)
        host.gate.set()
        intake = PhotoIntake()
        async with PhotoDownloader(intake, rules=UrlRules(allowed_hosts=[host.name])) as downloader:
            downloads = Downloads(database, FolderStorage(api.storage), downloader, "none")
            await take_over(sql, downloads, "images", lambda: all_downloaded(api))
        await intake.aclose()
    assert len(host.times) == 2
    assert await counted(sql, "images") == (0, 0)


@pytest.mark.timeout(480)
async def test_the_shop_job_of_a_killed_worker_is_taken_over(
    sql: asyncpg.Connection,
    database: Database,
    broker: ServerProcess,
    settings: OrdersSettings,
    shopify: FakeShopify,
) -> None:
    shopify.add(shop_order(1000, [shop_line(1000)]))
    await database.write(lambda c: shop_jobs.enqueue(c, SINCE))
    async with serving(Host(200)) as silent:
        silent.gate.clear()
        shop_of_the_first = {"SHOPIFY_STORE_URL": f"http://{silent.name}", "SHOPIFY_ACCESS_TOKEN": "t"}
        async with worker_process(broker, settings, **shop_of_the_first):
            await until(lambda: silent.times, START)
    async with AdminApi(connected(settings, shopify)) as shop:
        jobs = ShopJobs(database, shop, lambda: None)
        await take_over(sql, jobs, "shop_jobs", lambda: are_all_answered(sql))
    assert await sql.fetchval("SELECT order_number FROM orders") == "1000"


@pytest.mark.timeout(480)
async def test_the_erasure_of_a_killed_worker_is_taken_over(
    api: Any, sql: asyncpg.Connection, database: Database, broker: ServerProcess, settings: OrdersSettings
) -> None:
    await api.order()
    await sql.execute("INSERT INTO erasures (order_id, order_number, deleted_at) VALUES (1, 'M1000', NULL)")
    async with sql.transaction():
        await sql.execute("SELECT 1 FROM orders FOR KEY SHARE")  # no transaction deletes the row meanwhile
        async with worker_process(broker, settings):
            await until(lambda: _waits_for_the_row(sql), START)
    await take_over(sql, Eraser(database, api.stored), "erasures", lambda: are_all_erased(sql))
    assert api.files() == []
    assert await sql.fetchval("SELECT count(*) FROM orders") == 0


async def _waits_for_the_row(sql: asyncpg.Connection) -> bool:
    await sql.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees the first one until it ends
    waiting = await sql.fetchval(
        """SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND datname = current_database()"""
    )
    return bool(waiting > 0)
