"""Repeated, concurrent and late webhooks of an order."""

import asyncio
from typing import Any

import asyncpg

from services.orders.tests.shopify.webhook_rows import TABLES, awaited, forget_messages, rows, subjects


async def test_an_older_webhook_changes_nothing(
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


async def test_webhook_ids_are_deleted_after_a_week(shop: Any, payload: Any, sql: asyncpg.Connection) -> None:
    await sql.execute(
        """INSERT INTO shopify_webhooks (id, received_at)
        VALUES ('old', now() - interval '8 days'), ('new', now() - interval '6 days')"""
    )
    await shop.send(payload(), webhook_id="now")
    kept = [row["id"] for row in await sql.fetch("SELECT id FROM shopify_webhooks ORDER BY id")]
    assert kept == ["new", "now"]


async def test_twenty_concurrent_webhooks_create_one_order(
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


async def test_a_webhook_does_not_restore_a_deleted_order(
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


async def test_a_concurrent_deletion_and_update_both_succeed(shop: Any, payload: Any, api: Any) -> None:
    await shop.send(payload())
    sent = payload("paid")
    sent["line_items"][0]["properties"].append({"name": "Fotka 9", "value": "https://x.example.com/9.jpg"})
    answers = await asyncio.gather(
        *(shop.send(sent, "orders/updated") for _ in range(4)), api.http.delete("/orders/1270")
    )
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 204]


async def test_an_update_received_before_the_create_webhook_creates_the_order(
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


async def test_two_changes_in_the_same_second_are_both_applied(shop: Any, payload: Any, api: Any) -> None:
    await shop.send(payload())
    moment = "2026-11-21T09:00:00+01:00"
    await shop.send(payload("paid", updated_at=moment), "orders/updated")
    await shop.send(payload("refunded", updated_at=moment), "orders/updated")
    assert (await api.get("/orders/1270"))["payment_status"] == "partially_refunded"


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


async def test_a_webhook_that_failed_is_applied_on_redelivery(
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
