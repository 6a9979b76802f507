"""Malformed webhooks: the readable fields are applied, the rest is kept and read from the shop."""

import json
from typing import Any

import asyncpg
import pytest

from services.orders.tests.shopify.webhook_rows import forget_messages, requests, subjects


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
async def test_unreadable_fields_are_named_on_the_order(
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


async def test_unread_fields_are_cleared_by_a_readable_webhook(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload(email=5))
    assert "unread_fields" in await api.get("/orders/1270")
    await forget_messages(sql)
    await shop.send(payload(), "orders/updated")
    assert "unread_fields" not in await api.get("/orders/1270")
    assert await sql.fetchval("SELECT count(*) FROM unread_webhooks") == 0
    assert await subjects(sql) == ["events.order.1270.order_changed"]


async def test_unread_webhooks_are_deleted_with_the_order(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload(email=5))
    assert (await api.http.delete("/orders/1270")).status_code == 204
    await shop.send(payload(email=6), "orders/updated")
    assert await sql.fetchval("SELECT count(*) FROM unread_webhooks") == 0


async def test_attributes_may_be_a_mapping(shop: Any, payload: Any, api: Any) -> None:
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


async def test_readable_attributes_are_kept_and_a_sync_is_requested(
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


async def test_a_later_unreadable_webhook_removes_no_photo(
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
async def test_a_body_without_an_order_id_is_kept_and_a_fetch_is_requested(
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


async def test_unread_bodies_are_limited_in_number_and_age(shop: Any, sql: asyncpg.Connection) -> None:
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
async def test_unusual_encodings_are_read(shop: Any, sql: asyncpg.Connection, body: bytes, name: str) -> None:
    await shop.send(body)
    found = await sql.fetchrow("SELECT shopify_id, shopify_order_number FROM orders")
    assert tuple(found) == (1, name)


async def test_unusual_values_are_accepted(shop: Any, payload: Any, api: Any) -> None:
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


@pytest.mark.parametrize("name", ["create", "paid", "cancelled", "refunded", "without_customer"])
def test_recorded_payloads_are_complete(payload: Any, name: str) -> None:
    """As documented: an order has all its fields in every webhook, ``null`` where there is nothing."""
    whole, found = payload(), payload(name)
    # Who buys without an account or an address has no such fields.
    assert set(whole) - set(found) <= {"customer", "billing_address", "shipping_address"}
    assert set(found) <= set(whole)
    assert len(whole) > 90
    for item in found["line_items"]:
        assert set(item) == set(whole["line_items"][0])
