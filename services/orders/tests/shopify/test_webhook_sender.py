"""Only signed webhooks of the connected shop with a known topic are applied."""

import gzip
import hmac
import json
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from pastelka_orders.shopify import webhook
from pastelka_orders.shopify.webhook import MAX_BYTES
from services.orders.tests.shopify.webhook_rows import DOMAIN, SECRET, TABLES, forget_messages, rows, subjects


@pytest.mark.parametrize(
    "headers",
    [
        {"secret": "another secret"},
        {"X_Shopify_Hmac_Sha256": None},
        {"X_Shopify_Hmac_Sha256": ""},
        {"X_Shopify_Hmac_Sha256": "bm90IGl0"},
    ],
)
async def test_a_webhook_without_a_valid_signature_is_rejected_and_not_stored(
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


async def test_a_webhook_without_a_topic_is_acknowledged(shop: Any, payload: Any) -> None:
    await shop.send(payload(), X_Shopify_Topic=None)


async def test_the_webhook_body_size_is_limited(shop: Any) -> None:
    response = await shop.send(b" " * (MAX_BYTES + 1), status=413)
    assert response.json()["code"] == "content_too_large"


async def test_the_signature_covers_the_bytes_as_received(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    """Not of what they mean: the same order with another blank is signed otherwise."""
    plain = json.dumps(payload()).encode()
    spaced = json.dumps(payload(), indent=1, ensure_ascii=False).encode()
    other = (await shop.send(plain, "products/create")).request.headers["X-Shopify-Hmac-Sha256"]
    await shop.send(spaced, status=401, X_Shopify_Hmac_Sha256=other)
    await shop.send(spaced)
    assert (await api.get("/orders/1270"))["customer_name"] == "Jana Nováková"


async def test_a_compressed_body_is_not_decompressed(
    shop: Any, payload: Any, sql: asyncpg.Connection
) -> None:
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
async def test_an_order_payload_under_a_privacy_topic_is_not_applied(
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


async def test_a_redact_request_under_another_topic_still_applies_later(
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
