"""The API of an installation that no shop is connected to."""

from typing import Any

import asyncpg


async def test_fetch_and_sync_are_rejected_without_a_shop(api: Any, sql: asyncpg.Connection) -> None:
    assert (await api.post("/orders/fetch-from-shopify", status=409))["code"] == "shop_not_configured"
    await sql.execute("INSERT INTO orders (order_number, source, shopify_id) VALUES ('1', 'shopify', 5)")
    assert (await api.post("/orders/1/sync", status=409))["code"] == "shop_not_configured"
    assert await sql.fetchval("SELECT count(*) FROM outbox") == 0


async def test_webhooks_are_rejected_without_a_shop(api: Any) -> None:
    assert (await api.post("/webhooks/shopify", {"id": 1}, status=401))["code"] == "webhook_not_verified"


async def test_the_list_reports_no_shop_and_orders_have_no_shop_url(
    api: Any, sql: asyncpg.Connection
) -> None:
    await sql.execute("INSERT INTO orders (order_number, source, shopify_id) VALUES ('1', 'shopify', 5)")
    page = await api.get("/orders")
    assert page["shop_configured"] is False
    assert "shop_url" not in page["items"][0]
    assert "shop_url" not in await api.get("/orders/1")
