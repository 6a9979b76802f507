"""The API of an installation that no shop is connected to."""

from typing import Any

import asyncpg


async def test_nothing_can_be_fetched(api: Any, sql: asyncpg.Connection) -> None:
    assert (await api.post("/orders/fetch-from-shopify", status=409))["code"] == "shop_not_configured"
    await sql.execute("INSERT INTO orders (order_number, source, shopify_id) VALUES ('1', 'shopify', 5)")
    assert (await api.post("/orders/1/sync", status=409))["code"] == "shop_not_configured"
    assert await sql.fetchval("SELECT count(*) FROM outbox") == 0


async def test_no_webhook_is_believed(api: Any) -> None:
    assert (await api.post("/webhooks/shopify", {"id": 1}, status=401))["code"] == "webhook_not_verified"


async def test_the_list_says_so_and_no_order_leads_to_a_shop(api: Any, sql: asyncpg.Connection) -> None:
    await sql.execute("INSERT INTO orders (order_number, source, shopify_id) VALUES ('1', 'shopify', 5)")
    page = await api.get("/orders")
    assert page["shop_configured"] is False
    assert "shop_url" not in page["items"][0]
    assert "shop_url" not in await api.get("/orders/1")
