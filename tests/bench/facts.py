"""Publishes facts in place of the coloring service: latency to the event, and throughput."""

import asyncio
import secrets
import time
from collections import deque
from dataclasses import dataclass
from itertools import chain
from statistics import median

import asyncpg

from pastelka_common.contracts.messages import ColoringFact, now
from pastelka_common.contracts.statuses import ColoringProcessingStatus
from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.publish import Outgoing, Publisher, outgoing
from pastelka_common.testing.subscriber import ReceivedUpdate
from pastelka_local.testing import RunningStack, Subscriber
from tests.bench.figures import Results, percentile
from tests.bench.system import Options, connections, generate, say, stack, until_none, upload

_SERVICES = ("api", "worker", "notifier")
"""Without the coloring service: the bench publishes its facts."""
_RATE = 100.0
_FACTS = 500
_BURST_FACTS = 8000
_WINDOW = 256
"""Maximum number of unacknowledged facts in a burst."""

_STEPS = [status for status in ColoringProcessingStatus if status.is_in_flight]
"""An attempt's statuses in order; a new attempt begins with the first again."""


@dataclass(slots=True)
class VersionFacts:
    """The facts of one version, in order; each changes its status."""

    version_id: int
    played: int = 0

    def next(self) -> ColoringFact:
        """The next fact."""
        attempt, step = divmod(self.played, len(_STEPS))
        self.played += 1
        return ColoringFact(
            version_id=self.version_id,
            run=1,
            attempt=attempt + 1,
            step=step + 1,
            at=now(),
            status=_STEPS[step],
        )


class EventWatch:
    """Matches events with facts: each version's events must arrive in the order of its facts."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.last = 0.0
        self._expected: dict[int, deque[tuple[str, float]]] = {}
        self._open = 0
        self._done = asyncio.Event()
        self._wrong: str | None = None

    def expect(self, fact: ColoringFact) -> None:
        """Register a fact before it is published."""
        self._expected.setdefault(fact.version_id, deque()).append((fact.status.value, time.time()))
        self._open += 1

    def hear(self, heard: ReceivedUpdate) -> None:
        """Register an event that has arrived."""
        if heard.payload["type"] != "image_status":
            return
        status, published = self._expected[heard.payload["version_id"]].popleft()
        if status != heard.payload["status"]:
            self._wrong = f"expected {status} and received {heard.payload}"
        self.seconds.append(heard.at - published)
        self.last = heard.at
        self._open -= 1
        if self._open == 0 or self._wrong:
            self._done.set()

    async def all_heard(self, *, timeout: float) -> None:
        """Wait until the event of every fact has arrived."""
        try:
            async with asyncio.timeout(timeout):
                while self._open and not self._wrong:
                    self._done.clear()
                    await self._done.wait()
        except TimeoutError:
            raise RuntimeError(f"{self._open} events are missing after {timeout:g} s") from None
        if self._wrong:
            raise RuntimeError(self._wrong)


async def latency(options: Options, results: Results) -> None:
    """Latency from publishing a fact to its event at the subscriber, at 100 facts a second over 20 orders."""
    async with stack(options, services=_SERVICES) as running:
        courses = await _courses(running, orders=20, photos=2)
        async with connected(running.nats.url, name="bench") as nc, running.subscriber("orders") as hearing:
            publisher = Publisher(nc)
            await _at_a_rate(publisher, hearing, courses, count=100)  # warms up
            for repeat in range(options.repeats):
                say(f"facts: {_FACTS} facts at {_RATE:g}/s ({repeat + 1}/{options.repeats})")
                seconds = await _at_a_rate(publisher, hearing, courses, count=_FACTS)
                results.record("fact_to_event.median", 1000 * median(seconds))
                results.record("fact_to_event.p99", 1000 * percentile(seconds, 0.99))


async def transitions(options: Options, results: Results) -> None:
    """Maximum throughput of facts, over 200 versions of 20 orders."""
    async with stack(options, services=_SERVICES) as running:
        courses = await _courses(running, orders=20, photos=10)
        async with (
            connected(running.nats.url, name="bench") as nc,
            running.subscriber("orders") as hearing,
            connections(running) as (_, database),
        ):
            publisher = Publisher(nc, timeout=60)
            for repeat in range(options.repeats):
                say(f"transitions: {_BURST_FACTS} facts at once ({repeat + 1}/{options.repeats})")
                watch = EventWatch()
                hearing.on_update = watch.hear
                begun = time.time()
                await _burst(publisher, watch, courses)
                await watch.all_heard(timeout=90)
                results.record("transitions.rate", _BURST_FACTS / (watch.last - begun))
                results.record("transitions.committed", await _committed_rate(database, begun))
                hearing.updates.clear()


async def _courses(running: RunningStack, *, orders: int, photos: int) -> list[VersionFacts]:
    """Versions whose jobs are queued; adjacent versions belong to different orders."""
    say(f"  preparing {orders * photos} colorings in {orders} orders")
    async with connections(running) as (http, database):
        made = await upload(http, running, orders=orders, photos=photos, large=False)
        ids = [await generate(http, running, order) for order in made]
        await until_none(database, "status <> 'queued'")
    return [VersionFacts(version_id) for version_id in chain.from_iterable(zip(*ids, strict=True))]


async def _at_a_rate(
    publisher: Publisher, hearing: Subscriber, courses: list[VersionFacts], *, count: int
) -> list[float]:
    """Publish on schedule, whatever waits; returns the latency of each event in seconds."""
    watch = EventWatch()
    hearing.on_update = watch.hear
    begun = time.time()
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            await asyncio.sleep(max(begun + number / _RATE - time.time(), 0))
            fact = courses[number % len(courses)].next()
            watch.expect(fact)
            tasks.create_task(publisher.send(_traced(fact)))
    await watch.all_heard(timeout=30)
    return watch.seconds


async def _burst(publisher: Publisher, watch: EventWatch, courses: list[VersionFacts]) -> None:
    places = asyncio.Semaphore(_WINDOW)

    async def send(message: Outgoing) -> None:
        try:
            await publisher.send(message)
        finally:
            places.release()

    async with asyncio.TaskGroup() as tasks:
        for number in range(_BURST_FACTS):
            await places.acquire()
            fact = courses[number % len(courses)].next()
            watch.expect(fact)
            tasks.create_task(send(_traced(fact)))


def _traced(fact: ColoringFact) -> Outgoing:
    """A fact with the trace context that a worker adds."""
    plain = outgoing(fact)
    trace = {"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"}
    return Outgoing(plain.subject, plain.payload, {**plain.headers, **trace})


async def _committed_rate(database: asyncpg.Connection, since: float) -> float:
    """Rows per second from ``since`` to the last one written."""
    rows, last = await database.fetchrow(
        "SELECT count(*), extract(epoch FROM max(committed_at))::float8 FROM status_changes "
        "WHERE committed_at >= to_timestamp($1)",
        since,
    )
    return float(rows / (last - since))
