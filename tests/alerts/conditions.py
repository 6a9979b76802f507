"""The faults behind each alert, caused on a running system and repaired as the runbook says.

A condition is an asynchronous context manager: the fault lasts for its block; the end of the block performs
the runbook's remedy.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import nats

from pastelka_common.testing.fake_runpod_jobs import Chance
from pastelka_common.testing.waiting import until
from tests.faults import disk
from tests.system import System

DISK_MEGABYTES = 64
_LARGER_DISK = 128
_POLL_SECONDS = 0.5

Cause = Callable[[System], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Condition:
    """A fault, the alerts that it must fire, and its remedy.

    ``needs_disk``: the condition needs a storage that can be filled.
    """

    what: str
    remedy: str
    alerts: tuple[str, ...]
    cause: Cause
    needs_disk: bool = False


@asynccontextmanager
async def job_given_up(system: System) -> AsyncIterator[None]:
    """A malformed job becomes a dead letter; an operator inspects and dismisses it."""
    nc = await nats.connect(system.stack.nats.url)
    try:
        await nc.jetstream().publish("jobs.coloring.999999", b"{}")
    finally:
        await nc.close()
    yield
    listed = json.loads(await _command(system, "dead-letters", "list", "--json"))
    for letter in listed["newest"]:
        number = str(letter["sequence"])
        if "999999" not in await _command(system, "dead-letters", "show", number):
            raise RuntimeError(f"dead-letters show {number} does not name the job")
        await _command(system, "dead-letters", "dismiss", number)


@asynccontextmanager
async def message_refused(system: System) -> AsyncIterator[None]:
    """A message that no stream accepts is committed; an operator lists and discards it."""
    connection = await asyncpg.connect(system.stack.postgres.url)
    try:
        await connection.execute(
            "INSERT INTO outbox (subject, msg_id, payload) VALUES ('nowhere.M1', 'refused', '')"
        )
    finally:
        await connection.close()
    yield
    (listed,) = json.loads(await _command(system, "refused-messages", "list", "--json"))
    if listed["subject"] != "nowhere.M1" or not listed["reason"]:
        raise RuntimeError(f"refused-messages list does not name the message: {listed}")
    await _command(system, "refused-messages", "discard", str(listed["id"]))


@asynccontextmanager
async def answer_lost(system: System) -> AsyncIterator[None]:
    """RunPod accepts a job, and its response is lost."""
    system.runpod.fail("submit", "lost")
    order = await system.order(1, process="coloring", first_seed=301)
    yield
    if not any(version["possibly_paid_twice"] for version in await _versions(system, order["order_number"])):
        raise RuntimeError("the version does not show that it may have been paid for twice")


@asynccontextmanager
async def disk_full(system: System) -> AsyncIterator[None]:
    """The storage is full when a page is requested; the remedy enlarges the volume."""
    order = await system.order(1, first_seed=306)
    (image,) = [image for item in order["line_items"] for image in item["images"]]
    filler = disk.Filler(system.stack.storage)
    await asyncio.to_thread(filler.fill)
    try:
        await system.post(f"/images/{image['id']}/generate-coloring")
        yield
        await asyncio.to_thread(disk.enlarge, system.stack.storage, megabytes=_LARGER_DISK)
    except BaseException:
        filler.empty()
        raise


@asynccontextmanager
async def storage_unavailable(system: System) -> AsyncIterator[None]:
    """The folder of all files is missing when a page is requested; the remedy restores it."""
    order = await system.order(1, first_seed=308)
    (image,) = [image for item in order["line_items"] for image in item["images"]]
    # Rename the parent folder: the storage itself may be a mount.
    folder = system.stack.storage.parent
    elsewhere = folder.with_name(f"{folder.name}-elsewhere")
    folder.rename(elsewhere)
    folder.touch()  # otherwise a write would recreate it
    try:
        await system.post(f"/images/{image['id']}/generate-coloring")
        yield
    finally:
        folder.unlink()
        elsewhere.rename(folder)


@asynccontextmanager
async def no_worker(system: System) -> AsyncIterator[None]:
    """Pages are requested while no coloring service runs."""
    service = system.stack.services["coloring"]
    await service.kill()
    await system.order(2, process="coloring", first_seed=311)
    yield
    await service.start()


@asynccontextmanager
async def provider_fails(system: System) -> AsyncIterator[None]:
    """RunPod returns 500 to each submission."""
    system.runpod.faults.chances["submit"] = Chance(probability=1, faults=[500])
    await system.order(8, process="coloring", first_seed=321)
    yield
    system.runpod.faults.chances.pop("submit")


@asynccontextmanager
async def hub_unavailable(system: System) -> AsyncIterator[None]:
    """Statuses change while the hub is down."""
    hub = system.stack.servers["mercure"]
    await hub.kill()
    await system.order(2, process="coloring", first_seed=331)
    yield
    await hub.start()


@asynccontextmanager
async def broker_unavailable(system: System) -> AsyncIterator[None]:
    """Users click while NATS is down: nothing is published, and the gauges have no source."""
    broker = system.stack.servers["nats"]
    await broker.kill()
    await system.order(1, process="coloring", first_seed=341)
    yield
    await broker.start()


@asynccontextmanager
async def no_orders_worker(system: System) -> AsyncIterator[None]:
    """No orders worker runs, so no gauge is exported."""
    worker = system.stack.services["worker"]
    await worker.kill()
    yield
    await worker.start()


CONDITIONS = (
    Condition(
        "the answer to a paid request is lost",
        "nothing is left to repair; an hour goes by",
        ("PastelkaPossiblyPaidTwice",),
        answer_lost,
    ),
    Condition(
        "a job cannot be read",
        "`dead-letters list`, `show`, `dismiss`",
        ("PastelkaDeadLetters",),
        job_given_up,
    ),
    Condition(
        "NATS refuses a message",
        "`refused-messages list`, `discard`",
        ("PastelkaOutboxRefused",),
        message_refused,
    ),
    Condition(
        "the storage is full",
        "the volume is enlarged",
        ("PastelkaDiskNearlyFull",),
        disk_full,
        needs_disk=True,
    ),
    Condition(
        "the storage is not there",
        "it is put back",
        ("PastelkaStorageAway",),
        storage_unavailable,
    ),
    Condition(
        "no coloring service runs",
        "it is started",
        ("PastelkaOldestJobTooOld", "PastelkaNothingCompletes"),
        no_worker,
    ),
    Condition(
        "RunPod answers 500",
        "RunPod is back; nothing is done here",
        ("PastelkaBreakerOpen",),
        provider_fails,
    ),
    Condition("the hub is away", "it is started", ("PastelkaPushesFailing",), hub_unavailable),
    Condition(
        "NATS is away",
        "it is started",
        ("PastelkaOutboxNotMoving", "PastelkaNotWatched"),
        broker_unavailable,
    ),
    Condition("no orders worker runs", "it is started", ("PastelkaNotWatched",), no_orders_worker),
)


async def all_done(system: System) -> None:
    """Wait until every requested page and SVG is completed: waiting work is never lost."""

    async def all_completed() -> bool:
        await asyncio.sleep(_POLL_SECONDS)
        for order in (await system.get("/orders"))["items"]:
            for version in await _versions(system, order["order_number"]):
                if version["status"] == "error":
                    raise RuntimeError(f"version {version['id']} ended in {version['error']}")
                if version["status"] != "completed":
                    return False
        return True

    await until(all_completed, 180)


async def _versions(system: System, order_number: str) -> list[dict[str, Any]]:
    order = await system.get(f"/orders/{order_number}")
    images = [image for item in order["line_items"] for image in item["images"]]
    return [v for image in images for kind in ("coloring", "svg") for v in image["versions"][kind]]


async def _command(system: System, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pastelka_orders", *arguments),
        env={**os.environ, **system.stack.env()},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}")
    return out.decode()
