"""Latency of the list by stage and of the counts, with a thousand orders and with a million."""

import aiohttp
import asyncpg

from tests.bench.figures import Results, percentile
from tests.bench.http import seconds_of_get
from tests.bench.system import Options, say, stack

_SIZES = (1_000, 1_000_000)
_REQUESTS = 200
_WARM = 30
_PATHS = {
    "counts": "/orders/stages",
    "attention": "/orders?stage=attention",
    "to_review": "/orders?stage=to_review",
    "shipped": "/orders?stage=shipped",
}
# As many orders wait for an operator in both sizes: what grows is what is shipped. Every order has a photo
# and a page.
_FILL = """INSERT INTO orders (id, order_number, source, search, stage, status, created_at)
    SELECT n, 'S' || n, 'shopify', 's' || n, CASE WHEN n <= 20 THEN 'attention' WHEN n <= 120 THEN 'to_review'
        WHEN n <= 200 THEN 'to_generate' WHEN n <= 250 THEN 'approved' ELSE 'shipped' END,
        'ready_for_review', clock_timestamp() - ($1 - n) * interval '40 seconds'
    FROM generate_series($2::int, $1::int) n"""
_ITEMS = """INSERT INTO line_items (id, order_id, position, title)
    SELECT n, n, 1, 'Book' FROM generate_series($2::int, $1::int) n"""
_IMAGES = """INSERT INTO images (id, line_item_id, position, path, selected_coloring_id)
    SELECT n, n, 1, 'p', n FROM generate_series($2::int, $1::int) n"""
_PAGES = """INSERT INTO coloring_versions (id, image_id, version, status, path)
    SELECT n, n, 1, 'completed', 'p' FROM generate_series($2::int, $1::int) n"""


async def stages(options: Options, results: Results) -> None:
    """Each path at both sizes, in turns with itself; the quotient is of the medians."""
    async with stack(options, services=("api",)) as running, aiohttp.ClientSession() as http:
        first, medians = 1, {}
        for size in _SIZES:
            say(f"  inserting {size - first + 1:,} orders")
            await _fill(running.postgres.url, size, first)
            first = size + 1
            for name, path in _PATHS.items():
                say(f"stages: {name} with {size:,} orders")
                medians[name, size] = await _median(http, f"{running.api_url}{path}")
                results.record(f"stages.{name}.{size}.median", medians[name, size] * 1000)
        for name in _PATHS:
            small, large = (medians[name, size] for size in _SIZES)
            results.record(f"stages.{name}.quotient", large / small)


async def _median(http: aiohttp.ClientSession, url: str) -> float:
    taken = [await seconds_of_get(http, url) for _ in range(_WARM + _REQUESTS)]
    return percentile(taken[_WARM:], 0.5)


async def _fill(url: str, last: int, first: int) -> None:
    database = await asyncpg.connect(url)
    try:
        # The stages are given: no triggers, and no foreign keys, whose order would matter.
        await database.execute("SET session_replication_role = replica")
        for statement in (_FILL, _ITEMS, _IMAGES, _PAGES):
            await database.execute(statement, last, first, timeout=600)
        await database.execute("VACUUM ANALYZE", timeout=600)
    finally:
        await database.close()
