"""Images through the RunPod provider: throughput, cost, concurrency, latency."""

import asyncio
import random
import time
from collections.abc import Mapping
from statistics import median
from typing import Self

import aiohttp
import asyncpg

from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings
from pastelka_local.testing import RunningStack, Subscriber
from tests.bench.figures import INFRASTRUCTURE, OUR_SERVICES, Results, percentile
from tests.bench.processes import cpu_of, memory_of, pids
from tests.bench.system import (
    API_KEY,
    BenchOrder,
    Options,
    connections,
    fake_runpod,
    generate,
    generate_one,
    runpod_env,
    say,
    stack,
    until_all_completed,
    upload,
)

_ORDERS = 20
_PHOTOS = 10
_IMAGES = _ORDERS * _PHOTOS
_JOB_SECONDS = 10.0
_CLICKS = 60
_QUIET = 0.3
_POLL_SECONDS = 1.0


async def throughput(options: Options, results: Results) -> None:
    """200 images with a provider that completes at once: images per second, CPU time per image."""
    async with (
        fake_runpod(run_seconds=0) as fake,
        stack(options, env=runpod_env(fake.base_url)) as running,
        connections(running) as (http, database),
        running.subscriber("orders") as hearing,
    ):
        orders = await _uploaded(http, running)
        await _colored(http, running, database, orders[:2], steps=1)  # warms up
        for repeat in range(options.repeats):
            say(f"images: {_IMAGES} images, instant provider ({repeat + 1}/{options.repeats})")
            await _throughput_once(results, running, hearing, (http, database), orders, steps=2 + repeat)


async def _throughput_once(
    results: Results,
    running: RunningStack,
    hearing: Subscriber,
    clients: tuple[aiohttp.ClientSession, asyncpg.Connection],
    orders: list[BenchOrder],
    *,
    steps: int,
) -> None:
    named = pids(running)
    await _quiet(hearing)
    hearing.updates.clear()
    before, begun = cpu_of(named), time.time()
    ended = await _colored(clients[0], running, clients[1], orders, steps=steps)
    await _quiet(hearing)
    after = cpu_of(named)
    spent = {name: 1000 * (after[name] - before[name]) / _IMAGES for name in named}
    results.record("images.rate", _IMAGES / (ended - begun))
    results.record("images.events", len(hearing.updates) / (hearing.updates[-1].at - begun))
    results.record("images.cpu", sum(spent[name] for name in OUR_SERVICES))
    results.record("images.cpu_all", sum(spent.values()))
    for name in (*OUR_SERVICES, *INFRASTRUCTURE):
        results.record(f"images.cpu.{name}", spent[name])


async def jobs_at_once(options: Options, results: Results) -> None:
    """Concurrency of 200 jobs that take ten seconds each at the provider."""
    async with (
        fake_runpod(run_seconds=_JOB_SECONDS) as fake,
        stack(options, env=runpod_env(fake.base_url)) as running,
        connections(running) as (http, database),
    ):
        orders = await _uploaded(http, running)
        for repeat in range(options.repeats):
            say(f"jobs: {_IMAGES} jobs of {_JOB_SECONDS:g} s ({repeat + 1}/{options.repeats})")
            await fake.reset(http)
            begun = time.time()
            async with MemoryWatch(pids(running)) as memory:
                ended = await _colored(http, running, database, orders, steps=1 + repeat)
            results.record("jobs.seconds", ended - begun)
            results.record("jobs.in_progress", (await fake.stats(http))["in_progress_max"])
            results.record("jobs.memory", memory.ours)
            results.record("jobs.memory_all", memory.everything)


async def clicks(options: Options, results: Results) -> None:
    """Latency from a click to its job at the provider, for sequential clicks."""
    settings = FakeRunpodSettings(api_key=API_KEY, run_seconds=0.5)
    async with (
        FakeRunpod(settings) as fake,  # in this process, to share its clock
        stack(options, env=runpod_env(fake.base_url)) as running,
        connections(running) as (http, _),
    ):
        orders = await upload(http, running, orders=_ORDERS, photos=_CLICKS // _ORDERS)
        for repeat in range(options.repeats):
            say(f"clicks: {_CLICKS} clicks ({repeat + 1}/{options.repeats})")
            image_ids = [image_id for order in orders for image_id in order.image_ids]
            if repeat == 0:
                await _click(http, running, fake, image_ids[0], steps=20)  # warms up
            seconds = [await _click(http, running, fake, one, steps=1 + repeat) for one in image_ids]
            results.record("click.median", 1000 * median(seconds))
            results.record("click.p99", 1000 * percentile(seconds, 0.99))


async def _click(
    http: aiohttp.ClientSession, running: RunningStack, fake: FakeRunpod, image_id: int, *, steps: int
) -> float:
    """Seconds from sending the request to the job's arrival at the fake."""
    await asyncio.sleep(random.uniform(0.02, 0.12))  # noqa: S311 - so that nothing periodic is met in step
    known = set(fake.jobs.by_id)
    clicked = time.monotonic()
    await generate_one(http, running, image_id, steps=steps)
    await fake.until(lambda: len(fake.jobs.by_id) > len(known), timeout=30)
    (job_id,) = set(fake.jobs.by_id) - known
    return fake.jobs.by_id[job_id].submitted - clicked


class MemoryWatch:
    """Peak memory of the processes in MiB; an asynchronous context manager."""

    def __init__(self, named: Mapping[str, int]) -> None:
        self.ours = 0.0
        self.everything = 0.0
        self._named = named
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _look(self) -> None:
        while True:
            ours, rest = await asyncio.to_thread(self._measure)
            self.ours, self.everything = max(self.ours, ours), max(self.everything, ours + rest)
            await asyncio.sleep(_POLL_SECONDS)

    def _measure(self) -> tuple[float, float]:
        return memory_of(self._named, OUR_SERVICES), memory_of(self._named, INFRASTRUCTURE)


async def _uploaded(http: aiohttp.ClientSession, running: RunningStack) -> list[BenchOrder]:
    say(f"  preparing {_IMAGES} images in {_ORDERS} orders")
    return await upload(http, running, orders=_ORDERS, photos=_PHOTOS)


async def _colored(
    http: aiohttp.ClientSession,
    running: RunningStack,
    database: asyncpg.Connection,
    orders: list[BenchOrder],
    *,
    steps: int,
) -> float:
    """Request colorings of these orders at once; returns when the last completion was committed."""
    asked = await asyncio.gather(*(generate(http, running, order, steps=steps) for order in orders))
    ids = [version_id for of_order in asked for version_id in of_order]
    return await until_all_completed(database, ids, timeout=120)


async def _quiet(hearing: Subscriber) -> None:
    """Wait until no more events arrive."""
    heard = -1
    while heard != len(hearing.updates):
        heard = len(hearing.updates)
        await asyncio.sleep(_QUIET)
