"""What a search of orders finds, and how much of the table it reads to find it."""

import json
import random
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Integer, String, bindparam, text
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from pastelka_orders.database import Database
from pastelka_orders.models.orders import OrderStatus
from pastelka_orders.repository import order_search
from pastelka_orders.repository.views import list_query

ROWS = 200_000
LIMIT = 101
MOST_READ = 25_000
"""Orders that one search may read: those that are walked by date, and those that the index of words finds."""
STATUSES = (OrderStatus.READY_FOR_REVIEW, OrderStatus.ERROR, OrderStatus.PENDING)

# Numbers count up with time, names do not; one word is only in the oldest orders.
FILL = """INSERT INTO orders (order_number, source, customer_name, search, status, created_at)
    SELECT 'S' || n, 'shopify', f || ' ' || l, 's' || n || ' ' || f || ' ' || l || ' mail' || n % 100,
        CAST(CASE WHEN n % 2500 = 0 THEN 'pending' WHEN n % 100 = 0 THEN 'error' ELSE 'ready_for_review' END
            AS orderstatus), timestamptz '2026-01-01' + n * interval '40 seconds'
    FROM generate_series(1, $1::integer) n, LATERAL (SELECT
        (CAST('{jana,petr,eva,tomas,lucie,marie,jiri,anna,pavel,katerina}' AS text[]))[1 + n % 10] AS f,
        CASE WHEN n < 3000 THEN 'zastara' WHEN n % 1000 = 7 THEN 'vzacna' ELSE 'novakova' END AS l) AS x"""
SEARCHES = {
    "rare number": "s177777",
    "number without its letter": "177777",
    "one digit": "1",
    "old numbers": "s2",
    "two digits": "77",
    "three digits": "177",
    "one letter": "s",
    "one letter of a tenth": "k",
    "absent letter": "x",
    "common": "novakova",
    "of a tenth": "jana",
    "of a thousandth": "vzacna",
    "old": "zastara",
    "absent": "nikdo",
    "two common": "jana novakova",
    "two that exclude each other": "jana petr",
}


_TYPES = (
    bindparam("files", type_=String),
    bindparam("shop", type_=String),
    bindparam("limit", type_=Integer),
)


def prepared(query: str, values: dict[str, object]) -> tuple[str, str]:
    """The statement as the driver prepares it, and its values as SQL."""
    compiled = text(query).bindparams(*_TYPES).compile(dialect=dialect())
    given = {"files": "", "shop": None, "limit": LIMIT, **values}
    names = compiled.positiontup or []
    return str(compiled), ", ".join(_literal(given[name]) for name in names)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return "'{" + ",".join(value) + "}'"
    return f"'{value}'"


async def plan(sql: asyncpg.Connection, q: str, status: OrderStatus | None) -> dict[str, Any]:
    """What PostgreSQL did for this search, as ``EXPLAIN`` has it."""
    statement, values = prepared(*list_query(None, q, status))
    await sql.execute(f"PREPARE search AS {statement}")
    try:
        said = await sql.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE search ({values})")
    finally:
        await sql.execute("DEALLOCATE search")
    found: dict[str, Any] = json.loads(said)[0]["Plan"]
    return found


def nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    """All nodes of a plan."""
    return [node, *(below for child in node.get("Plans", []) for below in nodes(child))]


def read(node: dict[str, Any]) -> float:
    """Orders that a node of a plan read, whether or not it had any use for them."""
    if node.get("Relation Name") != "orders":
        return 0
    rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return float(rows + node.get("Rows Removed by Index Recheck", 0)) * float(node["Actual Loops"])


async def test_no_search_scans_the_table(sql: asyncpg.Connection) -> None:
    index = await sql.fetchval("SELECT pg_get_indexdef('ix_orders_search_keys'::regclass)")
    await sql.execute("DROP INDEX ix_orders_search_keys")  # it is built faster than it is filled
    await sql.execute(FILL, ROWS)
    await sql.execute(f"{index}; ANALYZE orders; SET jit = off")
    reads = {}
    for plans in ("custom", "generic"):  # of a prepared statement: for its values, and for any
        await sql.execute(f"SET plan_cache_mode = force_{plans}_plan")
        for kind, q in SEARCHES.items():
            for status in (None, *STATUSES):
                done = nodes(await plan(sql, q, status))
                reads[plans, kind, status] = sum(read(node) for node in done)
    assert {search: rows for search, rows in reads.items() if rows > MOST_READ} == {}


async def test_a_search_matches_prefixes_of_words_and_numbers(api: Any) -> None:
    await api.order(customer_name="Jana Nováková")
    await api.order(customer_name="Petr_Dvořákovský 777")
    expected = {
        "1000": ["M1000"],
        "m1000": ["M1000"],
        "10": ["M1001", "M1000"],
        "m1": ["M1001", "M1000"],
        "1": ["M1001", "M1000"],
        "00": [],
        "7": [],
        "777": ["M1001"],
        "d": ["M1001"],
        "dvorakovsk": ["M1001"],
        "dvorakovskyx": [],
        "jana 1000": ["M1000"],
        "jana 1001": [],
    }
    found = {q: await _numbers(api, f"&q={q}") for q in expected}
    assert found == expected


async def _numbers(api: Any, query: str) -> list[str]:
    numbers: list[str] = []
    cursor = ""
    while True:
        page = await api.get(f"/orders?limit=3{query}{cursor}")
        numbers += [item["order_number"] for item in page["items"]]
        if page["next_cursor"] is None:
            return numbers
        cursor = f"&cursor={page['next_cursor']}"


async def test_a_paginated_search_equals_the_filtered_list(
    api: Any, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the walk by date ends and the index of words begins, also among equal times."""
    monkeypatch.setattr(order_search, "WALKED", 7)
    rng = random.Random(17)  # noqa: S311 - the same orders each time
    statuses = ["error", "ready_for_review", "pending"]
    orders = []
    for n in range(1, 61):
        name = rng.choice(["jana", "janek", "petr", "eva"])
        orders.append((f"{rng.choice('sm')}{n}", name, rng.choice(statuses), rng.randrange(20)))
    await sql.executemany(
        """INSERT INTO orders (order_number, source, search, status, created_at)
        VALUES (upper($1), 'shopify', $1 || ' ' || $2, CAST($3::text AS orderstatus),
            timestamptz '2026-01-01' + $4 * interval '1 day')""",
        orders,
    )
    for q in ("jan", "jana", "j", "s", "1", "s1", "1 j", "5", "eva s", "x", "12", "s petr"):
        for status in (None, *statuses):
            expected = [
                number.upper()
                for number, name, has, _ in sorted(
                    orders, key=lambda order: (order[3], orders.index(order)), reverse=True
                )
                if status in {None, has}
                and all(
                    number.startswith(word) or number[1:].startswith(word) or name.startswith(word)
                    for word in q.split()
                )
            ]
            query = f"&q={q}" + (f"&status={status}" if status else "")
            assert await _numbers(api, query) == expected, query


async def test_the_index_contains_the_search_keys(database: Database) -> None:
    word = "abcdefghijklmnop"
    keys = await database.read(
        lambda c: c.exec_driver_sql("SELECT order_search_keys('x12 abcdefghijklmnop')")
    )
    assert set(keys.scalar_one()) == {
        *(word[:length] for length in order_search.KEY_LENGTHS),
        *("x", "x1", "x12", "1", "12"),
    }
