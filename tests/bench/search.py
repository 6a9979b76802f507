"""Latency of a search over a million orders, measured at the API process."""

import aiohttp
import asyncpg

from tests.bench.figures import Results, percentile
from tests.bench.http import seconds_of_get
from tests.bench.system import Options, say, stack

_ORDERS = 1_000_000
_REQUESTS = 100
_WARM = 10
_FILTERS = ("", "&status=ready_for_review", "&status=error", "&status=pending")
_KINDS = {
    "rare": ("s777777", "777777", "s777", "vzacna"),
    "common": ("novakova", "jana", "gmail", "cerny"),
    "absent": ("nikdo", "s9999999", "x", "qq"),
    "letter": ("s", "n", "7", "k"),
}
_FILL = """INSERT INTO orders
        (order_number, source, customer_name, customer_email, search, status, created_at)
    SELECT 'S' || n, 'shopify', f || ' ' || l, f || '.' || l || n % 1000 || '@' || d || '.com',
        's' || n || ' ' || f || ' ' || l || ' ' || f || ' ' || l || n % 1000 || ' ' || d || ' com',
        CAST(CASE WHEN n % 5000 = 0 THEN 'pending' WHEN n % 100 = 1 THEN 'error' ELSE 'ready_for_review' END
            AS orderstatus), clock_timestamp() - ($1 - n) * interval '40 seconds'
    FROM generate_series(1, $1::int) n, LATERAL (SELECT
        (CAST('{jana,petr,eva,tomas,lucie,marie,jiri,anna,pavel,katerina}' AS text[]))[1 + n / 7 % 10] AS f,
        CASE WHEN n % 5000 = 7 THEN 'vzacna' ELSE
            (CAST('{novakova,dvorak,svoboda,cerny,kral}' AS text[]))[1 + n / 3 % 5] END AS l,
        (CAST('{gmail,seznam,example}' AS text[]))[1 + n % 3] AS d) AS x"""


async def searches(options: Options, results: Results) -> None:
    """Rare, common and absent words and single letters, each without and with every filter."""
    async with stack(options, services=("api",)) as running, aiohttp.ClientSession() as http:
        say(f"  inserting {_ORDERS:,} orders")
        await _fill(running.postgres.url)
        for repeat in range(options.repeats):
            say(f"search: four kinds ({repeat + 1}/{options.repeats})")
            for kind, words in _KINDS.items():
                urls = [f"{running.api_url}/orders?q={word}{more}" for word in words for more in _FILTERS]
                for url in urls * _WARM:
                    await seconds_of_get(http, url)
                taken = [await seconds_of_get(http, url) for url in urls * _REQUESTS]
                results.record(f"search.{kind}.median", percentile(taken, 0.5) * 1000)
                results.record(f"search.{kind}.p99", percentile(taken, 0.99) * 1000)


async def _fill(url: str) -> None:
    database = await asyncpg.connect(url)
    try:
        index = await database.fetchval("SELECT pg_get_indexdef('ix_orders_search_keys'::regclass)")
        await database.execute("DROP INDEX ix_orders_search_keys")
        await database.execute(_FILL, _ORDERS, timeout=600)
        await database.execute(str(index), timeout=600)
        await database.execute("VACUUM ANALYZE orders")
    finally:
        await database.close()
