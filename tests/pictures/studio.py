"""Example data with orders in every state: real photos, real pages, and work held in progress."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import asyncpg
from PIL import Image, ImageOps

from pastelka_common.testing.fake_runpod import FakeRunpod, JobPlan
from pastelka_local.sample import photos as sample_photos
from pastelka_local.testing import RunningStack, StackOptions
from pastelka_local.testing.stack import post_order

_FIRST_NUMBER = 1263
_SIDE = 1100
_DEADLINE = 900.0
_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Customer:
    """The customer of an order, and the shop's data about it."""

    name: str
    payment: str
    photos: int
    dedication: str | None = None
    layout: str = "Na výšku"
    shipping: str = "Zásilkovna"

    @property
    def email(self) -> str:
        """An address in a reserved domain."""
        first, last = self.name.lower().translate(_PLAIN).split()
        return f"{first}.{last}@example.cz"


_PLAIN = str.maketrans("áéíóúůýčďěňřšťž", "aeiouuycdenrstz")

DONE = (
    Customer("Tereza Dvořáková", "paid", 2),
    Customer("Martin Kučera", "refunded", 1),
    Customer("Lucie Svobodová", "paid", 4, "Pro Elišku k pátým narozeninám"),
    Customer("Petr Černý", "partially_paid", 3),
    Customer("Anna Procházková", "paid", 2, layout="Na šířku"),
    Customer("Jakub Veselý", "authorized", 5),
)
"""Completed by the local providers, oldest first."""
WORKING = Customer("Jana Nováková", "paid", 5, "Pro babičku a dědu od Matýska")
FAILED = Customer("Ondřej Marek", "paid", 3)
WAITING = (Customer("Klára Němcová", "pending", 2), Customer("Filip Horák", "paid", 4))
"""Photos are stored, and no coloring is requested yet."""


@dataclass(frozen=True, slots=True)
class Studio:
    """Addresses of the example system."""

    url: str
    working: str
    failed: str
    done: str


@asynccontextmanager
async def studio() -> AsyncIterator[Studio]:
    """Run a stack with the orders above; a fake RunPod holds the jobs of one of them until the block ends."""
    options = StackOptions(dashboard=True, env={"LOG_LEVEL": "WARNING"})
    with TemporaryDirectory(prefix="pastelka-pictures-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # noqa: ASYNC240 - before anything runs; PostgreSQL may have to run as another user
        async with (
            RunningStack(folder, options) as stack,
            aiohttp.ClientSession() as http,
            FakeRunpod() as runpod,
        ):
            yield await _DataBuilder(stack, http, runpod).build()


class _DataBuilder:
    """Creates the orders in their order of arrival."""

    def __init__(self, stack: RunningStack, http: aiohttp.ClientSession, runpod: FakeRunpod) -> None:
        self._stack = stack
        self._http = http
        self._runpod = runpod
        self._pictures = _pictures()
        self._number = _FIRST_NUMBER

    async def build(self) -> Studio:
        done = [await self._order(customer, "svg") for customer in DONE]
        failed = await self._order(FAILED, "none")
        working = await self._order(WORKING, "none")
        for customer in WAITING:
            await self._order(customer, "none")
        await self._color_some(working, 2)
        await self._until("SELECT count(*) FROM images WHERE selected_svg_id IS NULL", _waiting_photos())
        await self._spread_over_days()
        await self._to_runpod()
        await self._fail(failed)
        await self._hold(working)
        if self._stack.nginx is None:
            raise RuntimeError("the stack runs without its gateway")
        return Studio(self._stack.nginx.address, working, failed, done[2])

    async def _order(self, customer: Customer, process: str) -> str:
        contents = [next(self._pictures) for _ in range(customer.photos)]
        made = await post_order(self._http, self._stack.api_url, contents, process=process)
        number = str(self._number)
        self._number += 1
        await self._sql(
            _AS_FROM_THE_SHOP,
            made["id"],
            number,
            5_400_000_000_000 + self._number,
            customer.name,
            customer.email,
            customer.payment,
            customer.shipping,
        )
        await self._sql(
            "UPDATE line_items SET title = 'Omalovánky z fotek', dedication = $2, layout = $3"
            " WHERE order_id = $1",
            made["id"],
            customer.dedication,
            customer.layout,
        )
        return number

    async def _color_some(self, number: str, count: int) -> None:
        for image in (await self._images(number))[:count]:
            await self._post(f"/images/{image}/generate-coloring", {"megapixels": 2, "steps": 4})
        await self._until("SELECT count(*) FROM coloring_versions WHERE status <> 'completed'", 0)
        for image in (await self._images(number))[:count]:
            await self._post(f"/images/{image}/generate-svg", {})

    async def _to_runpod(self) -> None:
        """Point the coloring service to the fake, two jobs at a time."""
        await self._stack.services.pop("coloring").stop()
        self._stack.options = StackOptions(
            dashboard=True,
            env={
                **self._stack.options.env,
                "COLORING_PROVIDER": "runpod",
                "RUNPOD_API_KEY": self._runpod.settings.api_key,
                "RUNPOD_ENDPOINT_ID": "coloring",
                "RUNPOD_BASE_URL": self._runpod.base_url,
                "RUNPOD_POLL_INTERVAL": "0.5",
                "COLORING_CONCURRENCY": "2",
            },
        )
        await self._stack.add("coloring", "coloring")

    async def _fail(self, number: str) -> None:
        images = await self._images(number)
        self._runpod.plan(JobPlan(states=["FAILED"], error="CUDA out of memory"))
        await self._post(f"/images/{images[0]}/generate-coloring", {"megapixels": 4, "steps": 8})
        await self._until(
            "SELECT count(*) FROM coloring_versions WHERE status NOT IN ('completed', 'error')", 0
        )

    async def _hold(self, number: str) -> None:
        """One job is processed, one is queued at RunPod, and one here."""
        self._runpod.plan(JobPlan(states=["IN_PROGRESS"]), JobPlan(states=["IN_QUEUE"]))
        for image in (await self._images(number))[2:]:
            await self._post(f"/images/{image}/generate-coloring", {"megapixels": 2, "steps": 4})
        await self._until(
            "SELECT 2 - count(*) FROM coloring_versions"
            " WHERE status IN ('runpod_processing', 'runpod_queued')",
            0,
        )

    async def _spread_over_days(self) -> None:
        await self._sql(
            "UPDATE orders SET created_at = now() - ($1 - id) * interval '97 minutes'",
            await self._value("SELECT max(id) FROM orders"),
        )

    async def _images(self, number: str) -> list[int]:
        async with self._http.get(f"{self._stack.api_url}/orders/{number}") as response:
            order = await response.json()
        return [image["id"] for item in order["line_items"] for image in item["images"]]

    async def _post(self, path: str, body: object) -> None:
        async with self._http.post(f"{self._stack.api_url}{path}", json=body) as response:
            if not response.ok:
                raise RuntimeError(f"{path} answered {response.status}: {await response.text()}")

    async def _until(self, query: str, value: int) -> None:
        async with asyncio.timeout(_DEADLINE):
            while await self._value(query) != value:  # noqa: ASYNC110 - rows change without telling us
                await asyncio.sleep(_POLL_SECONDS)

    async def _value(self, query: str) -> int:
        connection = await asyncpg.connect(self._stack.postgres.url)
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()

    async def _sql(self, query: str, *values: object) -> None:
        connection = await asyncpg.connect(self._stack.postgres.url)
        try:
            await connection.execute(query, *values)
        finally:
            await connection.close()


_AS_FROM_THE_SHOP = """UPDATE orders SET order_number = $2, shopify_id = $3, source = 'shopify',
    customer_name = $4, customer_email = $5, payment_status = $6, shipping_method = $7 WHERE id = $1"""


def _waiting_photos() -> int:
    """Photos without an SVG after the local work: two of the active order have one."""
    return FAILED.photos + WORKING.photos - 2 + sum(customer.photos for customer in WAITING)


def _pictures() -> Iterator[bytes]:
    """Repeat the sample's photos, each time cropped differently."""
    choose = random.Random(7)  # noqa: S311 - the same pictures each time
    originals = [Image.open(path).convert("RGB") for path in sample_photos()]
    while True:
        for original in originals:
            yield _cut(original, choose)


def _cut(original: Image.Image, choose: random.Random) -> bytes:
    share = choose.uniform(0.72, 1.0)
    width, height = (round(side * share) for side in original.size)
    left = choose.randint(0, original.width - width)
    top = choose.randint(0, original.height - height)
    picture = original.crop((left, top, left + width, top + height))
    picture.thumbnail((_SIDE, _SIDE))
    if choose.random() < 0.5:
        picture = ImageOps.mirror(picture)
    file = BytesIO()
    picture.save(file, "JPEG", quality=88)
    return file.getvalue()
