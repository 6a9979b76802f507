"""Runs job runners, and waits for the rows of their jobs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg

from pastelka_common.contracts.messages import now
from pastelka_orders.row_jobs import JobRunner
from pastelka_orders.settings import OrdersSettings
from pastelka_orders.shop_requests import FetchOrders
from services.orders.tests.fake_shopify import FakeShopify

LONG = 60.0
"""Deadline in seconds of every wait."""


@asynccontextmanager
async def running(runners: Sequence[JobRunner]) -> AsyncIterator[None]:
    """Run job runners while the body runs."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(runner.run(stop)) for runner in runners]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), LONG)


async def counted(sql: asyncpg.Connection, table: str) -> tuple[int, int]:
    """Attempts and lost claims of all rows."""
    return tuple(await sql.fetchrow(f"SELECT sum(attempts), sum(lost_claims) FROM {table}"))  # noqa: S608


async def all_downloaded(api: Any) -> bool:
    return bool((await api.get("/orders/M1000"))["status"] == "ready_for_review")


async def are_all_erased(sql: asyncpg.Connection) -> bool:
    return bool(await sql.fetchval("SELECT bool_and(erased_at IS NOT NULL) FROM erasures"))


def connected(settings: OrdersSettings, shopify: FakeShopify) -> OrdersSettings:
    values = {"shopify_store_url": shopify.url, "shopify_access_token": shopify.token}
    return OrdersSettings.model_validate(settings.model_dump() | values)


SINCE = FetchOrders(since=now() - timedelta(days=3650))


async def are_all_answered(sql: asyncpg.Connection) -> bool:
    return bool(await sql.fetchval("SELECT count(*) = 0 FROM shop_jobs"))
