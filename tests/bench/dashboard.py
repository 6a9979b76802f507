"""The dashboard in a real Chromium: transferred bytes, time to a painted badge, scrolling."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import asyncpg
from playwright.async_api import Browser, Page, Request

from pastelka_common.contracts.messages import ColoringFact, now
from pastelka_common.contracts.statuses import ColoringProcessingStatus
from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.publish import Publisher
from pastelka_common.storage import thumbnail_path
from pastelka_common.thumbnails import thumbnail_of
from pastelka_local.testing import RunningStack
from pastelka_local.testing.stack import photo
from tests.bench.figures import Results, percentile
from tests.bench.http import fill
from tests.bench.system import BenchOrder, Options, connections, generate, say, stack, until_none, upload
from tests.browser.chromium import running_chromium

_SERVICES = ("api", "worker", "notifier")
"""Without the coloring service: the bench publishes its facts."""
_IMAGES = 100
_STEPS = (ColoringProcessingStatus.PROCESSING, ColoringProcessingStatus.RUNPOD_SUBMITTING)
"""Two status changes for each image: 200 in all."""
_LISTED = 10_000
_PICTURES = 40
"""Number of different pictures in the list, whatever its number of orders."""
_SCROLLED, _SPEED = 24_000, 4_000
"""Pixels, and pixels per second."""
_VIEWPORT = {"width": 1440, "height": 900}
_DEADLINE = 120_000.0
"""Milliseconds; only an unresponsive page takes this long."""
_SCRIPT = Path(__file__).with_name("dashboard.js")


async def dashboard(options: Options, results: Results) -> None:
    """Every figure of the dashboard's budgets, measured in the browser."""
    async with running_chromium() as browser:
        await _orders(browser, options, results)
        await _list(browser, options, results)


async def _orders(browser: Browser, options: Options, results: Results) -> None:
    async with stack(options, services=_SERVICES, dashboard=True) as running:
        for repeat in range(options.repeats):
            say(f"dashboard: first load ({repeat + 1}/{options.repeats})")
            await _first_load(browser, running, results)
            say(f"dashboard: 200 events, {_IMAGES} images open ({repeat + 1}/{options.repeats})")
            await _badges(browser, running, results)


async def _list(browser: Browser, options: Options, results: Results) -> None:
    async with stack(options, services=_SERVICES, dashboard=True) as running:
        say(f"  inserting {_LISTED:,} orders")
        await _fill_list(running)
        async with _page(browser, running, "/") as page:
            await _load_whole_list(page)
            for repeat in range(options.repeats):
                say(f"dashboard: scrolling {_LISTED:,} orders ({repeat + 1}/{options.repeats})")
                await _scroll(page, results)


@asynccontextmanager
async def _page(browser: Browser, running: RunningStack, path: str) -> AsyncIterator[Page]:
    """A page in a fresh profile, opened at ``path`` of the gateway."""
    if running.nginx is None:
        raise RuntimeError("the stack runs without its gateway")
    context = await browser.new_context(viewport=_VIEWPORT, base_url=running.nginx.address)  # type: ignore[arg-type]
    try:
        await context.add_init_script(path=_SCRIPT)
        page = await context.new_page()
        page.set_default_timeout(_DEADLINE)
        await page.goto(path)
        yield page
    finally:
        await context.close()


class _Traffic:
    """Requests of a page while the block runs."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.requests: list[Request] = []

    async def __aenter__(self) -> "_Traffic":
        self._page.on("requestfinished", self._note)
        return self

    def _note(self, request: Request) -> None:
        self.requests.append(request)

    async def __aexit__(self, *_: object) -> None:
        self._page.remove_listener("requestfinished", self._note)

    def to(self, *, prefix: str = "", suffix: str = "") -> list[Request]:
        """Finished requests whose path has this prefix and suffix."""
        paths = [(request, urlsplit(request.url).path) for request in self.requests]
        return [request for request, path in paths if path.startswith(prefix) and path.endswith(suffix)]


async def _first_load(browser: Browser, running: RunningStack, results: Results) -> None:
    async with _page(browser, running, "about:blank") as page, _Traffic(page) as traffic:
        await page.goto("/")
        await page.wait_for_load_state("networkidle")
        sizes = [await request.sizes() for request in traffic.to(suffix=".js")]
    results.record("dashboard.javascript", sum(size["responseBodySize"] for size in sizes) / 1024)


async def _badges(browser: Browser, running: RunningStack, results: Results) -> None:
    """Publish facts one after the other, each for a card on the screen."""
    async with connections(running) as (http, database):
        order = (await upload(http, running, orders=1, photos=_IMAGES, large=False))[0]
        ids = await generate(http, running, order)
        await until_none(database, "status = 'pending'")
    async with (
        connected(running.nats.url, name="bench") as nc,
        _page(browser, running, "about:blank") as page,
    ):
        async with _Traffic(page) as traffic:
            await page.goto(f"/orders/{order.number}")
            await page.wait_for_load_state("networkidle")
            asked = len(traffic.to(prefix=f"/api/v1/orders/{order.number}"))
        results.record("dashboard.order_requests", asked)
        results.record("dashboard.shift", float(await page.evaluate("bench.shift")))
        async with _Traffic(page) as traffic:
            painted = await _play(page, Publisher(nc), order, ids)
            await _record_traffic(traffic, len(painted), results)
    results.record("dashboard.badge.median", median(painted))
    results.record("dashboard.badge.p99", percentile(painted, 0.99))


async def _play(page: Page, publisher: Publisher, order: BenchOrder, ids: Sequence[int]) -> list[float]:
    """Milliseconds from each event to its painted badge."""
    painted: list[float] = []
    for image_id, version_id in zip(order.image_ids, ids, strict=True):
        await page.evaluate("image => bench.show(image)", image_id)
        for step, status in enumerate(_STEPS, start=1):
            seen = asyncio.ensure_future(
                page.evaluate("([image, status]) => bench.painted(image, status)", [image_id, status.value])
            )
            await publisher.publish(_fact(version_id, step, status))
            painted.append(float(await asyncio.wait_for(seen, _DEADLINE / 1000)))
    return painted


def _fact(version_id: int, step: int, status: ColoringProcessingStatus) -> ColoringFact:
    return ColoringFact(version_id=version_id, run=1, attempt=1, step=step, at=now(), status=status)


async def _record_traffic(traffic: _Traffic, events: int, results: Results) -> None:
    asked = traffic.to(prefix="/api/")
    images = [request for request in asked if "/images/" in request.url]
    sizes = [await request.sizes() for request in images]
    results.record("dashboard.event_requests", len(images) / events)
    results.record("dashboard.other_requests", len(asked) - len(images))
    results.record("dashboard.event_bytes", max(size["responseBodySize"] for size in sizes))


async def _fill_list(running: RunningStack) -> None:
    """Create orders with stored pictures, so that scrolling decodes them."""
    await fill(running.postgres.url, _LISTED)
    folder = running.storage / "bench"
    await asyncio.to_thread(_draw, folder)
    database = await asyncpg.connect(running.postgres.url)
    try:
        for table in ("images", "coloring_versions"):
            await database.execute(
                f"UPDATE {table} SET path = 'bench/' || id % {_PICTURES} || '.jpg' WHERE path IS NOT NULL"  # noqa: S608
            )
    finally:
        await database.close()


def _draw(folder: Path) -> None:
    folder.mkdir()
    for place in range(_PICTURES):
        content = photo(place)
        name = f"{place}.jpg"
        (folder / name).write_bytes(content)
        (folder / thumbnail_path(name)).write_bytes(thumbnail_of(content))


async def _load_whole_list(page: Page) -> None:
    """Scroll until no more rows load, like a user who looks for the oldest order."""
    say("  loading the whole list")
    await page.wait_for_selector("[role=table]")
    loaded = 0
    while loaded < _LISTED:
        loaded = int(await page.evaluate("loaded => bench.loadMore(loaded)", loaded))


async def _scroll(page: Page, results: Results) -> None:
    """A long smooth scroll gesture; a frame of two intervals counts as one dropped frame."""
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    await page.wait_for_load_state("networkidle")
    devtools = await page.context.new_cdp_session(page)
    await page.evaluate("bench.recordFrames()")
    gesture = {"x": 720, "y": 600, "yDistance": -_SCROLLED, "speed": _SPEED, "gestureSourceType": "mouse"}
    await devtools.send("Input.synthesizeScrollGesture", gesture)
    times: list[float] = await page.evaluate("bench.stopFrames()")
    await devtools.detach()
    dropped, longest = _dropped(times)
    results.record("dashboard.dropped", dropped)
    results.record("dashboard.longest_frame", longest)


def _dropped(times: Sequence[float]) -> tuple[float, float]:
    """Percentage of dropped frames, and the longest frame in milliseconds."""
    gaps = [after - before for before, after in pairwise(times)]
    usual = 1000 / 60
    missed = sum(max(0, round(gap / usual) - 1) for gap in gaps)
    return 100 * missed / (len(gaps) + missed), max(gaps)
