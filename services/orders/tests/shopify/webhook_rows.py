"""The rows and messages that a webhook leaves."""

import asyncpg

from pastelka_orders.repository import downloads

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
    """Keys of the requests to the shop that are due."""
    return [row["key"] for row in await sql.fetch("SELECT key FROM shop_jobs ORDER BY key")]


async def forget_messages(sql: asyncpg.Connection) -> None:
    await sql.execute("DELETE FROM outbox")
