"""Webhooks as Shopify documents them, from the request to the rows and messages."""

from typing import Any

import asyncpg
import pytest

from services.orders.tests.shopify.webhook_rows import awaited, forget_messages, requests, subjects


async def test_a_webhook_stores_an_order_with_items_and_photos(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload())
    order = await api.get("/orders/1270")
    assert order["source"] == "shopify"
    assert order["shopify_id"] == 820982911946154508
    assert order["customer_name"] == "Jana Nováková"
    assert order["customer_email"] == "jana.novakova@example.com"
    assert order["payment_status"] == "pending"
    assert order["shipping_method"] == "Zásilkovna"
    assert order["created_at"] == "2026-11-20T10:15:30+01:00"
    assert order["status"] == "downloading"
    first, second, third = order["line_items"]
    assert (first["dedication"], first["layout"], first["quantity"]) == ("Pro Aničku", "Na výšku", 1)
    assert (second["dedication"], second["layout"]) == (None, None)
    assert (third["title"], third["quantity"], third["images"]) == ("Pastelky 12 ks", 2, [])
    assert [image["position"] for image in first["images"]] == [1, 2]
    urls = [row["original_url"] for row in await sql.fetch("SELECT original_url FROM images ORDER BY id")]
    assert urls == [
        "https://uploads.example.com/a/1.jpg",
        "https://uploads.example.com/a/2.jpg",
        "https://uploads.example.com/b/1.jpg",
    ]
    assert await subjects(sql) == ["events.order.1270.order_created"]
    assert await awaited(sql) == [1, 2, 3]


async def test_a_shop_order_is_listed_with_its_shop_url(shop: Any, payload: Any, api: Any) -> None:
    await shop.send(payload())
    await api.order()
    url = "https://admin.shopify.com/store/fotomalovanky-test/orders/820982911946154508"
    found = await api.get("/orders?q=novakova")
    assert found["shop_configured"] is True
    assert [item["shop_url"] for item in found["items"]] == [url]
    assert (await api.get("/orders/1270"))["shop_url"] == url
    assert "shop_url" not in await api.get("/orders/M1000")


async def test_the_payment_status_is_updated_and_rows_are_kept(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload())
    before = await api.get("/orders/1270")
    await forget_messages(sql)
    await shop.send(payload("paid"), "orders/updated")
    assert (await api.get("/orders/1270"))["payment_status"] == "paid"
    await shop.send(payload("refunded"), "orders/updated")
    after = await api.get("/orders/1270")
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after == before | {"payment_status": "partially_refunded"}
    assert await subjects(sql) == ["events.order.1270.order_changed"] * 2


async def test_a_cancelled_order_is_marked_and_keeps_its_photos(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload())
    await shop.send(payload("cancelled"), "orders/cancelled")
    order = await api.get("/orders/1270")
    assert order["payment_status"] == "voided"
    assert sum(len(item["images"]) for item in order["line_items"]) == 3
    assert await sql.fetchval("SELECT cancelled_at IS NOT NULL FROM orders")


async def test_an_order_without_a_customer(shop: Any, payload: Any, api: Any) -> None:
    await shop.send(payload("without_customer"))
    order = await api.get("/orders/1271")
    assert (order["customer_name"], order["customer_email"], order["shipping_method"]) == (None, None, None)


async def test_an_order_with_120_line_items_is_stored(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    sent = payload()
    sample = sent["line_items"][0]
    sent["line_items"] = [
        sample
        | {
            "id": 900 + number,
            "title": f"Kniha {number}",
            "properties": [{"name": "Fotka 1", "value": f"https://uploads.example.com/{number}.jpg"}],
        }
        for number in range(120)
    ]
    await shop.send(sent)
    order = await api.get("/orders/1270")
    assert [item["title"] for item in order["line_items"]] == [f"Kniha {number}" for number in range(120)]
    assert all(len(item["images"]) == 1 for item in order["line_items"])
    assert len(await awaited(sql)) == 120


async def test_changes_by_the_customer_are_applied(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload())
    await sql.execute("UPDATE images SET path = 'x/' || id || '.jpg', downloaded_at = now()")
    await forget_messages(sql)
    sent = payload("paid", email="jana@example.com")
    first, second, third = sent["line_items"]
    first["properties"] = [
        {"name": "Fotka 1", "value": "https://uploads.example.com/a/other.jpg"},
        {"name": "Věnování", "value": "Pro Toníka"},
        {"name": "Rozvržení", "value": "Na šířku"},
    ]
    second["current_quantity"] = 0
    third["quantity"] = third["current_quantity"] = 3
    await shop.send(sent, "orders/updated")
    order = await api.get("/orders/1270")
    assert order["customer_email"] == "jana@example.com"
    assert order["status"] == "downloading"
    one, two, three = order["line_items"]
    assert (one["dedication"], one["layout"]) == ("Pro Toníka", "Na šířku")
    assert [image["url"] is None for image in one["images"]] == [True, False]
    assert (two["quantity"], len(two["images"]), three["quantity"]) == (0, 1, 3)
    assert await subjects(sql) == ["events.order.1270.order_changed"]
    assert await awaited(sql) == [1]
    url = await sql.fetchval("SELECT original_url FROM images WHERE id = 1")
    assert url == "https://uploads.example.com/a/other.jpg"


async def test_a_missing_item_gets_quantity_zero_and_loses_its_pending_photos(
    shop: Any, payload: Any, api: Any
) -> None:
    await shop.send(payload())
    sent = payload("paid")
    sent["line_items"] = sent["line_items"][1:]
    await shop.send(sent, "orders/updated")
    first = (await api.get("/orders/1270"))["line_items"][0]
    assert (first["quantity"], first["images"]) == (0, [])


async def test_orders_with_the_same_number_get_distinct_numbers(shop: Any, payload: Any, api: Any) -> None:
    await shop.send(payload(name=""))
    await shop.send(payload(id=2, name="  "))
    await shop.send(payload(id=3, name="#1270"))
    await shop.send(payload(id=4, name="#1270"))
    numbers = [item["order_number"] for item in (await api.get("/orders"))["items"]]
    assert sorted(numbers) == ["1270", "1270-4", "2", "820982911946154508"]


async def test_an_order_without_photos_is_read_from_the_shop(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    sent = payload()
    for line in sent["line_items"]:
        del line["properties"]
    await shop.send(sent)
    order = await api.get("/orders/1270")
    assert (order["status"], order["line_items"]) == ("processing", [])
    assert await subjects(sql) == ["events.order.1270.order_created"]
    assert await requests(sql) == ["sync.820982911946154508"]


async def test_a_refund_without_items_changes_no_item(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    sent = payload("refunded")
    (refund,) = sent["refunds"]
    assert refund["refund_line_items"] == []
    assert [one["kind"] for one in refund["transactions"]] == ["refund"]
    await shop.send(payload())
    before = await api.get("/orders/1270")
    await shop.send(sent, "orders/updated")
    after = await api.get("/orders/1270")
    assert after["line_items"] == before["line_items"]
    assert after["payment_status"] == "partially_refunded"
    assert await awaited(sql) == [1, 2, 3]


async def test_a_refunded_item_has_no_quantity_left(shop: Any, payload: Any, api: Any) -> None:
    """Shopify keeps ``quantity`` as it was ordered; what is left of it is ``current_quantity``."""
    await shop.send(payload())
    sent = payload("refunded")
    sent["line_items"][2]["current_quantity"] = 1
    sent["refunds"][0]["refund_line_items"] = [
        {
            "id": 104689539,
            "line_item_id": sent["line_items"][2]["id"],
            "quantity": 1,
            "restock_type": "return",
        }
    ]
    await shop.send(sent, "orders/updated")
    assert [item["quantity"] for item in (await api.get("/orders/1270"))["line_items"]] == [1, 1, 1]


async def test_active_work_of_a_cancelled_order_continues(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    """It is paid for; an operator can still cancel or delete it."""
    await shop.send(payload())
    await sql.execute("UPDATE images SET path = 'x/' || id || '.jpg', downloaded_at = now()")
    versions = await api.post("/orders/1270/generate-coloring")
    assert [version["status"] for version in versions] == ["pending"] * 3
    await forget_messages(sql)
    await shop.send(payload("cancelled"), "orders/cancelled")
    for image_id in (1, 2, 3):
        found = await api.get(f"/images/{image_id}/coloring-versions")
        assert [one["status"] for one in found] == ["pending"]
    assert await subjects(sql) == ["events.order.1270.order_changed"]


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([{"title": "PPL", "is_removed": True}, {"title": "Zásilkovna", "is_removed": False}], "Zásilkovna"),
        ([{"title": "PPL", "is_removed": None}], "PPL"),
        ([{"title": "PPL", "is_removed": True}], None),
        ([], None),
    ],
)
async def test_a_removed_shipping_line_is_not_shown(
    shop: Any, payload: Any, api: Any, lines: list[dict[str, Any]], shown: str | None
) -> None:
    await shop.send(payload())
    assert (await api.get("/orders/1270"))["shipping_method"] == "Zásilkovna"
    await shop.send(payload("paid", shipping_lines=lines), "orders/updated")
    order = await api.get("/orders/1270")
    assert (order["shipping_method"], "unread_fields" in order) == (shown, False)


async def test_a_webhook_without_shipping_lines_keeps_the_shipping_method(
    shop: Any, payload: Any, api: Any
) -> None:
    await shop.send(payload())
    sent = payload("paid")
    del sent["shipping_lines"]
    await shop.send(sent, "orders/updated")
    assert (await api.get("/orders/1270"))["shipping_method"] == "Zásilkovna"
