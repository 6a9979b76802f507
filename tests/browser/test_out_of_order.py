"""Responses that arrive out of order never revert a badge."""

import asyncio
import random

from playwright.async_api import Route

from tests.browser.orders import images_of, statuses
from tests.browser.statuses import steps_back
from tests.browser.visitor import Visitor
from tests.system import System

IMAGES = 10
LONGEST_DELAY = 1.5


class Delays:
    """Delays the page's responses for single images, each by its own time."""

    def __init__(self, seed: int) -> None:
        self.begun: list[str] = []
        self.overtakings = 0
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._latest: dict[str, int] = {}

    async def handle(self, route: Route) -> None:
        url, turn = route.request.url, len(self.begun)
        self.begun.append(url)
        delay = self._random.uniform(0, LONGEST_DELAY)
        answer = await route.fetch()
        # The response is fetched at once and delivered late: only its way back is delayed.
        await asyncio.sleep(delay)
        self.overtakings += self._latest.get(url, -1) > turn
        self._latest[url] = max(turn, self._latest.get(url, -1))
        await route.fulfill(response=answer)


async def test_no_badge_goes_backwards(visitor: Visitor, system: System) -> None:
    order = await system.order(IMAGES, first_seed=300)
    number = order["order_number"]
    assert len(images_of(order)) == IMAGES
    delays = Delays(seed=20)
    await visitor.page.route("**/api/v1/orders/*/images/*", delays.handle)
    await visitor.open_order(number)
    for kind in ("coloring", "svg"):
        await system.post(f"/orders/{number}/generate-{kind}")

        async def done(kind: str = kind) -> bool:
            shown = await visitor.badges()
            of_kind = [status for key, status in shown.items() if f"/{kind}/" in key]
            return of_kind == ["completed"] * IMAGES

        await visitor.until(done, 60)
    await visitor.page.unroute_all(behavior="wait")
    recorded = await visitor.all_recorded()
    assert len(recorded) == 2 * IMAGES
    for key, changes in recorded.items():
        assert steps_back(key.split("/")[1], changes) == [], key
    assert await visitor.badges() == await statuses(system, number)
    # Otherwise nothing was tested.
    assert delays.overtakings >= 3, delays.overtakings
