"""A rolling restart of every service under load, from past versions over the present to future ones and back.

Each service gets SIGTERM, and its next version replaces it while the others still run theirs: new code reads
old messages, and old code reads new ones. There are two API processes, of which one serves while the other is
replaced, as behind any load balancer.
"""

import asyncio
import itertools
import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from pastelka_local.testing.stack import photo
from tests.faults import checks, final_state, payments
from tests.faults.browser import Browser
from tests.faults.client import Answer, Client
from tests.faults.run import browser_shows_final_state, session, until_quiet
from tests.faults.system import SECOND, System, SystemOptions, running

ORDER = ("worker", "coloring", SECOND, "vectorize", "notifier", "api", "api-2")
_APIS = ("api", "api-2")
_PHOTOS = 2
_MOST_ORDERS = 60
_ENDED_WELL = {0, -signal.SIGTERM}
"""uvicorn exits by the signal itself after it has answered pending requests."""
_OTHER = "tests.faults.other_version"
Eras = tuple[str, ...]


@dataclass
class BalancedClient(Client):
    """A client behind a load balancer: an API process to be replaced gets no new requests.

    It is left out before SIGTERM, like a pod by its ``preStop`` pause: a closing server cannot know of a
    request in flight. If a process refuses the connection, the next one is tried, as nginx and Kubernetes
    Services do.
    """

    addresses: dict[str, str] = field(default_factory=dict)
    _resting: set[str] = field(default_factory=set)
    _turns: Iterator[int] = field(default_factory=itertools.count)
    _in_progress: Counter[str] = field(default_factory=Counter)
    _answered: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def remove_process(self, name: str) -> None:
        """Send no more requests to this process; returns once it has answered the sent ones."""
        self._resting.add(name)
        async with self._answered:
            await self._answered.wait_for(lambda: not self._in_progress[name])

    def add_process(self, name: str) -> None:
        """Send requests to this process again."""
        self._resting.discard(name)

    async def _send(self, method: str, path: str, since: float, options: dict[str, Any]) -> Answer:
        for _ in self.addresses:
            try:
                return await self._send_to(self._next(), method, path, since, options)
            except aiohttp.ClientConnectorError:
                continue
        return await self._send_to(self._next(), method, path, since, options)

    def _next(self) -> str:
        serving = [name for name in self.addresses if name not in self._resting]
        return serving[next(self._turns) % len(serving)]

    async def _send_to(
        self, name: str, method: str, path: str, since: float, options: dict[str, Any]
    ) -> Answer:
        self._in_progress[name] += 1
        try:
            return await self._send_there(self.addresses[name], method, path, since, options)
        finally:
            self._in_progress[name] -= 1
            async with self._answered:
                self._answered.notify_all()


@dataclass(slots=True)
class UpgradeResult:
    """Result of the rolling restarts."""

    violations: list[str]
    images: int
    restarts: int
    seconds: float
    requests: int
    slowest: float
    """Seconds of the slowest request."""

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    def table(self) -> str:
        """Format as a table."""
        lines = [
            f"{self.restarts} services replaced under load in {self.seconds:.0f} s: {self.images} images, "
            f"{self.requests} requests, the slowest {self.slowest:.1f} s"
        ]
        lines += [f"VIOLATION: {line}" for line in self.violations]
        return "\n".join([*lines, f"{len(self.violations)} violations"])


async def run(folder: Path, eras: Eras = ("future", "present")) -> UpgradeResult:
    """Start with past versions, restart to each of ``eras`` under load, and check."""
    options = SystemOptions(
        200, apis=len(_APIS), run_seconds=0.8, vectorize_seconds=0.2, launcher=launcher_of("past")
    )
    async with running(folder, options) as system, session() as http:
        begun = time.time()
        balanced = _client(system, http)
        watching = _client(system, http)
        async with Browser(watching, system.stack.hub.subscriber_key, hub=system.stack.hub.url) as browser:
            load = asyncio.create_task(_load(balanced))
            restarts = await _roll(system, eras, (balanced, watching))
            load.cancel()
            orders = await _ended(load)
            quiet = await until_quiet(system, 90)
            wrong = [] if quiet else ["not everything ended"]
            wrong += await _judge(system, browser, balanced, restarts)
            return UpgradeResult(
                wrong,
                orders * _PHOTOS,
                len(restarts),
                time.time() - begun,
                balanced.count + watching.count,
                max(balanced.slowest, watching.slowest),
            )


def _client(system: System, http: aiohttp.ClientSession) -> BalancedClient:
    addresses = {name: system.stack.services[name].url for name in _APIS}
    return BalancedClient(http, "", addresses=addresses)


async def _load(client: Client) -> int:
    """Create orders one after another until cancelled; returns the number of accepted ones."""
    orders = 0
    try:
        while orders < _MOST_ORDERS:
            form = aiohttp.FormData()
            for number in range(_PHOTOS):
                content = photo(100 * orders + number)
                form.add_field("photos", content, filename=f"{number}.jpg", content_type="image/jpeg")
            form.add_field("process", "svg")
            # Shielded from cancellation: an aborted request is no error of the API.
            await asyncio.shield(asyncio.ensure_future(client.call("POST", "/orders", data=form)))
            orders += 1
            await asyncio.sleep(0.5)
    except asyncio.CancelledError:
        return orders
    return orders


async def _ended(load: "asyncio.Task[int]") -> int:
    await asyncio.wait({load})
    return load.result()


async def _roll(
    system: System, eras: Eras, clients: tuple[BalancedClient, ...]
) -> list[tuple[str, int | None]]:
    """Replace every service by its next version, one after another; returns the exit codes."""
    return [
        (f"{name} (to {era})", await _replace(system, name, era, clients)) for era in eras for name in ORDER
    ]


async def _replace(system: System, name: str, era: str, clients: tuple[BalancedClient, ...]) -> int | None:
    service = system.stack.services[name]
    with system.outage(name, "replaced"):
        for client in clients:
            await client.remove_process(name)
        code = await service.stop()
        service.launcher = launcher_of(era)
        await system.restart_until_ready(service)
        for client in clients:
            client.add_process(name)
    return code


def launcher_of(era: str) -> tuple[str, ...]:
    """The launcher that runs a service's module with messages of another version."""
    return () if era == "present" else (_OTHER, era)


async def _judge(
    system: System, browser: Browser, client: BalancedClient, restarts: list[tuple[str, int | None]]
) -> list[str]:
    truth = await final_state.take(system.stack)
    root, journal = system.stack.storage, system.journal
    wrong = [f"{name} ended with status {code}" for name, code in restarts if code not in _ENDED_WELL]
    wrong += checks.every_version_ended(truth)
    wrong += [
        f"{checks.describe_version(v)} is {v['status']}" for v in truth.versions if v["status"] != "completed"
    ]
    wrong += checks.every_file_is_whole(truth, root, final_state.files(root))
    wrong += checks.no_work_is_left(truth, await final_state.jobs_left(system.stack))
    wrong += [f"dead letter {subject}" for subject, _ in await final_state.dead_letters(system.stack)]
    wrong += await browser_shows_final_state(browser, client)
    for one in (client, browser.client):
        wrong += [f"{a.method} {a.path} was answered {a.status or a.excerpt}" for a in one.troubles]
    paid = payments.colorings(truth, system.runpod.submits(), root, journal)
    return [*wrong, *paid.wrong, *paid.twice, *_unread(system)]


def _unread(system: System) -> list[str]:
    """Messages that a service could not parse, from its log."""
    words = ("malformed", "cannot be read", "cannot be applied")
    return [
        f"{service.name} could not parse a message: {entry[:200]}"
        for service in system.stack.services.values()
        for entry in service.log.read_text(errors="replace").splitlines()
        if any(word in entry for word in words)
    ]
