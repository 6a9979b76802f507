"""Simulated users: they create orders, and click on what they see."""

import asyncio
import random
from typing import Any

import aiohttp

from pastelka_local.testing.stack import photo
from tests.faults.browser import Browser
from tests.faults.client import Answer, Client
from tests.faults.journal import Journal
from tests.faults.plan import Shape

_AGAIN = 1.0
_FIRST_STEPS, _LAST_STEPS = 5, 20
_SPREAD = 0.7


async def create_orders(client: Client, shape: Shape, seed: int) -> int:
    """Create all orders, spread over the first part of the run; returns the number of accepted ones."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    moments = sorted(chance.uniform(0, _SPREAD * shape.window) for _ in range(shape.orders - 1))
    made = await asyncio.gather(
        *(_order_at(client, shape, seed, place, at) for place, at in enumerate([0.0, *moments]))
    )
    return sum(made)


async def _order_at(client: Client, shape: Shape, seed: int, place: int, at: float) -> bool:
    photos = await asyncio.to_thread(
        lambda: [photo(1000 * place + seed + number) for number in range(shape.photos)]
    )
    await asyncio.sleep(at)
    # A third of the orders is created without processing and coloured by a click on the order.
    by_click = place % 3 == 2
    number = await _upload(client, photos, "none" if by_click else "svg")
    if by_click:
        await post_until_accepted(client, f"/orders/{number}/generate-coloring")
    return True


async def _upload(client: Client, photos: list[bytes], process: str) -> str:
    while True:
        form = aiohttp.FormData()
        for number, content in enumerate(photos, start=1):
            form.add_field("photos", content, filename=f"photo-{number}.jpg", content_type="image/jpeg")
        form.add_field("process", process)
        answer = await client.call("POST", "/orders", data=form)
        if answer.is_ok:
            return str(answer.body["order_number"])
        await asyncio.sleep(_AGAIN)


async def post_until_accepted(client: Client, path: str, body: Any = None) -> Answer:
    """POST until the response is not 5xx."""
    while True:
        answer = await client.post(path, body)
        if answer.status is not None and answer.status < 500:
            return answer
        await asyncio.sleep(_AGAIN)


class Clicker:
    """A user who clicks on what the browser shows; some of it is out of date by then."""

    def __init__(self, browser: Browser, client: Client, journal: Journal, shape: Shape, seed: int) -> None:
        self._browser = browser
        self._client = client
        self._journal = journal
        self._shape = shape
        self._chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._steps: dict[int, int] = {}
        self._deletes = shape.deletes

    async def run(self) -> None:
        """Click until cancelled."""
        while True:
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * self._shape.clicks_every)
            await self._click()

    async def _click(self) -> None:
        orders = [order for order in self._browser.orders.values() if order["line_items"]]
        if not orders:
            return
        order = self._chance.choice(orders)
        images = [image for item in order["line_items"] for image in item["images"]]
        image = self._chance.choice(images)
        clicks = (self._again, self._other, self._cancel, self._choose, self._retry, self._svg, self._look)
        if self._deletes and self._chance.random() < 0.06:
            self._deletes -= 1
            answer = await self._client.call("DELETE", f"/orders/{order['order_number']}")
            self._journal.clicked("delete", answer.status)
            return
        await self._chance.choice(clicks)(order, image)

    async def _again(self, order: Any, _image: Any) -> None:
        """Request twice at once, as two users: a completed or active coloring prevents a second version."""
        path = f"/orders/{order['order_number']}/generate-coloring"
        answers = await asyncio.gather(self._client.post(path), self._client.post(path))
        for answer in answers:
            self._journal.clicked("generate again", answer.status)

    async def _other(self, _order: Any, image: Any) -> None:
        """Request with other options: one more version. No two versions of an image have the same ones."""
        steps = self._steps.get(image["id"], _FIRST_STEPS)
        if steps > _LAST_STEPS:
            return
        self._steps[image["id"]] = steps + 1
        answer = await self._client.post(f"/images/{image['id']}/generate-coloring", {"steps": steps})
        self._journal.clicked("generate other", answer.status)

    async def _cancel(self, _order: Any, image: Any) -> None:
        await self._on_version(image, "cancel", {"completed", "error"}, among=False)

    async def _retry(self, _order: Any, image: Any) -> None:
        await self._on_version(image, "retry", {"error"}, among=True)

    async def _on_version(self, image: Any, what: str, statuses: set[str], *, among: bool) -> None:
        found = [
            (kind, version)
            for kind in ("coloring", "svg")
            for version in image["versions"][kind]
            if (version["status"] in statuses) is among
        ]
        if not found:
            return
        kind, version = self._chance.choice(found)
        answer = await self._client.post(f"/{kind}-versions/{version['id']}/{what}")
        self._journal.clicked(what, answer.status)

    async def _choose(self, _order: Any, image: Any) -> None:
        kind = self._chance.choice(("coloring", "svg"))
        completed = [v for v in image["versions"][kind] if v["status"] == "completed"]
        if completed:
            version = self._chance.choice(completed)
            answer = await self._client.post(f"/images/{image['id']}/select-{kind}/{version['id']}")
            self._journal.clicked(f"choose {kind}", answer.status)

    async def _svg(self, order: Any, _image: Any) -> None:
        answer = await self._client.post(f"/orders/{order['order_number']}/generate-svg")
        self._journal.clicked("generate svg", answer.status)

    async def _look(self, order: Any, _image: Any) -> None:
        path = self._chance.choice(("/system", f"/orders/{order['order_number']}/timeline"))
        answer = await self._client.get(path)
        self._journal.clicked("look", answer.status)


async def retry_errors(client: Client, journal: Journal, versions: list[tuple[str, int]]) -> None:
    """Retry every version in error once."""
    for kind, version_id in versions:
        answer = await post_until_accepted(client, f"/{kind}-versions/{version_id}/retry")
        journal.clicked("retry at the end", answer.status)
