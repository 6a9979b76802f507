"""What each alert is about, caused on a running system and ended as the runbook says.

A condition is an asynchronous context manager: what is wrong begins with its block and ends with it.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import nats

from pastelka_common.testing.fake_runpod_jobs import Chance
from pastelka_common.testing.waiting import until
from tests.faults.disk import Filler
from tests.line import Line

_LOOK_EVERY = 0.5

Cause = Callable[[Line], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Condition:
    """What goes wrong, and the alerts that must then fire; ``needs_disk``: a storage that can be filled."""

    what: str
    alerts: tuple[str, ...]
    cause: Cause
    needs_disk: bool = False


@asynccontextmanager
async def job_given_up(line: Line) -> AsyncIterator[None]:
    """A job that nobody can read; it is dismissed as the runbook says."""
    nc = await nats.connect(line.stack.nats.url)
    try:
        await nc.jetstream().publish("jobs.coloring.999999", b"{}")
    finally:
        await nc.close()
    yield
    listed = json.loads(await _command(line, "dead-letters", "list", "--json"))
    for letter in listed["newest"]:
        await _command(line, "dead-letters", "dismiss", str(letter["sequence"]))


@asynccontextmanager
async def answer_lost(line: Line) -> AsyncIterator[None]:
    """RunPod takes a job, and its answer is lost on the way."""
    line.runpod.fail("submit", "lost")
    await line.order(1, process="coloring", first_seed=301)
    yield


@asynccontextmanager
async def disk_full(line: Line) -> AsyncIterator[None]:
    """The storage has no space left."""
    filler = Filler(line.stack.storage)
    await asyncio.to_thread(filler.fill)
    try:
        yield
    finally:
        filler.empty()


@asynccontextmanager
async def no_worker(line: Line) -> AsyncIterator[None]:
    """Pages are asked for, and there is no coloring service."""
    service = line.stack.services["coloring"]
    await service.kill()
    await line.order(2, process="coloring", first_seed=311)
    yield
    await service.start()


@asynccontextmanager
async def provider_fails(line: Line) -> AsyncIterator[None]:
    """RunPod answers 500 to each submission."""
    line.runpod.faults.chances["submit"] = Chance(probability=1, faults=[500])
    await line.order(8, process="coloring", first_seed=321)
    yield
    line.runpod.faults.chances.pop("submit")


@asynccontextmanager
async def hub_away(line: Line) -> AsyncIterator[None]:
    """Things happen, and the hub is not there."""
    hub = line.stack.servers["mercure"]
    await hub.kill()
    await line.order(2, process="coloring", first_seed=331)
    yield
    await hub.start()


@asynccontextmanager
async def broker_away(line: Line) -> AsyncIterator[None]:
    """People click, and NATS is not there: nothing is published, and the gauges' source is silent."""
    broker = line.stack.servers["nats"]
    await broker.kill()
    await line.order(1, process="coloring", first_seed=341)
    yield
    await broker.start()


@asynccontextmanager
async def nobody_looks(line: Line) -> AsyncIterator[None]:
    """No orders worker runs, so there are no gauges at all."""
    worker = line.stack.services["worker"]
    await worker.kill()
    yield
    await worker.start()


CONDITIONS = (
    Condition("the answer to a paid request is lost", ("PastelkaPossiblyPaidTwice",), answer_lost),
    Condition("a job cannot be read", ("PastelkaDeadLetters",), job_given_up),
    Condition("the storage is full", ("PastelkaDiskNearlyFull",), disk_full, needs_disk=True),
    Condition("no coloring service runs", ("PastelkaOldestJobTooOld", "PastelkaNothingCompletes"), no_worker),
    Condition("RunPod answers 500", ("PastelkaBreakerOpen",), provider_fails),
    Condition("the hub is away", ("PastelkaPushesFailing",), hub_away),
    Condition("NATS is away", ("PastelkaOutboxNotMoving", "PastelkaNotWatched"), broker_away),
    Condition("no orders worker runs", ("PastelkaNotWatched",), nobody_looks),
)


async def all_done(line: Line) -> None:
    """Wait until nothing is in hand any more."""

    async def nothing_in_hand() -> bool:
        await asyncio.sleep(_LOOK_EVERY)
        for listed in (await line.get("/orders"))["items"]:
            order = await line.get(f"/orders/{listed['order_number']}")
            images = [image for item in order["line_items"] for image in item["images"]]
            versions = [
                v for image in images for kind in ("coloring", "svg") for v in image["versions"][kind]
            ]
            if any(version["status"] not in {"completed", "error"} for version in versions):
                return False
        return True

    await until(nothing_in_hand, 180)


async def _command(line: Line, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pastelka_orders", *arguments),
        env={**os.environ, **line.stack.env()},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}")
    return out.decode()
