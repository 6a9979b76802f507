"""The databases of two workers, and a shop."""

from collections.abc import AsyncIterator

import pytest_asyncio

from pastelka_orders.database import Database
from services.orders.tests.fake_shopify import Bucket, FakeShopify


@pytest_asyncio.fixture(loop_scope="session")
async def databases(orders_url: str) -> AsyncIterator[list[Database]]:
    """The databases of two workers."""
    found = [Database(orders_url) for _ in range(2)]
    yield found
    for database in found:
        await database.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def shopify() -> AsyncIterator[FakeShopify]:
    """A fake of the shop's Admin API."""
    async with FakeShopify(bucket=Bucket(size=10_000, rate=10_000)) as fake:
        yield fake
