"""Jobs wait while the storage or the database is unavailable, and no attempt is counted."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from pastelka_common.messaging.attempts import RetryPolicy
from pastelka_common.storage import FolderStorage, StorageUnavailableError
from pastelka_common.testing.waiting import until
from pastelka_orders import row_jobs
from pastelka_orders.database import Database
from pastelka_orders.database_errors import DatabaseUnavailableError
from pastelka_orders.erasure import Eraser
from pastelka_orders.erasure.eraser import RETRIES
from pastelka_orders.handlers.downloads import Downloads
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.urls import UrlRules
from pastelka_orders.repository import claims, shop_jobs
from pastelka_orders.row_jobs import JobRunner
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

PHOTOS = 6
TEN_MINUTES = 600.0
DEAD_LETTERS = "SELECT count(*) FROM outbox WHERE subject LIKE 'dead.%'"


class AwayStorage(FolderStorage):
    """A storage that is unavailable while ``is_away``."""

    is_away = True

    async def write(self, path: str, content: bytes) -> None:
        self._require()
        await super().write(path, content)

    async def ensure_mounted(self, *, may_be_empty: bool) -> None:
        self._require()
        await super().ensure_mounted(may_be_empty=may_be_empty)

    def _require(self) -> None:
        if self.is_away:
            raise StorageUnavailableError("The folder of all files is not there")


async def pass_time(
    sql: asyncpg.Connection, runners: Sequence[JobRunner], table: str, seconds: float
) -> None:
    """Let ``seconds`` pass for rows that are postponed repeatedly, without waiting."""
    passed = 0.0
    while passed < seconds:
        await until(lambda: _all_wait(sql, table), LONG)
        shift = await sql.fetchval(f"SELECT max(next_attempt_at) - clock_timestamp() FROM {table}")  # noqa: S608
        await sql.execute(f"UPDATE {table} SET next_attempt_at = next_attempt_at - $1::interval", shift)  # noqa: S608
        passed += shift.total_seconds()
        for runner in runners:
            runner.wake()


async def _all_wait(sql: asyncpg.Connection, table: str) -> bool:
    return await sql.fetchval(  # type: ignore[no-any-return]
        f"""SELECT bool_and(claimed_until IS NULL AND last_error IS NOT NULL
            AND next_attempt_at > clock_timestamp()) FROM {table}"""  # noqa: S608
    )


async def test_downloads_complete_after_a_ten_minute_storage_outage(
    api: Any, sql: asyncpg.Connection, databases: list[Database]
) -> None:
    storage, intake = AwayStorage(api.storage), PhotoIntake()
    async with serving(Host(200)) as host:
        await awaiting(api, sql, *(host.url(number) for number in range(1, PHOTOS + 1)))
        rules = UrlRules(allowed_hosts=[host.name])
        async with PhotoDownloader(intake, rules=rules, per_host=PHOTOS) as downloader:
            kinds = [Downloads(database, storage, downloader, "none") for database in databases]
            runners = [JobRunner(kind.database, kind, 2, RetryPolicy(attempts=2)) for kind in kinds]
            async with running(runners):
                await pass_time(sql, runners, "images", TEN_MINUTES)
                assert await counted(sql, "images") == (0, 0)
                assert len(host.times) >= PHOTOS * TEN_MINUTES / (2 * row_jobs.STORAGE_RETRY_DELAY)
                storage.is_away = False
                await sql.execute("UPDATE images SET next_attempt_at = now()")
                await until(lambda: all_downloaded(api), LONG)
    await intake.aclose()
    assert await sql.fetchval(DEAD_LETTERS) == 0
    assert await sql.fetchval("SELECT count(*) FROM images WHERE last_error IS NULL") == PHOTOS


async def test_erasures_complete_after_a_ten_minute_storage_outage(
    api: Any, sql: asyncpg.Connection, databases: list[Database]
) -> None:
    storage = AwayStorage(api.storage)
    for _ in range(3):
        await api.order()
    await sql.execute(
        """INSERT INTO erasures (order_id, order_number, reason, deleted_at)
        SELECT id, order_number, 'customer', NULL FROM orders"""
    )
    runners = [JobRunner(database, Eraser(database, storage), 2, RETRIES) for database in databases]
    async with running(runners):
        await pass_time(sql, runners, "erasures", TEN_MINUTES)
        assert await counted(sql, "erasures") == (0, 0)
        assert await sql.fetchval("SELECT count(*) FROM orders") == 3
        storage.is_away = False
        await sql.execute("UPDATE erasures SET next_attempt_at = now()")
        await until(lambda: are_all_erased(sql), LONG)
    assert api.files() == []
    assert await sql.fetchval("SELECT count(*) FROM orders") == 0


class AwayDatabase(Database):
    """A database that is unavailable while ``is_away``."""

    is_away = False

    async def write(self, work: Any) -> Any:
        if self.is_away:
            raise DatabaseUnavailableError("connection refused")
        return await super().write(work)


async def test_a_shop_job_completes_after_a_ten_minute_database_outage(
    sql: asyncpg.Connection,
    orders_url: str,
    databases: list[Database],
    settings: OrdersSettings,
    shopify: FakeShopify,
) -> None:
    """The first worker has the shop's answer but cannot store it; its claim expires meanwhile."""
    shopify.add(*(shop_order(n, [shop_line(n)]) for n in range(1000, 1003)))
    first = AwayDatabase(orders_url)
    await first.write(lambda c: shop_jobs.enqueue(c, SINCE))
    async with AdminApi(connected(settings, shopify)) as shop:
        runner = JobRunner(first, ShopJobs(first, shop, lambda: None), 1, RetryPolicy(attempts=2))
        (claim,) = await first.write(lambda c: claims.claim_due(c, shop_jobs.TABLE, free=1, lease=30))
        first.is_away = True
        attempt = asyncio.create_task(runner._process(claim))
        await until(lambda: shopify.operations, LONG)
        await sql.execute("UPDATE shop_jobs SET claimed_until = claimed_until - interval '10 minutes'")
        first.is_away = False
        second = databases[1]
        async with running(
            [JobRunner(second, ShopJobs(second, shop, lambda: None), 1, RetryPolicy(attempts=2))]
        ):
            await until(lambda: are_all_answered(sql), LONG)
        await asyncio.wait_for(attempt, LONG)
    await first.aclose()
    assert await sql.fetchval("SELECT count(*) FROM orders") == 3
    assert await sql.fetchval(DEAD_LETTERS) == 0
