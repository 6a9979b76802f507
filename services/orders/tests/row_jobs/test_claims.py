"""Claims of rows: attempts, extension, release, notification, several workers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure
from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.messaging.attempts import RetryPolicy
from pastelka_common.testing.waiting import until
from pastelka_orders import row_jobs
from pastelka_orders.database import Database
from pastelka_orders.pg_notify import listen
from pastelka_orders.repository import claims, erasures
from pastelka_orders.repository.claims import CHANNEL, Claim
from pastelka_orders.row_jobs import JobRunner, Write
from services.orders.tests.row_jobs.running import LONG, counted, running


@dataclass
class Scripted:
    """A kind of job whose work a test gives; its rows are those of ``erasures``."""

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


async def test_a_failing_job_is_given_up_after_its_last_attempt(
    sql: asyncpg.Connection, database: Database
) -> None:
    async def fail(_: Claim) -> None:
        raise TransientError("busy", "It is busy.")

    await add_row(sql)
    kind = Scripted(database, fail)
    async with running([JobRunner(database, kind, 1, RetryPolicy(attempts=3, base=0.01, max_delay=0.02))]):
        await until(lambda: kind.given_up, LONG)
    assert kind.given_up == [Failure(code="busy", message="It is busy.")]


async def test_a_permanent_error_is_given_up_at_once_and_an_unexpected_one_retried(
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


async def test_a_job_that_crashes_its_workers_is_given_up(
    sql: asyncpg.Connection, database: Database
) -> None:
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


async def test_a_claim_is_extended_while_its_job_runs(
    sql: asyncpg.Connection, databases: list[Database]
) -> None:
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


async def test_a_job_that_lost_its_claim_is_stopped_and_done_again(
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
        await until(lambda: len(started) >= 2 and stopped == 1, LONG)
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


async def test_concurrent_workers_process_each_row_once(
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
