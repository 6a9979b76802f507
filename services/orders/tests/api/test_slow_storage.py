"""A storage that is slow holds up its own requests and no other; what an upload leaves is deleted."""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from PIL import Image

from pastelka_common.storage import FolderStorage
from pastelka_common.testing.waiting import until
from pastelka_orders.database import Database
from pastelka_orders.handlers import orders
from pastelka_orders.settings import OrdersSettings

UPLOADS = 10


@pytest.fixture
def settings(settings: OrdersSettings) -> OrdersSettings:
    """As many connections as uploads at once."""
    return settings.model_copy(update={"database_pool_size": 2})


async def test_uploads_to_a_slow_storage_hold_no_connection(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await api.order()
    image_id = order["line_items"][0]["images"][0]["id"]
    version = await api.post(f"/images/{image_id}/generate-coloring")
    go_on, waiting, real = asyncio.Event(), [], FolderStorage.put_file

    async def slow(self: FolderStorage, path: str, source: Path) -> None:
        waiting.append(path)
        await go_on.wait()
        await real(self, path, source)

    monkeypatch.setattr(FolderStorage, "put_file", slow)
    async with asyncio.TaskGroup() as group:
        uploads = [group.create_task(api.order()) for _ in range(UPLOADS)]

        async def all_wait() -> bool:
            return len(waiting) == UPLOADS

        try:
            await until(all_wait, 60)
            async with asyncio.timeout(30):
                cancelled = await api.http.post(f"/coloring-versions/{version['id']}/cancel")
                deleted = await api.http.delete("/orders/M1000")
        finally:
            go_on.set()
    assert (cancelled.status_code, deleted.status_code) == (200, 204)
    assert sorted(task.result()["order_number"] for task in uploads) == [
        f"M{number}" for number in range(1001, 1001 + UPLOADS)
    ]


async def test_an_upload_that_fails_leaves_nothing(
    api: Any, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FolderStorage.put_file

    async def fails(self: FolderStorage, path: str, source: Path) -> None:
        if path.endswith("image_2.jpg"):
            raise OSError(28, "No space left on device")
        await real(self, path, source)

    monkeypatch.setattr(FolderStorage, "put_file", fails)
    problem = await api.upload([(f"{n}.jpg", _jpeg()) for n in range(3)], status=503)
    assert problem["code"] == "storage_full"
    assert api.files() == []
    assert await sql.fetchval("SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM uploads)") == 0


async def test_files_of_an_upload_interrupted_by_a_crash_are_deleted(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    await api.order()
    kept = api.files()
    await sql.execute(
        """INSERT INTO uploads (order_id, line_item_id, started_at) VALUES
            (77, 77, clock_timestamp() - interval '7 hours'), (78, 78, clock_timestamp())"""
    )
    for order_id in (77, 78):
        await api.stored.write(f"{order_id}/{order_id}/image_1.jpg", b"photo")
    assert await orders.discard_abandoned(database, api.stored) == 1
    assert api.files() == sorted([*kept, "78/78/image_1.jpg"])
    assert [row["order_id"] for row in await sql.fetch("SELECT order_id FROM uploads")] == [78]


async def test_an_upload_marked_abandoned_adds_no_order(
    api: Any, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FolderStorage.put_file

    async def very_slow(self: FolderStorage, path: str, source: Path) -> None:
        await sql.execute("UPDATE uploads SET is_abandoned = true")
        await real(self, path, source)

    monkeypatch.setattr(FolderStorage, "put_file", very_slow)
    problem = await api.upload([("1.jpg", _jpeg())], status=503)
    assert (problem["code"], api.files()) == ("upload_abandoned", [])
    assert await sql.fetchval("SELECT count(*) FROM orders") == 0


def _jpeg() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (120, 90), (200, 10, 10)).save(buffer, "JPEG")
    return buffer.getvalue()
