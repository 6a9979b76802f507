"""Connections that die without a word: nothing waits for long, and nothing happens afterwards."""

import asyncio
import json
import os
import shutil
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.testing.waiting import until
from pastelka_orders.connections import SERVICE, Limits
from pastelka_orders.database import Database, DatabaseUnavailableError
from pastelka_orders.database_errors import CommitUnconfirmedError
from pastelka_orders.leases import DatabaseLease
from tests.silent_proxy import SilentProxy

SHORT = Limits(idle=1, lock=2, statement=3, answer=3, work=4)
"""In the order in which those of the service are."""
_ADD = text("INSERT INTO orders (order_number, source) VALUES (:number, 'manual')")
_SESSIONS = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(orders_url: str) -> AsyncIterator[SilentProxy]:
    """Between us and the database."""
    url = make_url(orders_url)
    async with SilentProxy(url.host or "", url.port or 0) as opened:
        yield opened


@pytest.fixture
def through_proxy(proxy: SilentProxy, orders_url: str) -> str:
    """The database's URL by way of the proxy."""
    return make_url(orders_url).set(port=proxy.port).render_as_string(hide_password=False)


@pytest_asyncio.fixture(loop_scope="session")
async def far(through_proxy: str) -> AsyncIterator[Database]:
    """The database by way of the proxy, with short limits."""
    found = Database(through_proxy, limits=SHORT)
    yield found
    await found.aclose()


async def one(connection: AsyncConnection) -> int:
    return int((await connection.execute(text("SELECT 1"))).scalar_one())


async def orders(sql: asyncpg.Connection) -> int:
    return await sql.fetchval("SELECT count(*) FROM orders")


def test_the_database_timeouts_are_ordered() -> None:
    assert SERVICE.idle < SERVICE.lock < SERVICE.statement < SERVICE.answer < SERVICE.work
    assert SERVICE.work + SERVICE.answer < 30


async def test_every_session_has_its_timeouts(far: Database) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "tcp_user_timeout")

    async def shown(connection: AsyncConnection) -> list[str]:
        return [(await connection.execute(text(f"SHOW {name}"))).scalar_one() for name in names]

    assert await far.read(shown) == await far.write(shown) == ["3s", "2s", "1s", "10000"]


async def test_a_read_on_a_dead_connection_times_out_and_the_next_succeeds(
    far: Database, proxy: SilentProxy
) -> None:
    await asyncio.gather(*(far.read(one) for _ in range(5)))
    assert proxy.silence() > 0
    begun = time.monotonic()
    with pytest.raises(DatabaseUnavailableError):
        await far.read(one)
    assert time.monotonic() - begun < SHORT.work + SHORT.answer
    # None of the connections that were opened before is used again.
    assert await far.read(one) == 1


async def test_readiness_detects_a_dead_connection_within_seconds(far: Database, proxy: SilentProxy) -> None:
    await far.check()
    proxy.silence()
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        await far.check()
    assert time.monotonic() - begun < SERVICE.idle
    await far.check()


async def test_a_commit_that_arrives_after_its_timeout_changes_nothing(
    far: Database, proxy: SilentProxy, sql: asyncpg.Connection
) -> None:
    before = await orders(sql)

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(_ADD, {"number": "X1"})
        proxy.silence()

    with pytest.raises(CommitUnconfirmedError):
        await far.write(work)
    proxy.speak()
    await until(lambda: _alone(sql), 20)
    assert await orders(sql) == before


async def test_a_statement_that_arrives_after_its_timeout_changes_nothing(
    far: Database, proxy: SilentProxy, sql: asyncpg.Connection
) -> None:
    before = await orders(sql)

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(_ADD, {"number": "X1"})
        proxy.silence()
        await connection.execute(_ADD, {"number": "X2"})

    with pytest.raises(DatabaseUnavailableError) as refused:
        await far.write(work)
    assert not isinstance(refused.value, CommitUnconfirmedError)
    proxy.speak()
    await until(lambda: _alone(sql), 20)
    assert await orders(sql) == before


async def test_a_client_that_vanished_in_a_transaction_blocks_no_other(
    far: Database, proxy: SilentProxy, database: Database, sql: asyncpg.Connection
) -> None:
    """As a worker whose host is gone: the server hears nothing, and ends the session by itself."""
    locked = asyncio.Event()

    async def vanish(connection: AsyncConnection) -> None:
        assert await DatabaseLease("outbox", seconds=1).acquire(connection)
        proxy.silence()
        locked.set()
        await asyncio.Event().wait()

    vanished = asyncio.create_task(far.write(vanish))
    await locked.wait()
    begun = time.monotonic()
    # It is not committed: the lease is free as soon as the session is gone.
    assert await database.write(DatabaseLease("outbox").acquire)
    assert time.monotonic() - begun < SERVICE.lock
    with pytest.raises(DatabaseUnavailableError):
        await vanished


async def test_waiting_for_a_pooled_connection_times_out(orders_url: str) -> None:
    narrow = Database(orders_url, pool_size=1, limits=Limits(work=20))
    busy, leave = asyncio.Event(), asyncio.Event()

    async def hold(connection: AsyncConnection) -> None:
        await one(connection)
        busy.set()
        await leave.wait()

    holding = asyncio.create_task(narrow.read(hold))
    await busy.wait()
    with pytest.raises(DatabaseUnavailableError):
        await narrow.read(one)
    leave.set()
    await holding
    await narrow.aclose()


@pytest.mark.timeout(180)
async def test_a_request_fails_within_30_seconds_and_is_not_applied_later(
    serving: Any, settings: Any, through_proxy: str, proxy: SilentProxy, sql: asyncpg.Connection
) -> None:
    changed = settings.model_copy(update={"database_url": type(settings.database_url)(through_proxy)})
    async with serving(changed) as api:
        await api.order()
        await api.get("/orders")
        assert (await api.http.get("http://localhost/readyz?exclude=broker")).status_code == 200
        proxy.silence()
        assert (await api.http.get("http://localhost/readyz?exclude=broker")).status_code == 503
        await api.get("/orders")
        begun = time.monotonic()
        clicked = await api.http.post("/images/1/generate-coloring")
        assert time.monotonic() - begun < 30
        assert clicked.status_code == 503
        assert clicked.json()["code"] == "database_unavailable"
        assert clicked.headers["Retry-After"]
        proxy.speak()
        assert await api.get("/images/1/coloring-versions") == []
        await api.post("/images/1/generate-coloring")
    assert await sql.fetchval("SELECT count(*) FROM coloring_versions") == 1


async def _alone(sql: asyncpg.Connection) -> bool:
    """Whether what the silent sessions had begun is at its end."""
    return await sql.fetchval(f"{_SESSIONS} AND state <> 'idle'") == 0


_PROGRAM = Path(__file__).with_name("dropped_packets.py")


@pytest.mark.server
@pytest.mark.timeout(180)
async def test_dropped_packets_are_detected_by_kernel_timeouts(tmp_path: Path) -> None:
    """On the event loop of the API, and with the kernel's own timeouts rather than ours."""
    if os.geteuid() != 0 or not all(shutil.which(name) for name in ("unshare", "ip", "iptables")):
        pytest.skip("dropping packets takes root, unshare, ip and iptables")
    tried = await asyncio.create_subprocess_exec(*_ALONE, "iptables -A INPUT -p tcp -j DROP", stderr=DEVNULL)
    if await tried.wait() != 0:
        pytest.skip("this system lets us have no network of our own, or no rules in it")
    dropping = await asyncio.create_subprocess_exec(
        *_ALONE, f"exec {sys.executable} {_PROGRAM} {tmp_path / 'postgres'}", stdout=PIPE
    )
    output, _ = await dropping.communicate()
    assert dropping.returncode == 0
    seconds = json.loads(output.splitlines()[-1])  # after what was logged
    assert seconds["read"] < 20
    assert seconds["write"] < 20


_ALONE = ("unshare", "--net", "sh", "-ec", 'ip link set lo up; eval "$0"')
