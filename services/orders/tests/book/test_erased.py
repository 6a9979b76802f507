"""An old order is erased while something of it is still being stored."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from pastelka_common.storage import FolderStorage
from pastelka_orders.database import Database
from pastelka_orders.erasure import Eraser
from pastelka_orders.handlers import erasures as handlers
from pastelka_orders.repository import erasures
from services.orders.tests.book.test_versions import BOOKS, PDF, colored, jobs
from services.orders.tests.job_attempts import attempt_due

QUIET = (
    "UPDATE orders SET created_at = now() - interval '9 days', updated_at = now() - interval '9 days'",
    "UPDATE images SET downloaded_at = now() - interval '9 days'",
    "UPDATE coloring_versions SET updated_at = now() - interval '9 days'",
)


async def test_a_book_stored_after_the_deletion_is_erased_too(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await colored(api, worker)
    for statement in QUIET:
        await sql.execute(statement)
    await api.post(BOOKS)
    real, begun, erased = FolderStorage.put_file, asyncio.Event(), asyncio.Event()

    async def slow(self: FolderStorage, path: str, source: Path) -> None:
        if path == PDF:
            begun.set()
            await erased.wait()
        await real(self, path, source)

    monkeypatch.setattr(FolderStorage, "put_file", slow)
    storing = asyncio.create_task(attempt_due(database, jobs(database, api)))
    await asyncio.wait_for(begun.wait(), 120)
    assert (await api.http.delete("/orders/M1000")).status_code == 204
    assert api.files() == []
    erased.set()
    await asyncio.wait_for(storing, 120)
    assert api.files() == [PDF]
    eraser = Eraser(database, api.stored)
    await attempt_due(database, eraser)  # plans the first look, unless the order was quiet
    assert await sql.fetchval("SELECT is_watched AND next_attempt_at IS NOT NULL FROM erasures")
    await sql.execute("UPDATE erasures SET next_attempt_at = now()")
    await attempt_due(database, eraser)
    assert api.files() == []


async def test_requesting_an_erasure_cancels_the_books_of_the_order(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await colored(api, worker)
    await api.post(BOOKS)
    target = erasures.Target(1, "M1000")
    await database.write(lambda c: handlers.request_erasure(c, target, "operator", None))
    (book,) = await api.get(BOOKS)
    assert (book["status"], book["error"]["code"]) == ("error", "cancelled")
    await attempt_due(database, jobs(database, api))
    assert [name for name in api.files() if "/book/" in name] == []


async def test_an_order_with_an_active_download_is_recent(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await colored(api, worker)
    for statement in QUIET:
        await sql.execute(statement)

    async def is_recent() -> bool:
        found = await database.read(lambda c: erasures.contents(c, 1))
        assert found is not None
        return found.is_recent

    assert not await is_recent()
    await sql.execute("UPDATE images SET claimed_until = now() WHERE id = 1")
    assert await is_recent()
