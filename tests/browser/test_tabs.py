"""Many tabs of one browser over HTTP/1.1, and a connection that dies silently."""

import asyncio
import time

import pytest
from playwright.async_api import Page, Request, expect

from pastelka_common.testing.waiting import until
from tests.browser.conftest import Arrive
from tests.browser.silence import silent_proxy
from tests.browser.visitor import Visitor
from tests.browser.watch import Watch
from tests.system import System

STREAM = "/.well-known/mercure"
DEADLINE = 30.0
"""Seconds from an update at the hub to a tab's screen."""
LIVE = 3.0
"""The same for all tabs of a browser, on a machine that is not busy."""


class StreamCounter:
    """The hub's streams that a browser context has open."""

    def __init__(self, visitor: Visitor) -> None:
        self.opened: list[Page] = []
        visitor.context.on("request", self._note)

    def _note(self, asked: Request) -> None:
        if STREAM in asked.url:
            self.opened.append(asked.frame.page)


async def open_tabs(visitor: Visitor, count: int) -> list[Page]:
    """Open tabs with the list one after another, each until it is live."""
    pages = [visitor.page, *[await visitor.context.new_page() for _ in range(count - 1)]]
    for page in pages:
        await page.goto(visitor.root)
        await expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    return pages


async def until_all_show(pages: list[Page], number: str) -> float:
    """Seconds until every tab shows the order, by the tabs' own clocks."""
    began = time.time()
    for page in pages:
        await expect(page.get_by_role("row").filter(has_text=number)).to_be_visible(timeout=1000 * DEADLINE)
    shown = [await page.evaluate("(number) => window.__recorder.orders[number]", number) for page in pages]
    return max(shown) / 1000 - began


@pytest.mark.parametrize("count", [8, 20])
async def test_all_tabs_of_a_browser_share_one_event_stream(
    visit: Arrive, system: System, count: int
) -> None:
    visitor = await visit()
    streams = StreamCounter(visitor)
    pages = await open_tabs(visitor, count)
    watches = [Watch(page) for page in pages[1:]]
    assert streams.opened == [pages[0]]
    # The best of three: a busy machine delays one of twenty tabs now and then.
    took = []
    for seed in range(3):
        number = (await system.order(1, first_seed=300 + 3 * count + seed))["order_number"]
        took.append(await until_all_show(pages, number))
    print(f"{count} tabs showed a new order {min(took):.2f} s after it was there")
    assert min(took) <= LIVE
    # The stream stays open across navigation.
    for page in pages[:3]:
        await page.get_by_role("link", name="Systém").click()
        await expect(page.locator("h1")).to_be_visible()
        await page.go_back()
    assert streams.opened == [pages[0]]
    assert [trouble for watch in watches for trouble in watch.unannounced()] == []


async def test_the_light_is_right_on_a_page_without_data(visit: Arrive) -> None:
    visitor = await visit()
    streams = StreamCounter(visitor)
    # The first page of a new visitor has no cookie of the hub before the session's response.
    for path in ("/no/such/page", "/"):
        await visitor.open(path)
        await visitor.until_light("live")
    await visitor.page.get_by_role("link", name="Systém").click()
    await visitor.page.get_by_role("link", name="Objednávky").first.click()
    assert await visitor.page.locator("[data-connection]").get_attribute("data-connection") == "live"
    assert len(streams.opened) == 2, "one for each load of the page, none for a change of pages"


async def test_another_tab_takes_over_when_the_leader_tab_closes(visit: Arrive, system: System) -> None:
    visitor = await visit()
    streams = StreamCounter(visitor)
    pages = await open_tabs(visitor, 4)
    leader = streams.opened[0]
    left = [page for page in pages if page is not leader]
    # The update is in flight while the tab closes.
    making = asyncio.create_task(system.order(1, first_seed=350))
    await leader.close()
    number = (await making)["order_number"]
    await until_all_show(left, number)
    assert len(streams.opened) == 2
    assert streams.opened[1] in left
    for page in left:
        await expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    # The tab that took the stream over may close as well.
    number = (await system.order(1, first_seed=351))["order_number"]
    await until_all_show(left, number)


# Playwright's clock does not control this one.
_TIMEOUTS = """AbortSignal.timeout = (ms) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new DOMException("no answer", "TimeoutError")), ms);
  return controller.signal;
}"""


async def test_a_silently_dead_connection_is_detected_and_replaced(visit: Arrive, system: System) -> None:
    assert system.stack.nginx is not None
    async with silent_proxy(system.stack.nginx.port) as proxy:
        visitor = await visit(at=f"http://localhost:{proxy.port}")
        await visitor.page.clock.install()
        await visitor.context.add_init_script(_TIMEOUTS)
        await visitor.open()
        await visitor.until_light("live")
        # A request of the opening, a moment later, would not be answered and repeated: that showed the order.
        await visitor.page.clock.run_for(5000)
        await visitor.until_answered()
        loaded = await visitor.loaded()
        proxy.silence()
        number = (await system.order(1, first_seed=360))["order_number"]
        row = visitor.page.get_by_role("row").filter(has_text=number)
        await visitor.page.clock.run_for(30_000)
        await expect(row).to_have_count(0)
        assert (await visitor.lights())[-1]["state"] == "live"

        # After 45 s the page reloads its data over connections that work.
        async def is_shown() -> bool:
            await visitor.page.clock.run_for(5000)
            return await row.count() == 1

        assert await until(is_shown, 60)
        await visitor.until_light("live")
        states = [light["state"] for light in await visitor.lights()]
        assert "reconnecting" in states[states.index("live") :]
        assert await visitor.loaded() == loaded
