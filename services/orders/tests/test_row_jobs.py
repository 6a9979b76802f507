"""Several workers share the rows that are jobs: outages, killed workers, notifications, poisoned jobs."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure, now
from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.messaging.attempts import RetryPolicy
from pastelka_common.servers import ServerProcess
from pastelka_common.servers.ports import free_port
from pastelka_common.storage import FolderStorage, StorageUnavailableError
from pastelka_common.testing.waiting import until
from pastelka_orders import row_jobs
from pastelka_orders.database import Database
from pastelka_orders.database_errors import DatabaseUnavailableError
from pastelka_orders.erasure import Eraser
from pastelka_orders.erasure.eraser import RETRIES
from pastelka_orders.handlers.downloads import Downloads
from pastelka_orders.pg_notify import listen
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.urls import UrlRules
from pastelka_orders.repository import claims, erasures, shop_jobs
from pastelka_orders.repository.claims import CHANNEL, Claim
from pastelka_orders.row_jobs import JobKind, JobRunner, Write
from pastelka_orders.settings import OrdersSettings
from pastelka_orders.shop_requests import FetchOrders
from pastelka_orders.shopify.client import AdminApi
from pastelka_orders.shopify.jobs import ShopJobs
from services.orders.tests.fake_shopify import Bucket, FakeShopify, shop_line, shop_order
from services.orders.tests.test_downloads import Host, awaiting, serving

LONG = 60.0
START = 240.0
"""A worker process begins its work within that time, also on a machine that is busy."""
PHOTOS = 6
TEN_MINUTES = 600.0
DEAD_LETTERS = "SELECT count(*) FROM outbox WHERE subject LIKE 'dead.%'"


@asynccontextmanager
async def running(runners: Sequence[JobRunner]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(runner.run(stop)) for runner in runners]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), LONG)


class AwayStorage(FolderStorage):
    """A storage that is away until it is back."""

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


@pytest_asyncio.fixture(loop_scope="session")
async def databases(orders_url: str) -> AsyncIterator[list[Database]]:
    """Those of two workers."""
    found = [Database(orders_url) for _ in range(2)]
    yield found
    for database in found:
        await database.aclose()


async def pass_time(
    sql: asyncpg.Connection, runners: Sequence[JobRunner], table: str, seconds: float
) -> None:
    """Let time pass for rows that are postponed again and again, without waiting for it."""
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


async def counted(sql: asyncpg.Connection, table: str) -> tuple[int, int]:
    """Attempts and lost claims of all rows."""
    return tuple(await sql.fetchrow(f"SELECT sum(attempts), sum(lost_claims) FROM {table}"))  # noqa: S608


async def test_downloads_wait_ten_minutes_for_the_storage_and_all_arrive(
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
                await until(lambda: _arrived(api), LONG)
    await intake.aclose()
    assert await sql.fetchval(DEAD_LETTERS) == 0
    assert await sql.fetchval("SELECT count(*) FROM images WHERE last_error IS NULL") == PHOTOS


async def _arrived(api: Any) -> bool:
    return bool((await api.get("/orders/M1000"))["status"] == "ready_for_review")


async def test_erasures_wait_ten_minutes_for_the_storage_and_are_made(
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
        await until(lambda: _are_all_erased(sql), LONG)
    assert api.files() == []
    assert await sql.fetchval("SELECT count(*) FROM orders") == 0


async def _are_all_erased(sql: asyncpg.Connection) -> bool:
    return bool(await sql.fetchval("SELECT bool_and(erased_at IS NOT NULL) FROM erasures"))


class AwayDatabase(Database):
    """A database that takes no transaction while it is away."""

    is_away = False

    async def write(self, work: Any) -> Any:
        if self.is_away:
            raise DatabaseUnavailableError("connection refused")
        return await super().write(work)


@pytest_asyncio.fixture(loop_scope="session")
async def shopify() -> AsyncIterator[FakeShopify]:
    """The shop's Admin API."""
    async with FakeShopify(bucket=Bucket(size=10_000, rate=10_000)) as fake:
        yield fake


def connected(settings: OrdersSettings, shopify: FakeShopify) -> OrdersSettings:
    values = {"shopify_store_url": shopify.url, "shopify_access_token": shopify.token}
    return OrdersSettings.model_validate(settings.model_dump() | values)


SINCE = FetchOrders(since=now() - timedelta(days=3650))


async def test_a_request_to_the_shop_waits_ten_minutes_for_the_database_and_is_answered(
    sql: asyncpg.Connection,
    orders_url: str,
    databases: list[Database],
    settings: OrdersSettings,
    shopify: FakeShopify,
) -> None:
    """The worker that read the shop's answer could not store it; the claim ended meanwhile."""
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
            await until(lambda: _are_all_answered(sql), LONG)
        await asyncio.wait_for(attempt, LONG)
    await first.aclose()
    assert await sql.fetchval("SELECT count(*) FROM orders") == 3
    assert await sql.fetchval(DEAD_LETTERS) == 0


async def _are_all_answered(sql: asyncpg.Connection) -> bool:
    return bool(await sql.fetchval("SELECT count(*) = 0 FROM shop_jobs"))


@asynccontextmanager
async def worker_process(
    broker: ServerProcess, settings: OrdersSettings, **others: str
) -> AsyncIterator[Any]:
    """A worker in a process of its own, which has been killed when the body ends."""
    environment = {
        **os.environ,
        "NATS_URL": broker.url,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "STORAGE_PATH": str(settings.storage_path),
        "PORT": str(free_port()),
        **others,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pastelka_orders.entrypoints.worker"), env=environment
    )
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
    """What a killed worker had is another's once the claim has ended, and no sooner."""
    ends_in = await sql.fetchval(f"SELECT max(claimed_until) - clock_timestamp() FROM {table}")  # noqa: S608
    assert timedelta(0) < ends_in <= timedelta(seconds=row_jobs.CLAIM_SECONDS)
    database: Database = kind.database  # type: ignore[attr-defined]
    runner = JobRunner(database, kind, 2, RetryPolicy(attempts=2))
    assert not await runner._claim()
    await sql.execute(f"UPDATE {table} SET claimed_until = claimed_until - $1::interval", ends_in)  # noqa: S608
    async with running([runner]):
        await until(is_done, LONG)


@pytest.mark.timeout(480)
async def test_a_worker_takes_over_the_download_of_one_that_was_killed(
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
            await take_over(sql, downloads, "images", lambda: _arrived(api))
        await intake.aclose()
    assert len(host.times) == 2
    assert await counted(sql, "images") == (0, 0)


@pytest.mark.timeout(480)
async def test_a_worker_takes_over_the_request_to_the_shop_of_one_that_was_killed(
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
        await take_over(sql, jobs, "shop_jobs", lambda: _are_all_answered(sql))
    assert await sql.fetchval("SELECT order_number FROM orders") == "1000"


@pytest.mark.timeout(480)
async def test_a_worker_takes_over_the_erasure_of_one_that_was_killed(
    api: Any, sql: asyncpg.Connection, database: Database, broker: ServerProcess, settings: OrdersSettings
) -> None:
    await api.order()
    await sql.execute("INSERT INTO erasures (order_id, order_number, deleted_at) VALUES (1, 'M1000', NULL)")
    async with sql.transaction():
        await sql.execute("SELECT 1 FROM orders FOR KEY SHARE")  # no transaction deletes the row meanwhile
        async with worker_process(broker, settings):
            await until(lambda: _waits_for_the_row(sql), START)
    await take_over(sql, Eraser(database, api.stored), "erasures", lambda: _are_all_erased(sql))
    assert api.files() == []
    assert await sql.fetchval("SELECT count(*) FROM orders") == 0


async def _waits_for_the_row(sql: asyncpg.Connection) -> bool:
    await sql.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees the first one until it ends
    waiting = await sql.fetchval(
        """SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND datname = current_database()"""
    )
    return bool(waiting > 0)


@dataclass
class Scripted:
    """A kind of job that does what a test says, with the rows of ``erasures``."""

    database: Database
    do: Callable[[Claim], Awaitable[None]]
    given_up: list[Failure] = field(default_factory=list)

    name = "scripted"
    table = erasures.TABLE

    async def work(self, claim: Claim) -> Write:
        await self.do(claim)
        return lambda c: _done(c, claim)

    async def give_up(self, connection: AsyncConnection, claim: Claim, failure: Failure) -> None:
        self.given_up.append(failure)
        await _done(connection, claim)


async def _done(connection: AsyncConnection, claim: Claim) -> None:
    await claims.end(connection, claim, seconds=3600)


async def add_row(sql: asyncpg.Connection, number: int = 1) -> None:
    await sql.execute("INSERT INTO erasures (order_id, order_number) VALUES ($1, $2)", number, f"M{number}")


async def test_a_job_that_fails_is_given_up_after_all_its_attempts(
    sql: asyncpg.Connection, database: Database
) -> None:
    async def fail(_: Claim) -> None:
        raise TransientError("busy", "It is busy.")

    await add_row(sql)
    kind = Scripted(database, fail)
    async with running([JobRunner(database, kind, 1, RetryPolicy(attempts=3, base=0.01, max_delay=0.02))]):
        await until(lambda: kind.given_up, LONG)
    assert kind.given_up == [Failure(code="busy", message="It is busy.")]


async def test_a_job_that_cannot_succeed_is_given_up_at_once_and_a_bug_is_tried_again(
    sql: asyncpg.Connection, database: Database
) -> None:
    tried: list[int] = []

    async def fail(claim: Claim) -> None:
        tried.append(claim.key)
        if claim.key == 1:
            raise PermanentError("refused", "It was refused.")
        raise ZeroDivisionError

    await add_row(sql, 1)
    await add_row(sql, 2)
    kind = Scripted(database, fail)
    async with running([JobRunner(database, kind, 1, RetryPolicy(attempts=3, base=0.01, max_delay=0.02))]):
        await until(lambda: len(kind.given_up) == 2, LONG)
    assert [failure.code for failure in kind.given_up] == ["refused", "internal_error"]
    assert (tried.count(1), tried.count(2)) == (1, 3)


async def test_a_job_that_kills_its_workers_is_given_up(sql: asyncpg.Connection, database: Database) -> None:
    async def never(_: Claim) -> None:
        raise AssertionError("not tried any more")

    await add_row(sql)
    for lost in range(5):  # five workers claim it and die
        (claim,) = await database.write(lambda c: claims.claim_due(c, erasures.TABLE, free=1, lease=30))
        assert (claim.attempts, claim.lost_claims) == (0, lost)
        await sql.execute("UPDATE erasures SET claimed_until = now()")
    kind = Scripted(database, never)
    async with running([JobRunner(database, kind, 1)]):
        await until(lambda: kind.given_up, LONG)
    assert [failure.code for failure in kind.given_up] == ["attempts_exhausted"]


async def test_a_claim_lasts_as_long_as_its_work(sql: asyncpg.Connection, databases: list[Database]) -> None:
    ended, workers = asyncio.Event(), 0
    ends: set[Any] = set()

    async def work(claim: Claim) -> None:
        nonlocal workers
        workers += 1
        await ended.wait()

    async def is_extended_often() -> bool:
        ends.add(await sql.fetchval("SELECT claimed_until FROM erasures"))
        return len(ends) > 6

    await add_row(sql)
    runners = [JobRunner(one, Scripted(one, work), 2, claim_seconds=3.0) for one in databases]
    async with running(runners):
        await until(is_extended_often, LONG)
        ended.set()
        await until(lambda: _is_free(sql), LONG)
    assert workers == 1
    assert await counted(sql, "erasures") == (0, 0)


async def _is_free(sql: asyncpg.Connection) -> bool:
    return bool(await sql.fetchval("SELECT claimed_until IS NULL FROM erasures"))


async def test_work_whose_job_was_changed_is_stopped_and_done_again(
    sql: asyncpg.Connection, database: Database
) -> None:
    started: list[Claim] = []
    stopped = 0

    async def work(claim: Claim) -> None:
        nonlocal stopped
        started.append(claim)
        if len(started) == 1:
            try:
                await asyncio.Event().wait()
            finally:
                stopped += 1

    await add_row(sql)
    async with running([JobRunner(database, Scripted(database, work), 2, claim_seconds=0.3)]):
        await until(lambda: started, LONG)
        await sql.execute(f"UPDATE erasures SET {claims.DUE_NOW}")  # noqa: S608
        await until(lambda: len(started) == 2 and stopped == 1, LONG)
        await until(lambda: _is_free(sql), LONG)


async def test_a_worker_that_stops_releases_its_claims(sql: asyncpg.Connection, database: Database) -> None:
    started = asyncio.Event()

    async def work(_: Claim) -> None:
        started.set()
        await asyncio.Event().wait()

    await add_row(sql)
    async with running([JobRunner(database, Scripted(database, work), 1)]):
        await asyncio.wait_for(started.wait(), LONG)
        assert not await _is_free(sql)
    row = await sql.fetchrow(
        "SELECT claimed_until, attempts, lost_claims, next_attempt_at <= now() FROM erasures"
    )
    assert tuple(row) == (None, 0, 0, True)


async def test_a_notification_wakes_a_worker_at_once(
    sql: asyncpg.Connection, database: Database, orders_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_jobs, "POLL_INTERVAL", 3600.0)
    done: list[Claim] = []

    async def work(claim: Claim) -> None:
        done.append(claim)

    runner, stop, listening = (
        JobRunner(database, Scripted(database, work), 1),
        asyncio.Event(),
        asyncio.Event(),
    )

    def heard() -> None:
        listening.set()
        runner.wake()

    async with running([runner]):
        task = asyncio.create_task(listen(orders_url, {CHANNEL: heard}, stop))
        await asyncio.wait_for(listening.wait(), LONG)
        await sql.execute("INSERT INTO orders (id, order_number, source) VALUES (1, 'M1', 'manual')")
        target = await database.read(lambda c: erasures.by_number(c, "M1"))
        assert target is not None
        await database.write(lambda c: erasures.add(c, target, "customer", None))
        await until(lambda: done, LONG)
        stop.set()
        await task


async def test_many_workers_share_many_rows_and_do_each_once(
    sql: asyncpg.Connection, databases: list[Database]
) -> None:
    done: list[int] = []

    async def work(claim: Claim) -> None:
        done.append(claim.key)

    await sql.execute(
        "INSERT INTO erasures (order_id, order_number) SELECT n, 'M' || n FROM generate_series(1, 500) n"
    )
    async with running([JobRunner(one, Scripted(one, work), 8) for one in (*databases, *databases)]):
        await until(lambda: len(done) >= 500, LONG)
    assert sorted(done) == list(range(1, 501))
