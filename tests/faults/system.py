"""The tested system: a stack with two coloring workers and fake providers, which restarts its processes."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from pastelka_common.servers import ServerProcess
from pastelka_local.testing import RunningStack, Service, StackOptions
from tests.faults import database, disk, providers
from tests.faults.cluster import ClusterStack
from tests.faults.journal import Journal, Outage
from tests.faults.providers import Runpod, Vectorizer

_POLL_SECONDS = 0.2
_RESTART_PAUSE = 1.0
_READY_SECONDS = 90.0
_START_SECONDS = 180.0
_PROBE = aiohttp.ClientTimeout(total=2)
SECOND = "coloring-2"
"""A second coloring worker, which can take over from a zombie."""


class NotReadyError(Exception):
    """A restarted component did not become ready."""


@dataclass
class System:
    """The running system and its journal."""

    stack: RunningStack
    runpod: Runpod
    vectorizer: Vectorizer
    journal: Journal
    filler: disk.Filler
    route: database.Route
    copy_age: float = 30.0
    planned: set[str] = field(default_factory=set)
    """Services stopped on purpose, which :meth:`keep` does not restart."""

    @property
    def gateway(self) -> str:
        """Address for browsers and users."""
        if self.stack.nginx is None:
            raise RuntimeError("the stack has no nginx")
        return self.stack.nginx.url

    def services(self, kind: str) -> list[Service]:
        """All processes of one kind."""
        named = self.stack.services.items()
        return [service for name, service in named if name == kind or name.startswith(f"{kind}-")]

    def server(self, name: str) -> ServerProcess:
        """The process of a server."""
        return self.stack.servers[name]

    @contextmanager
    def outage(self, part: str, how: str = "") -> Iterator[Outage]:
        """Record a deliberate outage of a component until the block ends."""
        outage = self.journal.down(part, how)
        self.planned.add(part)
        try:
            yield outage
        finally:
            outage.until = time.time()
            self.planned.discard(part)

    async def restart_until_ready(self, service: Service) -> None:
        """Start a service repeatedly until it is ready."""
        deadline = time.time() + _READY_SECONDS
        await service.spawn()
        async with aiohttp.ClientSession(timeout=_PROBE) as http:
            while not await _is_ready(http, service):
                if time.time() > deadline:
                    raise NotReadyError(
                        f"{service.name} was not ready {_READY_SECONDS:g} s after its start:\n"
                        f"{service.tail()[-1500:]}"
                    )
                await self._restart(service)
                await asyncio.sleep(_POLL_SECONDS)

    async def keep(self) -> None:
        """Restart processes that exited by themselves, as a process manager does; runs until cancelled."""
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            for name, service in list(self.stack.services.items()):
                if name not in self.planned:
                    await self._restart(service)

    async def _restart(self, service: Service) -> None:
        status = exit_status(service)
        if status is None:
            return
        self.journal.exits.append((time.time(), service.name, status))
        outage = self.journal.down(service.name)
        await asyncio.sleep(_RESTART_PAUSE)
        await service.spawn()
        outage.until = time.time() + _RESTART_PAUSE


def exit_status(service: Service) -> int | None:
    """Exit status of a service; ``None`` while it runs."""
    return service._process.returncode if service._process is not None else None


async def _is_ready(http: aiohttp.ClientSession, service: Service) -> bool:
    try:
        async with http.get(f"{service.url}/readyz") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


@dataclass(frozen=True, slots=True)
class SystemOptions:
    """Options of the system."""

    images: int
    cluster: bool = False
    run_seconds: float = 4.0
    workers: int = 12
    vectorize_seconds: float = 1.0
    apis: int = 1
    pooled: bool = False
    launcher: tuple[str, ...] = ()


@asynccontextmanager
async def running(folder: Path, setup: SystemOptions) -> AsyncIterator[System]:
    """Run everything below ``folder`` until the block ends."""
    runpod = Runpod(queue_seconds=0.5, run_seconds=setup.run_seconds, workers=setup.workers)
    vectorizer = Vectorizer(duration=setup.vectorize_seconds)
    async with runpod, vectorizer:
        environment = dict(providers.environment(runpod, vectorizer))
        options = StackOptions(
            env=environment,
            nginx=True,
            durable=True,
            services=(),
            launcher=setup.launcher,
        )
        stack = (ClusterStack if setup.cluster else RunningStack)(folder, options)
        if disk.can_mount():
            disk.mount(stack.storage, megabytes=64 + setup.images)
        async with stack, database.route(stack.postgres, pooled=setup.pooled) as route:
            environment |= route.environment
            system = System(stack, runpod, vectorizer, Journal(), disk.Filler(stack.storage), route)
            await _start_services(system, setup)
            keeper = asyncio.create_task(system.keep())
            try:
                yield system
            finally:
                keeper.cancel()
                await asyncio.wait({keeper})
                _wake(stack)


async def _start_services(system: System, setup: SystemOptions) -> None:
    kinds = {kind: kind for kind in ("api", "worker", "coloring", "vectorize", "notifier")}
    kinds[SECOND] = "coloring"
    kinds |= {f"api-{number}": "api" for number in range(2, setup.apis + 1)}
    await asyncio.gather(
        *(system.stack.add(name, kind, deadline=_START_SECONDS) for name, kind in kinds.items())
    )
    system.journal.began = time.time()


def _wake(stack: RunningStack) -> None:
    """Continue all stopped processes: a stopped process does not react to SIGTERM."""
    for service in stack.services.values():
        if exit_status(service) is None and service._process is not None:
            os.kill(service.pid, signal.SIGCONT)
