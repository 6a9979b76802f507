"""Transactions in edge cases, and connections that died while idle."""

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.database import Database

_END_ALL = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
_ADD = text("INSERT INTO orders (order_number, source) VALUES (:number, 'manual')")


async def one(connection: AsyncConnection) -> int:
    return int((await connection.execute(text("SELECT 1"))).scalar_one())


async def orders(sql: asyncpg.Connection) -> int:
    return await sql.fetchval("SELECT count(*) FROM orders")


async def test_dead_connections_of_the_pool_fail_no_call(database: Database, sql: asyncpg.Connection) -> None:
    assert await database.read(one) == await database.write(one) == 1
    await sql.execute(_END_ALL)
    assert await database.read(one) == 1
    assert await database.write(one) == 1


async def test_a_transaction_whose_connection_is_lost_is_applied_once(
    database: Database, sql: asyncpg.Connection
) -> None:
    before, tries = await orders(sql), 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal tries
        tries += 1
        await connection.execute(_ADD, {"number": "X1"})
        if tries == 1:
            await sql.execute(_END_ALL)
        await connection.execute(_ADD, {"number": "X2"})

    await database.write(work)
    assert tries == 2
    assert await orders(sql) == before + 2


async def test_other_database_errors_are_not_retried(database: Database) -> None:
    tries = 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal tries
        tries += 1
        await connection.execute(text("SELECT 1/0"))

    with pytest.raises(DBAPIError):
        await database.write(work)
    with pytest.raises(DBAPIError):
        await database.read(work)
    assert tries == 2
