"""Webhooks as Shopify documents them, from the request to the rows and messages."""

import asyncio
import gzip
import hmac
import json
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from pastelka_orders.repository import downloads
from pastelka_orders.shopify import webhook
from pastelka_orders.shopify.webhook import MAX_BYTES

SECRET = "a-webhook-secret"
DOMAIN = "fotomalovanky-test.myshopify.com"

TABLES = ("orders", "line_items", "images", "outbox", "shopify_webhooks")


async def rows(sql: asyncpg.Connection) -> dict[str, int]:
    return {table: await sql.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}  # noqa: S608


async def subjects(sql: asyncpg.Connection) -> list[str]:
    return [row["subject"] for row in await sql.fetch("SELECT subject FROM outbox ORDER BY id")]


async def awaited(sql: asyncpg.Connection) -> list[int]:
    """Ids of the images whose photos are due to be downloaded."""
    rows = await sql.fetch(
        f"SELECT id FROM images WHERE {downloads.AWAITED} AND next_attempt_at <= now() ORDER BY id"  # noqa: S608
    )
    return [row["id"] for row in rows]


async def requests(sql: asyncpg.Connection) -> list[str]:
    """Keys of what the shop is to be asked."""
    return [row["key"] for row in await sql.fetch("SELECT key FROM shop_jobs ORDER BY key")]


async def forget_messages(sql: asyncpg.Connection) -> None:
    await sql.execute("DELETE FROM outbox")


async def test_an_order_comes_in_with_items_and_photos(
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


async def test_it_is_found_in_the_list_and_leads_to_the_shop(shop: Any, payload: Any, api: Any) -> None:
    await shop.send(payload())
    await api.order()
    url = "https://admin.shopify.com/store/fotomalovanky-test/orders/820982911946154508"
    found = await api.get("/orders?q=novakova")
    assert found["shop_configured"] is True
    assert [item["shop_url"] for item in found["items"]] == [url]
    assert (await api.get("/orders/1270"))["shop_url"] == url
    assert "shop_url" not in await api.get("/orders/M1000")


async def test_payment_is_followed_and_the_rows_stay(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload())
    before = await api.get("/orders/1270")
    await forget_messages(sql)
    await shop.send(payload("paid"), "orders/updated")
    assert (await api.get("/orders/1270"))["payment_status"] == "paid"
    await shop.send(payload("refunded"), "orders/updated")
    after = await api.get("/orders/1270")
    assert after == before | {"payment_status": "partially_refunded"}
    assert await subjects(sql) == ["events.order.1270.order_changed"] * 2


async def test_a_cancelled_order_says_so_and_nothing_is_lost(
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


async def test_120_line_items(shop: Any, payload: Any, api: Any, sql: asyncpg.Connection) -> None:
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


async def test_what_the_customer_changed_is_taken_over(
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


async def test_an_item_that_is_gone_has_no_quantity_and_its_photos_are_not_awaited(
    shop: Any, payload: Any, api: Any
) -> None:
    await shop.send(payload())
    sent = payload("paid")
    sent["line_items"] = sent["line_items"][1:]
    await shop.send(sent, "orders/updated")
    first = (await api.get("/orders/1270"))["line_items"][0]
    assert (first["quantity"], first["images"]) == (0, [])


async def test_what_is_older_changes_nothing(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload("paid"), "orders/updated")
    await forget_messages(sql)
    await shop.send(payload())
    assert (await api.get("/orders/1270"))["payment_status"] == "paid"
    assert await subjects(sql) == []


async def test_an_unchanged_order_publishes_no_event(
    shop: Any, payload: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload())
    before = await rows(sql)
    await shop.send(payload(), "orders/updated")
    assert await rows(sql) == before


async def test_a_replay_does_nothing(shop: Any, payload: Any, api: Any, sql: asyncpg.Connection) -> None:
    await shop.send(payload(), webhook_id="b54557e4-bdd9-4b37-8a5f-bf7d70bcd043")
    before = await rows(sql)
    changed = payload("paid", updated_at=None)
    await shop.send(changed, "orders/updated", webhook_id="b54557e4-bdd9-4b37-8a5f-bf7d70bcd043")
    assert (await api.get("/orders/1270"))["payment_status"] == "pending"
    assert await rows(sql) == before


async def test_ids_of_webhooks_are_forgotten_after_a_week(
    shop: Any, payload: Any, sql: asyncpg.Connection
) -> None:
    await sql.execute(
        """INSERT INTO shopify_webhooks (id, received_at)
        VALUES ('old', now() - interval '8 days'), ('new', now() - interval '6 days')"""
    )
    await shop.send(payload(), webhook_id="now")
    kept = [row["id"] for row in await sql.fetch("SELECT id FROM shopify_webhooks ORDER BY id")]
    assert kept == ["new", "now"]


@pytest.mark.parametrize(
    "headers",
    [
        {"secret": "another secret"},
        {"X_Shopify_Hmac_Sha256": None},
        {"X_Shopify_Hmac_Sha256": ""},
        {"X_Shopify_Hmac_Sha256": "bm90IGl0"},
    ],
)
async def test_what_is_not_signed_is_refused_and_nothing_is_stored(
    shop: Any, payload: Any, sql: asyncpg.Connection, headers: dict[str, Any]
) -> None:
    response = await shop.send(payload(), status=401, **headers)
    assert response.json()["code"] == "webhook_not_verified"
    assert await rows(sql) == dict.fromkeys(TABLES, 0)


async def test_a_changed_body_is_not_signed(shop: Any, payload: Any, sql: asyncpg.Connection) -> None:
    good = (await shop.send(payload(), "products/create")).request.headers["X-Shopify-Hmac-Sha256"]
    await shop.send(payload(name="#1"), status=401, X_Shopify_Hmac_Sha256=good)
    assert await rows(sql) == dict.fromkeys(TABLES, 0)


async def test_another_shop_is_refused(shop: Any, payload: Any, sql: asyncpg.Connection) -> None:
    response = await shop.send(payload(), domain="other-shop.myshopify.com", status=403)
    assert response.json()["code"] == "other_shop"
    assert await rows(sql) == dict.fromkeys(TABLES, 0)


@pytest.mark.parametrize("topic", ["refunds/create", "products/update", "orders/paid", "customers/create"])
async def test_other_topics_are_acknowledged_and_ignored(
    shop: Any, payload: Any, sql: asyncpg.Connection, topic: str
) -> None:
    await shop.send(payload(), topic)
    await shop.send([1, 2], topic)
    assert await rows(sql) == dict.fromkeys(TABLES, 0)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "created_at"),
        ({"email": 5}, "email"),
        ({"customer": "Jana"}, "customer"),
        ({"customer": {"first_name": []}}, "customer.first_name"),
        ({"shipping_lines": {}}, "shipping_lines"),
        ({"line_items": [{"title": "x"}]}, "line_items.0.id"),
        ({"line_items": [{"id": 1, "quantity": 2**40, "properties": []}]}, "line_items.0.quantity"),
    ],
)
async def test_what_cannot_be_read_is_named_on_the_order(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection, changed: dict[str, Any], field: str
) -> None:
    sent = payload(**changed)
    await shop.send(sent)
    order = await api.get("/orders/1270")
    assert order["payment_status"] == "pending"
    (problem,) = order["unread_fields"]
    assert problem.startswith(f"{field}: ")
    (row,) = (await api.get("/orders"))["items"]
    assert row["unread_fields"] == [problem]
    kept = await sql.fetchrow("SELECT topic, body FROM unread_webhooks")
    assert (kept["topic"], json.loads(kept["body"])) == ("orders/create", sent)


async def test_what_could_not_be_read_is_forgotten_once_all_is(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload(email=5))
    assert "unread_fields" in await api.get("/orders/1270")
    await forget_messages(sql)
    await shop.send(payload(), "orders/updated")
    assert "unread_fields" not in await api.get("/orders/1270")
    assert await sql.fetchval("SELECT count(*) FROM unread_webhooks") == 0
    assert await subjects(sql) == ["events.order.1270.order_changed"]


async def test_what_could_not_be_read_goes_with_the_order(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload(email=5))
    assert (await api.http.delete("/orders/1270")).status_code == 204
    await shop.send(payload(email=6), "orders/updated")
    assert await sql.fetchval("SELECT count(*) FROM unread_webhooks") == 0


async def test_other_spellings_of_attributes_are_read(shop: Any, payload: Any, api: Any) -> None:
    sent = payload()
    first, second, third = sent["line_items"]
    first["properties"] = {}
    second["properties"] = {"Fotka 1": "https://uploads.example.com/1.jpg", "Věnování": "Pro Aničku"}
    third["properties"] = []
    await shop.send(sent)
    order = await api.get("/orders/1270")
    assert "unread_fields" not in order
    assert [len(item["images"]) for item in order["line_items"]] == [0, 1, 0]
    assert order["line_items"][1]["dedication"] == "Pro Aničku"


async def test_the_rest_of_broken_attributes_is_read_and_the_shop_is_asked(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    sent = payload()
    sent["line_items"][0]["properties"] = [
        {"name": 5, "value": "https://uploads.example.com/0.jpg"},
        {"name": "Fotka 1", "value": "https://uploads.example.com/1.jpg"},
        {"name": "Fotka 2", "value": {"url": "https://uploads.example.com/2.jpg"}},
        "Fotka 3",
    ]
    await shop.send(sent)
    order = await api.get("/orders/1270")
    assert [problem.partition(": ")[0] for problem in order["unread_fields"]] == [
        "line_items.0.properties.0.name",
        "line_items.0.properties.2.value",
        "line_items.0.properties.3",
    ]
    assert [image["position"] for image in order["line_items"][0]["images"]] == [1]
    assert await requests(sql) == ["sync.820982911946154508"]


async def test_a_later_webhook_that_is_broken_takes_no_photo_away(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload())
    before = await api.get("/orders/1270")
    sent = payload("paid")
    sent["line_items"][0]["properties"] = "Fotka 1"
    await shop.send(sent, "orders/updated")
    after = await api.get("/orders/1270")
    assert after["line_items"] == before["line_items"]
    assert after["payment_status"] == "paid"
    assert len(after["unread_fields"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"[1]",
        b"null",
        b'"text"',
        b"{}",
        b'{"id": 1',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"id": ' + b"9" * 5000 + b"}",
        b'{"id": null, "name": "#1"}',
        json.dumps({"id": 1, "name": "x"}).encode("utf-16"),
    ],
)
async def test_a_body_that_names_no_order_is_kept_and_the_shop_is_asked(
    shop: Any, sql: asyncpg.Connection, body: bytes
) -> None:
    await shop.send(body)
    await shop.send(body)
    assert await sql.fetchval("SELECT count(*) FROM orders") == 0
    (kept,) = await sql.fetch("SELECT order_id, body, problems FROM unread_webhooks")
    assert (kept["order_id"], kept["body"]) == (None, body[: 256 * 1024])
    assert json.loads(kept["problems"])
    assert await subjects(sql) == []
    assert {key.partition(" ")[0] for key in await requests(sql)} == {"fetch.shopify"}


async def test_kept_bodies_are_few_and_forgotten(shop: Any, sql: asyncpg.Connection) -> None:
    await sql.execute(
        """INSERT INTO unread_webhooks (topic, body, body_digest, problems, received_at)
        SELECT 'x', 'old'::bytea, sha256(n::text::bytea), '[]'::jsonb, now() - interval '31 days'
            FROM generate_series(1, 5) n
        UNION ALL SELECT 'x', 'new', sha256(n::text::bytea), '[]', now() FROM generate_series(6, 150) n"""
    )
    await shop.send(b"no json")
    assert await sql.fetchval("SELECT count(*) FROM unread_webhooks WHERE body = 'old'") == 0
    assert await sql.fetchval("SELECT count(*) FROM unread_webhooks") == 100


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"id": 1, "name": "a\\ud800"}', "a"),
        (b'{"id": 1, "name": "a\xff"}', "a\ufffd"),
        (b'\xef\xbb\xbf{"id": 1, "name": "a"}', "a"),
        (b'{"admin_graphql_api_id": "gid://shopify/Order/1", "name": "a"}', "a"),
    ],
)
async def test_odd_encodings_are_read(shop: Any, sql: asyncpg.Connection, body: bytes, name: str) -> None:
    await shop.send(body)
    found = await sql.fetchrow("SELECT shopify_id, shopify_order_number FROM orders")
    assert tuple(found) == (1, name)


async def test_a_webhook_without_a_topic_is_acknowledged(shop: Any, payload: Any) -> None:
    await shop.send(payload(), X_Shopify_Topic=None)


async def test_a_body_has_a_limit(shop: Any) -> None:
    response = await shop.send(b" " * (MAX_BYTES + 1), status=413)
    assert response.json()["code"] == "content_too_large"


async def test_odd_values_are_no_error(shop: Any, payload: Any, api: Any) -> None:
    sent = payload(id="1270", name="#A/\u0000B.1", financial_status=None, created_at=None, updated_at=None)
    sent["line_items"][0]["properties"] = [
        {"name": "Fotka 1", "value": 5},
        {"name": "Fotka 2", "value": None},
        {"name": None, "value": "https://x.example.com/1.jpg"},
        {"name": "Věnování", "value": 2026},
    ]
    await shop.send(sent)
    order = await api.get("/orders/A-B.1")
    assert (order["shopify_id"], order["payment_status"]) == (1270, None)
    assert order["line_items"][0]["dedication"] == "2026"
    assert order["line_items"][0]["images"] == []


async def test_orders_of_one_number_do_not_clash(shop: Any, payload: Any, api: Any) -> None:
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


async def test_twenty_at_once_make_one_order(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await asyncio.gather(
        *(shop.send(payload()) for _ in range(10)),
        *(shop.send(payload("paid"), "orders/updated") for _ in range(10)),
    )
    assert await rows(sql) | {"shopify_webhooks": 0, "outbox": 0} == {
        "orders": 1,
        "line_items": 3,
        "images": 3,
        "outbox": 0,
        "shopify_webhooks": 0,
    }
    assert (await api.get("/orders/1270"))["payment_status"] == "paid"
    told = await subjects(sql)
    assert (
        sorted(set(told))
        == [
            "events.order.1270.order_changed",
            "events.order.1270.order_created",
        ]
        or "events.order.1270.order_changed" not in told
    )
    assert await awaited(sql) == [1, 2, 3]


async def test_a_deleted_order_does_not_come_back_by_itself(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload())
    assert (await api.http.delete("/orders/1270")).status_code == 204
    await forget_messages(sql)
    await shop.send(payload("paid"), "orders/updated")
    await api.get("/orders/1270", status=404)
    assert await subjects(sql) == []
    await shop.send(payload(id=5), "orders/create")
    assert (await api.get("/orders/1270"))["shopify_id"] == 5


async def test_deleting_and_updating_at_once_is_no_error(shop: Any, payload: Any, api: Any) -> None:
    await shop.send(payload())
    sent = payload("paid")
    sent["line_items"][0]["properties"].append({"name": "Fotka 9", "value": "https://x.example.com/9.jpg"})
    answers = await asyncio.gather(
        *(shop.send(sent, "orders/updated") for _ in range(4)), api.http.delete("/orders/1270")
    )
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 204]


async def test_what_comes_before_the_order_itself_makes_it(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    """Shopify promises no order: the cancellation may be the first that is heard of it."""
    await shop.send(payload("cancelled"), "orders/cancelled")
    await shop.send(payload("paid"), "orders/updated")
    await shop.send(payload())
    order = await api.get("/orders/1270")
    assert order["payment_status"] == "voided"
    assert order["created_at"] == "2026-11-20T10:15:30+01:00"
    assert await sql.fetchval("SELECT cancelled_at IS NOT NULL FROM orders")
    assert await rows(sql) | {"outbox": 0} == {
        "orders": 1,
        "line_items": 3,
        "images": 3,
        "outbox": 0,
        "shopify_webhooks": 3,
    }


async def test_two_changes_of_the_same_second_both_count(shop: Any, payload: Any, api: Any) -> None:
    await shop.send(payload())
    moment = "2026-11-21T09:00:00+01:00"
    await shop.send(payload("paid", updated_at=moment), "orders/updated")
    await shop.send(payload("refunded", updated_at=moment), "orders/updated")
    assert (await api.get("/orders/1270"))["payment_status"] == "partially_refunded"


async def test_a_refund_of_money_alone_changes_no_item(
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


async def test_the_same_webhook_twenty_times_at_once_is_applied_once(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    answers = await asyncio.gather(*(shop.send(payload(), webhook_id="one") for _ in range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert await rows(sql) == {
        "orders": 1,
        "line_items": 3,
        "images": 3,
        "outbox": 1,
        "shopify_webhooks": 1,
    }


async def test_a_webhook_that_could_not_be_applied_may_come_again(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    """Its id is noted with what it changed, or not at all."""
    await sql.execute(
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = 'check_violation'; END$$;
        CREATE TRIGGER refuse BEFORE INSERT ON images FOR EACH ROW EXECUTE FUNCTION refuse()"""
    )
    await shop.send(payload(), status=500, webhook_id="again")
    assert await rows(sql) == dict.fromkeys(TABLES, 0)
    await sql.execute("DROP TRIGGER refuse ON images")
    await shop.send(payload(), webhook_id="again")
    assert (await rows(sql))["images"] == 3


async def test_the_signature_is_of_the_bytes_as_they_came(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    """Not of what they mean: the same order with another blank is signed otherwise."""
    plain = json.dumps(payload()).encode()
    spaced = json.dumps(payload(), indent=1, ensure_ascii=False).encode()
    other = (await shop.send(plain, "products/create")).request.headers["X-Shopify-Hmac-Sha256"]
    await shop.send(spaced, status=401, X_Shopify_Hmac_Sha256=other)
    await shop.send(spaced)
    assert (await api.get("/orders/1270"))["customer_name"] == "Jana Nováková"


async def test_a_compressed_body_is_not_unpacked(shop: Any, payload: Any, sql: asyncpg.Connection) -> None:
    """Shopify sends none; a bomb in one is a few bytes that are no JSON."""
    packed = gzip.compress(json.dumps(payload()).encode())
    await shop.send(packed, Content_Encoding="gzip")
    bomb = gzip.compress(bytes(1 << 28))
    await shop.send(bomb, Content_Encoding="gzip")
    assert await sql.fetchval("SELECT count(*) FROM orders") == 0
    assert [len(row["body"]) for row in await sql.fetch("SELECT body FROM unread_webhooks ORDER BY id")] == [
        len(packed),
        min(len(bomb), 256 * 1024),
    ]


async def test_a_body_under_another_topic_or_id_is_the_same_webhook(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    """The signature covers the body only: who has one may send it again under any header."""
    first = payload(updated_at=None)
    await shop.send(first)
    await shop.send(payload("paid", updated_at=None), "orders/updated")
    await forget_messages(sql)
    before = await api.get("/orders/1270")
    for topic in ("orders/updated", "orders/create", "orders/cancelled"):
        await shop.send(first, topic)
    assert await api.get("/orders/1270") == before
    assert await subjects(sql) == []


@pytest.mark.parametrize("topic", ["customers/redact", "customers/data_request", "shop/redact"])
async def test_an_order_is_no_privacy_request(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection, topic: str
) -> None:
    await shop.send(payload())
    await shop.send(payload("paid"), topic)
    await shop.send(payload(orders_to_redact=[820982911946154508], shop_domain=DOMAIN), topic)
    assert (await api.get("/orders/1270"))["payment_status"] == "pending"
    assert await sql.fetchval("SELECT count(*) FROM erasures") == 0
    assert await sql.fetchval("SELECT count(*) FROM unread_webhooks WHERE topic = $1", topic) == 2


REDACT = {
    "shop_id": 1,
    "shop_domain": DOMAIN,
    "customer": {"id": 1, "email": "jana.novakova@example.com"},
    "orders_to_redact": [820982911946154508],
}
DATA_REQUEST = {
    "shop_id": 1,
    "shop_domain": DOMAIN,
    "customer": {"id": 1, "email": "jana.novakova@example.com"},
    "orders_requested": [820982911946154508],
    "data_request": {"id": 9},
}


@pytest.mark.parametrize(
    "request_",
    [
        DATA_REQUEST,
        {"shop_id": 1, "shop_domain": DOMAIN},
        REDACT | {"shop_domain": "other.myshopify.com"},
        {name: value for name, value in REDACT.items() if name != "shop_domain"},
        {name: value for name, value in REDACT.items() if name != "orders_to_redact"},
        REDACT | {"line_items": []},
    ],
)
async def test_only_a_redact_request_erases(
    shop: Any, payload: Any, sql: asyncpg.Connection, request_: dict[str, Any]
) -> None:
    await shop.send(payload())
    await shop.send(request_, "customers/redact")
    assert await sql.fetchval("SELECT count(*) FROM erasures") == 0
    await shop.send(REDACT, "customers/redact")
    assert await sql.fetchval("SELECT count(*) FROM erasures") == 1


async def test_a_redact_request_is_no_order_and_still_works_afterwards(
    shop: Any, payload: Any, sql: asyncpg.Connection
) -> None:
    """Sent under another topic first, it must not count as applied."""
    await shop.send(payload())
    for topic in ("orders/create", "customers/data_request", "shop/redact"):
        await shop.send(REDACT, topic)
    assert await sql.fetchval("SELECT count(*) FROM erasures") == 0
    await shop.send(REDACT, "customers/redact")
    assert await sql.fetchval("SELECT count(*) FROM erasures") == 1
    assert await sql.fetchval("SELECT count(*) FROM unread_webhooks") == 0, "it may be of the customer"


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([{"title": "PPL", "is_removed": True}, {"title": "Zásilkovna", "is_removed": False}], "Zásilkovna"),
        ([{"title": "PPL", "is_removed": None}], "PPL"),
        ([{"title": "PPL", "is_removed": True}], None),
        ([], None),
    ],
)
async def test_a_delivery_that_was_removed_is_not_shown(
    shop: Any, payload: Any, api: Any, lines: list[dict[str, Any]], shown: str | None
) -> None:
    await shop.send(payload())
    assert (await api.get("/orders/1270"))["shipping_method"] == "Zásilkovna"
    await shop.send(payload("paid", shipping_lines=lines), "orders/updated")
    order = await api.get("/orders/1270")
    assert (order["shipping_method"], "unread_fields" in order) == (shown, False)


async def test_a_delivery_that_is_not_said_stays(shop: Any, payload: Any, api: Any) -> None:
    await shop.send(payload())
    sent = payload("paid")
    del sent["shipping_lines"]
    await shop.send(sent, "orders/updated")
    assert (await api.get("/orders/1270"))["shipping_method"] == "Zásilkovna"


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the one function that is made for it, whatever was sent."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(first: bytes, second: bytes) -> bool:
        compared.append((first, second))
        return hmac.compare_digest(first, second)

    monkeypatch.setattr(webhook, "hmac", SimpleNamespace(new=hmac.new, compare_digest=compare))
    for sent in ("", "x", "\u017e", "A" * 44, "A" * 100_000):
        assert not webhook.is_signed(b"{}", sent, SECRET)
    assert len(compared) == 5


@pytest.mark.parametrize("name", ["create", "paid", "cancelled", "refunded", "without_customer"])
def test_recorded_payloads_are_whole(payload: Any, name: str) -> None:
    """As documented: an order has all its fields in every webhook, ``null`` where there is nothing."""
    whole, found = payload(), payload(name)
    # Who buys without an account or an address has no such fields.
    assert set(whole) - set(found) <= {"customer", "billing_address", "shipping_address"}
    assert set(found) <= set(whole)
    assert len(whole) > 90
    for item in found["line_items"]:
        assert set(item) == set(whole["line_items"][0])
