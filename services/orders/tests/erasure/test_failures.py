"""What stops an erasure in the middle: it goes on, and until then it says why it does not."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from pastelka_common.storage import FolderStorage
from pastelka_common.testing.processes import peak_memory, reset_peak_memory
from pastelka_common.testing.waiting import until
from pastelka_orders.erasure import Eraser
from pastelka_orders.handlers import erasures as handlers
from pastelka_orders.repository.erasures import ErasureRecord
from services.orders.tests.job_attempts import attempt_due

OLD = timedelta(days=31)
LONG = 60.0
UNPRIVILEGED_UID = 65534


@asynccontextmanager
async def row_kept(orders_url: str, number: str) -> AsyncIterator[None]:
    """While this lasts, other transactions can change the order's row, but not delete it."""
    connection = await asyncpg.connect(orders_url.replace("+asyncpg", ""))
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM orders WHERE order_number = $1 FOR KEY SHARE", number)
            yield
    finally:
        await connection.close()


@contextmanager
def unprivileged() -> Iterator[None]:
    """As a user who may change nothing that belongs to another."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(UNPRIVILEGED_UID)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.timeout(300)
async def test_an_erasure_killed_between_files_and_rows_is_completed(
    house: Any, broker: Any, orders_url: str
) -> None:
    order_id = await house.order(age=OLD)
    folder = house.storage.root / str(order_id)
    settings = {
        **os.environ,
        "NATS_URL": broker.url,
        "DATABASE_URL": orders_url,
        "STORAGE_PATH": str(house.storage.root),
    }
    async with row_kept(orders_url, "4711"):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pastelka_orders", "erase", "customer", "--order", "4711", "--yes"),
            env=settings,
        )

        async def waits_for_the_row() -> bool:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            return not folder.exists() and await house.sql.fetchval(waiting) > 0

        await until(waits_for_the_row, LONG)
        process.send_signal(signal.SIGKILL)
        assert await asyncio.wait_for(process.wait(), LONG) == -signal.SIGKILL
    assert await house.numbers() == ["4711"]
    assert (await house.record())["deleted_at"] is None
    assert await house.run_once(None) == (1, 0)
    assert await house.traces() == []
    record = await house.record()
    assert (record["reason"], record["files"], record["bytes"]) == ("customer", 7, 3032)
    assert record["erased_at"] is not None


class DiedError(BaseException):
    """The process is gone."""


class Dying(Eraser):
    """One that dies after a step."""

    step = ""

    async def erase(self, record: ErasureRecord) -> None:
        if self.step != "none":
            await self._delete_files(record)
        if self.step == "rows":
            await self.database.write(lambda c: handlers.delete_order_rows(c, record.order_id))
        raise DiedError


@pytest.mark.parametrize("step", ["none", "files", "rows"])
async def test_an_erasure_interrupted_at_any_step_is_completed(
    house: Any, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.order(age=OLD)
    with monkeypatch.context() as patched:
        patched.setattr(Dying, "step", step)
        patched.setattr(house, "eraser", lambda: Dying(house.database, house.storage))
        with pytest.raises(DiedError):
            await house.run_once()
    await house.run_once()
    assert await house.traces() == []
    assert await house.numbers() == []
    record = await house.record()
    assert (record["photos"], record["pages"], record["files"], record["bytes"]) == (1, 2, 7, 3032)
    assert record["erased_at"] is not None
    assert await house.sql.fetchval("SELECT erased FROM retention") == 1


async def test_an_erasure_with_half_of_the_files_deleted_is_completed(house: Any) -> None:
    order_id = await house.order(age=OLD)
    await house.order(number="4712", shopify_id=99, age=OLD)
    async with row_is_claimed(house, order_id):
        for file in (house.storage.root / str(order_id)).rglob("*.png"):
            file.unlink()
    assert (await house.run_once())[1] == 0
    assert await house.traces() == []
    assert (await house.record())["files"] == 7


@asynccontextmanager
async def row_is_claimed(house: Any, order_id: int) -> AsyncIterator[None]:
    """The erasure is begun and its files are counted; then its process dies."""
    await house.sql.execute(
        """INSERT INTO erasures (order_id, order_number, reason, deleted_at, files, bytes)
        VALUES ($1, '4711', 'retention', NULL, 7, 3032)""",
        order_id,
    )
    yield


async def test_an_undeletable_file_is_reported_and_its_erasure_retried(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/")  # where the driver looks for keys
    order_id = await house.order(age=OLD)
    await house.order(number="4712", shopify_id=99, age=OLD)
    _let_everybody_in(house.storage.root)
    folder = house.storage.root / str(order_id)
    for other in house.storage.root.rglob("*"):
        other.chmod(0o777 if other.is_dir() else 0o666)
    stuck = next(folder.rglob("image_1.svg")).parent
    stuck.chmod(0o555)
    with unprivileged():
        assert await house.run_once() == (1, 1)
    assert await house.numbers() == ["4711"]  # the other one does not wait for it
    assert [file.name for file in folder.rglob("*") if file.is_file()] == [
        file.name for file in stuck.iterdir()
    ]
    record = await house.record()
    assert record["attempts"] == 1
    assert record["last_error"].startswith(f"Not deleted: 2 of its files; the first is {order_id}/")
    assert record["last_error"].endswith("(Permission denied).")
    shown = (await house.api.get("/system"))["retention"]
    assert (shown["waiting"], shown["failing"], shown["error"]) == (1, 1, record["last_error"])
    stuck.chmod(0o777)
    with unprivileged():
        assert await house.run_once() == (1, 0)
    assert await house.traces() == []

    async def is_shown() -> bool:  # what it tells may be a second old
        shown = (await house.api.get("/system"))["retention"]
        return (shown["waiting"], shown["failing"], shown["error"], shown["erased"]) == (0, 0, None, 2)

    await until(is_shown, LONG)


def _let_everybody_in(root: Path) -> None:
    """The folders above are the test runner's own."""
    root.chmod(0o777)
    for folder in root.parents:
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)


async def test_no_row_is_erased_while_the_storage_is_not_mounted(house: Any) -> None:
    await house.order(age=OLD)
    root = house.storage.root
    aside = root.with_name("aside")
    root.rename(aside)
    assert await house.run_once() == (0, 1)
    assert "cannot be read" in (await house.record())["last_error"]
    root.mkdir()  # the empty folder on which it will be mounted
    assert await house.run_once() == (0, 1)
    record = await house.record()
    assert "check that it is mounted" in record["last_error"]
    assert record["attempts"] == 0
    assert await house.numbers() == ["4711"]
    root.rmdir()
    aside.rename(root)
    assert await house.run_once() == (1, 0)
    assert await house.traces() == []
    assert (await house.record())["files"] == 7


async def test_missing_files_do_not_fail_an_erasure(house: Any) -> None:
    order_id = await house.order(age=OLD)
    await house.order(number="4712", shopify_id=99, age=timedelta(days=1))
    await house.storage.erase(str(order_id), [])
    assert await house.run_once() == (1, 0)
    assert (await house.record())["files"] == 0


async def test_symlinks_are_deleted_and_not_followed(house: Any, tmp_path: Path) -> None:
    order_id = await house.order(age=OLD)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.jpg").write_bytes(b"of another user")
    folder = house.storage.root / str(order_id)
    (folder / "a").symlink_to(outside)
    (folder / "b").symlink_to(outside / "kept.jpg")
    assert await house.run_once() == (1, 0)
    assert (outside / "kept.jpg").exists()
    assert not folder.exists()


async def test_files_referenced_outside_the_order_folder_are_deleted_too(house: Any) -> None:
    """A system that was taken over may have had other folders."""
    await house.order(age=OLD)
    await house.storage.write("old/kept.jpg", b"of another order")
    await house.storage.write("old/photo.jpg", b"x" * 50)
    await house.storage.write("old/thumb_photo.jpg.webp", b"x")
    await house.sql.execute("UPDATE images SET path = 'old/photo.jpg'")
    assert await house.run_once() == (1, 0)
    assert house.api.files() == ["old/kept.jpg"]
    assert (await house.record())["files"] == 9


async def test_deleting_an_order_deletes_files_referenced_outside_its_folder(house: Any) -> None:
    await house.order(age=OLD)
    await house.storage.write("old/photo.jpg", b"x" * 50)
    await house.sql.execute("UPDATE images SET path = 'old/photo.jpg'")
    assert (await house.api.http.delete("/orders/4711")).status_code == 204
    assert house.api.files() == []
    assert (await house.record())["files"] == 8


async def test_erasure_completes_without_nats(house: Any, broker: Any) -> None:
    """Messages hold ids only."""
    await house.order(age=OLD)
    await broker.stop()
    try:
        assert await house.retention().run_once()
        await attempt_due(house.database, house.eraser())
    finally:
        await broker.start()
    assert (await house.record())["erased_at"] is not None
    await until(lambda: house.nc.is_connected, LONG)
    await house.published()
    assert await house.traces() == []


@pytest.mark.timeout(600)
async def test_erasing_thousands_of_orders_takes_little_memory(house: Any) -> None:
    count = 2000
    # The pass opens its connections after this; what a power cut may take is not the question here.
    name = await house.sql.fetchval("SELECT current_database()")
    await house.sql.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    await house.sql.execute(
        """INSERT INTO orders (order_number, source, customer_name, created_at, updated_at)
        SELECT 'T' || n, 'manual', 'Ludmila Vopičková', now() - interval '1 year', now() - interval '1 year'
        FROM generate_series(1, $1) n""",
        count,
    )
    await house.sql.execute(
        "INSERT INTO line_items (order_id, position, title) SELECT id, 1, 'Omalovánky' FROM orders"
    )
    await house.sql.execute(
        """INSERT INTO images (line_item_id, position, path, downloaded_at)
        SELECT l.id, 1, l.order_id || '/' || l.id || '/image_1.jpg', now() - interval '1 year'
        FROM line_items l"""
    )
    for row in await house.sql.fetch("SELECT path FROM images"):
        file = FolderStorage(house.storage.root).resolve(row["path"])
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x" * 100)
    reset_peak_memory(os.getpid())
    before = peak_memory(os.getpid())
    assert await house.run_once() == (count, 0)
    assert peak_memory(os.getpid()) - before < 40_000 * 1024
    assert house.api.files() == []
    assert await house.numbers() == []
    assert await house.sql.fetchval("SELECT sum(files) FROM erasures WHERE erased_at IS NOT NULL") == count
