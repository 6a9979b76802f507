"""The broker loses acknowledged data in the middle of an order: all work completes, nothing is paid twice."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import nats
import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from pastelka_common.testing.processes import freeze
from pastelka_common.testing.waiting import until

IMAGES = 6
STREAMS = ("JOBS", "STATUS", "EVENTS", "DEAD", "KV_RUNS", "KV_CANCELS")
CONSUMERS = (
    ("JOBS", "coloring"),
    ("JOBS", "vectorize"),
    ("STATUS", "orders-facts"),
    ("DEAD", "orders-dead"),
    ("EVENTS", "notifier"),
)
AT_WORK = {"runpod_submitted", "runpod_queued", "runpod_processing"}

Break = Callable[[Any], Awaitable[None]]


@pytest.fixture(scope="module")
def system_env() -> dict[str, str]:
    """A reconciler with a short interval."""
    return {"RECONCILE_INTERVAL": "1", "RECONCILE_GRACE": "2"}


class Browser:
    """Holds an order's state from its fetches and the updates received since."""

    def __init__(self, system: Any, number: str) -> None:
        self._system = system
        self._number = number
        self._order_update = asyncio.Event()
        self.picture: dict[tuple[str, int], str] = {}

    def hear(self, heard: Any) -> None:
        """Apply an update."""
        if heard.payload["type"] == "image_status":
            key = (heard.payload["status_type"], heard.payload["version_id"])
            self.picture[key] = heard.payload["status"]
        else:
            self._order_update.set()

    async def fetch_on_update(self) -> None:
        """Fetch the order after every update that requires it."""
        while True:
            await self._order_update.wait()
            self._order_update.clear()
            self.picture = await statuses(self._system, self._number)


async def statuses(system: Any, number: str) -> dict[tuple[str, int], str]:
    """The status of every version of an order, by kind and id."""
    order = await system.get(f"/orders/{number}")
    images = [image for item in order["line_items"] for image in item["images"]]
    return {
        (kind, version["id"]): version["status"]
        for image in images
        for kind in ("coloring", "svg")
        for version in image["versions"][kind]
    }


@asynccontextmanager
async def watching(system: Any, number: str) -> AsyncIterator[Browser]:
    """A browser that stays connected."""
    browser = Browser(system, number)
    async with system.stack.subscriber(f"orders/{number}") as subscriber:
        subscriber.on_update = browser.hear
        task = asyncio.create_task(browser.fetch_on_update())
        yield browser
        task.cancel()


@asynccontextmanager
async def connected(system: Any) -> AsyncIterator[Client]:
    nc = await nats.connect(system.stack.nats.url)
    yield nc
    await nc.close()


async def delete_the_store(system: Any) -> None:
    server = system.stack.servers["nats"]
    await server.kill()
    shutil.rmtree(system.stack.nats.folder / "data")
    await server.start()


async def restore_an_older_store(system: Any) -> None:
    """The copy was taken just after the jobs were published; they have been submitted since."""
    server = system.stack.servers["nats"]
    data, older = system.stack.nats.folder / "data", system.stack.nats.folder / "older"
    await server.kill()
    shutil.rmtree(data)
    shutil.move(older, data)
    await server.start()


async def copy_the_store(system: Any) -> None:
    server = system.stack.servers["nats"]
    import os  # noqa: PLC0415

    await freeze(server.pid)
    shutil.copytree(system.stack.nats.folder / "data", system.stack.nats.folder / "older")
    os.kill(server.pid, signal.SIGCONT)


async def purge_the_jobs(system: Any) -> None:
    async with connected(system) as nc:
        await nc.jetstream().purge_stream("JOBS")


async def delete_every_stream(system: Any) -> None:
    async with connected(system) as nc:
        for name in STREAMS:
            await nc.jetstream().delete_stream(name)


async def delete_every_consumer(system: Any) -> None:
    async with connected(system) as nc:
        for stream, name in CONSUMERS:
            await nc.jetstream().delete_consumer(stream, name)


async def kill_the_workers_and_delete_the_store(system: Any) -> None:
    names = ("coloring", "vectorize", "notifier")
    for name in names:
        await system.stack.services[name].kill()
    await delete_the_store(system)
    for name in names:
        await system.stack.services[name].start()


async def restore_an_older_store_and_restart_the_workers(system: Any) -> None:
    names = ("coloring", "vectorize", "notifier", "worker")
    for name in names:
        await system.stack.services[name].kill()
    await restore_an_older_store(system)
    for name in names:
        await system.stack.services[name].start()


async def all_completed(system: Any, number: str) -> bool:
    found = await statuses(system, number)
    return len(found) == 2 * IMAGES and set(found.values()) == {"completed"}


async def no_job_is_left(system: Any) -> None:
    async with connected(system) as nc:

        async def empty() -> bool:
            try:
                return (await nc.jetstream().stream_info("JOBS")).state.messages == 0
            except NotFoundError:
                return False

        await until(empty, 30)


async def until_some(system: Any, number: str, wanted: set[str], count: int) -> None:
    async def reached() -> bool:
        found = await statuses(system, number)
        return sum(status in wanted | {"completed"} for (kind, _), status in found.items()) >= count

    await until(reached, 60)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "happens",
    [
        delete_the_store,
        restore_an_older_store,
        purge_the_jobs,
        delete_every_stream,
        delete_every_consumer,
        kill_the_workers_and_delete_the_store,
        restore_an_older_store_and_restart_the_workers,
    ],
)
async def test_the_system_recovers_from_lost_broker_data(system: Any, happens: Break) -> None:
    system.runpod.settings.queue_seconds = system.runpod.settings.run_seconds = 1.5
    submits, requests = system.runpod.stats()["submits"], system.vectorizer.stats()["requests"]
    order = await system.order(IMAGES, process="svg", first_seed=1000 + sum(map(ord, happens.__name__)))
    number = order["order_number"]
    async with watching(system, number) as browser:
        if happens in (restore_an_older_store, restore_an_older_store_and_restart_the_workers):
            await until_some(system, number, {"queued", "processing", "runpod_submitting", *AT_WORK}, 1)
            await copy_the_store(system)
        await until_some(system, number, AT_WORK, IMAGES)
        await happens(system)
        await until(lambda: all_completed(system, number), 120)
        truth = await statuses(system, number)
        await until(lambda: browser.picture == truth, 30)
    await no_job_is_left(system)
    # The storage, the rows or the bucket, whichever remains, records the paid RunPod jobs.
    assert system.runpod.stats()["submits"] - submits == IMAGES
    assert system.vectorizer.stats()["requests"] - requests == IMAGES
    await every_file_is_there(system, number)
    connection = await asyncpg.connect(system.stack.postgres.url)
    try:
        await until(lambda: _outbox_is_empty(connection), 30)
    finally:
        await connection.close()


async def _outbox_is_empty(connection: asyncpg.Connection) -> bool:
    return await connection.fetchval("SELECT count(*) FROM outbox") == 0


async def every_file_is_there(system: Any, number: str) -> None:
    """The storage holds one complete file per version, its thumbnail and the photos, and nothing else."""
    order = await system.get(f"/orders/{number}")
    for item in order["line_items"]:
        for image in item["images"]:
            for version in (*image["versions"]["coloring"], *image["versions"]["svg"]):
                path = system.stack.storage / version["url"].split("/static/images/")[1]
                assert path.stat().st_size > 0
    folder = system.stack.storage / str(order["id"])
    await until(lambda: not [p for p in folder.rglob(".*") if p.is_file()], 30)
