"""The shop cancels an order or removes an item: shown as such, not worked on, and undone with the shop."""

from typing import Any

import asyncpg
import pytest

from pastelka_orders.database import Database
from pastelka_orders.handlers import downloads
from pastelka_orders.repository.orders import StoredPhoto
from services.orders.tests.job_attempts import claimed

ORDER = "/orders/1270"
CANCELLED = "2026-11-20T12:00:00+01:00"


@pytest.fixture
async def stored(shop: Any, payload: Any, api: Any, sql: asyncpg.Connection) -> Any:
    """The order with its photos stored; its items by the shop's order."""
    await shop.send(payload(updated_at="2026-11-20T10:00:00Z"))
    await sql.execute(
        """UPDATE images SET path = '1/1/image_' || id || '.jpg', downloaded_at = now(),
            width = 9, height = 9"""
    )
    return await api.get(ORDER)


def without_item(payload: Any, index: int, quantity: int, at: str) -> Any:
    sent = payload(updated_at=at)
    sent["line_items"][index]["current_quantity"] = quantity
    return sent


async def test_a_cancelled_order_is_shown_and_rejects_work_until_it_is_restored(
    shop: Any, payload: Any, api: Any, stored: Any
) -> None:
    assert "cancelled_at" not in stored
    image_id = next(image["id"] for item in stored["line_items"] for image in item["images"])
    await shop.send(payload(updated_at="2026-11-20T11:00:00Z", cancelled_at=CANCELLED), "orders/cancelled")
    assert (await api.get(ORDER))["cancelled_at"].startswith("2026-11-20T12:00:00")
    assert (await api.get("/orders"))["items"][0]["cancelled_at"]
    for path in (
        f"{ORDER}/generate-coloring",
        f"{ORDER}/generate-svg",
        f"/images/{image_id}/generate-coloring",
    ):
        problem = await api.post(path, status=409)
        assert (problem["code"], "1270 was cancelled" in problem["detail"]) == ("order_cancelled", True)
    for path in (f"{ORDER}/download?what=photos", f"{ORDER}/print"):
        assert (await api.get(path, status=409))["code"] == "order_cancelled"
    await shop.send(payload(updated_at="2026-11-20T12:00:00Z", cancelled_at=None), "orders/updated")
    assert "cancelled_at" not in await api.get(ORDER)
    assert await api.post(f"{ORDER}/generate-coloring", status=202)


async def test_a_webhook_without_cancelled_at_does_not_restore_a_cancelled_order(
    shop: Any, payload: Any, api: Any, stored: Any
) -> None:
    await shop.send(payload(updated_at="2026-11-20T11:00:00Z", cancelled_at=CANCELLED), "orders/cancelled")
    sent = payload(updated_at="2026-11-20T12:00:00Z")
    sent.pop("cancelled_at", None)
    await shop.send(sent, "orders/updated")
    assert (await api.get(ORDER))["cancelled_at"]


async def test_a_removed_item_is_excluded_until_it_is_restored(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection, stored: Any
) -> None:
    index = next(n for n, item in enumerate(stored["line_items"]) if item["images"])
    gone = {image["id"] for image in stored["line_items"][index]["images"]}
    count = (await api.get("/orders"))["items"][0]["image_count"]
    await shop.send(without_item(payload, index, 0, "2026-11-20T11:00:00Z"), "orders/updated")
    items = (await api.get(ORDER))["line_items"]
    assert [item.get("removed") for item in items] == [n == index or None for n in range(len(items))]
    assert (await api.get("/orders"))["items"][0]["image_count"] == count - len(gone)
    problem = await api.post(f"/images/{min(gone)}/generate-coloring", status=409)
    assert problem["code"] == "line_item_removed"
    made = await api.post(f"{ORDER}/generate-coloring", status=202)
    images = await sql.fetch("SELECT image_id FROM coloring_versions")
    assert len(made) == count - len(gone)
    assert not gone & {row["image_id"] for row in images}
    await shop.send(without_item(payload, index, 1, "2026-11-20T12:00:00Z"), "orders/updated")
    assert all("removed" not in item for item in (await api.get(ORDER))["line_items"])
    assert await api.post(f"/images/{min(gone)}/generate-coloring", status=202)


async def test_no_automatic_processing_starts_for_a_photo_of_a_removed_item(
    shop: Any, payload: Any, sql: asyncpg.Connection, database: Database
) -> None:
    await shop.send(payload(updated_at="2026-11-20T10:00:00Z"))
    await sql.execute("UPDATE line_items SET quantity = 0")
    row = await sql.fetchrow("SELECT id FROM images ORDER BY id LIMIT 1")
    claim = await claimed(database, downloads.Downloads.table, row["id"])
    photo = StoredPhoto(1, "1/1/image_1.jpg", 9, 9)
    await database.write(lambda connection: downloads.stored(connection, claim, photo, "svg"))
    assert await sql.fetchval("SELECT count(*) FROM coloring_versions") == 0


async def test_a_change_by_the_shop_after_an_approval_needs_attention_until_acknowledged(
    shop: Any, payload: Any, api: Any, stored: Any, worker: Any
) -> None:
    image_id = next(image["id"] for item in stored["line_items"] for image in item["images"])
    version = await api.post(f"/images/{image_id}/generate-coloring")
    await worker.end("coloring", version["id"])
    await shop.send(payload(updated_at="2026-11-20T11:00:00Z", financial_status="partially_paid"))
    assert "attention" not in await api.get(ORDER)
    await api.post(f"/images/{image_id}/approve", status=200)
    await shop.send(payload(updated_at="2026-11-20T12:00:00Z", financial_status="partially_paid"))
    assert "attention" not in await api.get(ORDER)
    await shop.send(without_item(payload, 0, 0, "2026-11-20T13:00:00Z"))
    changed = await api.get(ORDER)
    assert (changed["stage"], changed["attention"]) == ("attention", ["shop_changed"])
    seen = await api.http.patch(ORDER, json={"is_attention_seen": True})
    assert seen.status_code == 200
    assert (seen.json()["stage"] != "attention", "attention" in seen.json()) == (True, False)
