"""Throughput of the API, and its latency without other load."""

import asyncio
import json
import sys
import time

import aiohttp
import asyncpg

from tests.bench.figures import Results
from tests.bench.system import Options, say, stack

_CONNECTIONS = 8
_SECONDS = 2.5
_ALONE_SECONDS = 1.0

_ORDERS = """INSERT INTO orders
        (order_number, source, customer_name, customer_email, search, status, created_at)
    SELECT 'B' || n, 'manual', 'Customer ' || n, 'customer' || n || '@example.com',
        'b' || n || ' customer ' || n, 'ready_for_review',
        clock_timestamp() - n * interval '1 minute' FROM generate_series(1, $1::int) n"""
_REST = """
    INSERT INTO line_items (order_id, position, title, quantity)
        SELECT id, 1, 'Coloring book', 1 FROM orders;
    INSERT INTO images (line_item_id, position, path, width, height, downloaded_at)
        SELECT l.id, p, l.order_id || '/' || l.id || '/image_' || p || '.jpg', 640, 480, clock_timestamp()
        FROM line_items l JOIN orders o ON o.id = l.order_id,
            generate_series(1, CASE WHEN o.order_number = 'B1' THEN 10 ELSE 4 END) p;
    INSERT INTO coloring_versions (image_id, version, status, path, started_at, completed_at)
        SELECT i.id, v, 'completed',
            l.order_id || '/' || l.id || '/coloring/v' || v || '/image_' || i.position || '.png',
            clock_timestamp(), clock_timestamp()
        FROM images i JOIN line_items l ON l.id = i.line_item_id, generate_series(1, 2) v;
    INSERT INTO svg_versions (image_id, coloring_version_id, version, status, path, started_at, completed_at)
        SELECT c.image_id, c.id, 1, 'completed', replace(replace(c.path, 'coloring', 'svg'), '.png', '.svg'),
            clock_timestamp(), clock_timestamp()
        FROM coloring_versions c WHERE c.version = 2;
    UPDATE images i SET selected_coloring_id = s.coloring_version_id, selected_svg_id = s.id
        FROM svg_versions s WHERE s.image_id = i.id;
"""


async def requests(options: Options, results: Results) -> None:
    """GET a single image, an order of ten images and the first page of the list from the API process."""
    async with stack(options, services=("api",)) as running:
        say(f"  inserting {options.orders:,} orders")
        image_id = await fill(running.postgres.url, options.orders)
        urls = {
            "image": f"{running.api_url}/orders/B1/images/{image_id}",
            "order": f"{running.api_url}/orders/B1",
            "list": f"{running.api_url}/orders",
        }
        for repeat in range(options.repeats):
            say(f"http: three routes ({repeat + 1}/{options.repeats})")
            for name, url in urls.items():
                busy = await _load(url, connections=_CONNECTIONS, seconds=_SECONDS)
                results.record(f"http.{name}.rate", busy["rate"])
                alone = await _load(url, connections=1, seconds=_ALONE_SECONDS)
                results.record(f"http.{name}.alone", alone["median_ms"])


async def fill(url: str, orders: int) -> int:
    """Create orders whose images have two pages and an SVG; returns the id of an image of order ``B1``."""
    database = await asyncpg.connect(url)
    try:
        await database.execute(_ORDERS, orders)
        await database.execute(_REST)
        await database.execute("VACUUM ANALYZE")
        return int(
            await database.fetchval(
                "SELECT i.id FROM images i JOIN line_items l ON l.id = i.line_item_id "
                "JOIN orders o ON o.id = l.order_id WHERE o.order_number = 'B1' ORDER BY i.position LIMIT 1"
            )
        )
    finally:
        await database.close()


async def seconds_of_get(http: aiohttp.ClientSession, url: str) -> float:
    """How long a GET takes, its body included."""
    started = time.perf_counter()
    async with http.get(url) as response:
        response.raise_for_status()
        await response.read()
    return time.perf_counter() - started


async def _load(url: str, *, connections: int, seconds: float) -> dict[str, float]:
    """Load ``url`` from a separate process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.load", url),
        *("--connections", str(connections), "--seconds", str(seconds)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaint = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the load generator failed: {complaint.decode()[-500:]}")
    seen: dict[str, float] = json.loads(output)
    return seen
