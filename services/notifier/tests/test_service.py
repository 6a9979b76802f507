"""The service as a whole: two processes of which one is active, and their health endpoints."""

import asyncio
import functools
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from pastelka_common.contracts.messages import VersionStatusChanged
from pastelka_common.messaging.publish import Publisher, outgoing
from pastelka_common.servers import MercureServer, NatsServer, free_port
from pastelka_common.testing.forkserver import ForkedProcess, fork_server
from pastelka_common.testing.subscriber import Subscriber
from pastelka_common.testing.waiting import until
from pastelka_common.testing.workbench import at_work
from pastelka_notifier.entrypoint import run
from pastelka_notifier.settings import NotifierSettings

_COUNT = re.compile(r'^pastelka_updates_pushed_total\{type="image_status"\} ([0-9.]+)$', re.MULTILINE)


class Replica:
    """One notifier: its address, and its process if it is a separate one."""

    def __init__(self, url: str, process: ForkedProcess | None = None) -> None:
        self.url = url
        self.process = process

    async def until_healthy(self, http: aiohttp.ClientSession, path: str = "/healthz") -> None:
        """Wait until the endpoint returns 200."""
        async with asyncio.timeout(40):
            while not await self._answers(http, path):  # noqa: ASYNC110 - a process has no event for it
                await asyncio.sleep(0.05)

    async def _answers(self, http: aiohttp.ClientSession, path: str) -> bool:
        try:
            async with http.get(f"{self.url}{path}") as response:
                return response.ok
        except aiohttp.ClientError:
            return False

    async def pushed(self, http: aiohttp.ClientSession) -> int:
        """Number of updates that the hub accepted from it."""
        async with http.get(f"{self.url}/metrics") as response:
            found = _COUNT.search(await response.text())
        return int(float(found.group(1))) if found else 0

    async def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(15):
            return await self.process.wait()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@asynccontextmanager
async def replicas(
    count: int, env: dict[str, str], http: aiohttp.ClientSession
) -> AsyncIterator[list[Replica]]:
    """Processes of the notifier, started side by side, ready."""
    started: list[Replica] = []
    try:
        for _ in range(count):
            port = free_port()
            process = await fork_server("pastelka_notifier.entrypoint").start(
                "pastelka_notifier", env={**os.environ, **env, "PORT": str(port)}, out=1, err=2
            )
            started.append(Replica(f"http://127.0.0.1:{port}", process))
        for one in started:
            await one.until_healthy(http, "/readyz")
        yield started
    finally:
        for one in started:
            await one.end(signal.SIGKILL)


@pytest.fixture
def env(nats_server: NatsServer, mercure_hub: MercureServer, nc: Client) -> dict[str, str]:
    """Environment of a notifier; the consumer is a new one."""
    return {
        "NATS_URL": nats_server.url,
        "MERCURE_URL": mercure_hub.url,
        "MERCURE_PUBLISHER_JWT_KEY": mercure_hub.publisher_key,
        "HOST": "127.0.0.1",
        "SHUTDOWN_GRACE": "4",
    }


async def publish(js: JetStreamContext, order_number: str, numbers: range) -> None:
    def event(number: int) -> VersionStatusChanged:
        return VersionStatusChanged(
            order_number=order_number,
            image_id=1,
            status_type="svg",
            version_id=number,
            previous="queued",
            status="processing",
        )

    await Publisher(js._nc).send_all([outgoing(event(number)) for number in numbers])


async def test_the_standby_takes_over_after_a_kill_and_stops_cleanly_on_sigterm(
    env: dict[str, str],
    http: aiohttp.ClientSession,
    js: JetStreamContext,
    order_number: str,
    subscribed: Callable[..., Subscriber],
):
    topic = f"orders/{order_number}"
    async with replicas(2, env, http) as (one, other), subscribed(topic) as subscriber:
        for start in range(0, 100, 10):
            await publish(js, order_number, range(start, start + 10))
            await subscriber.until(lambda heard, start=start: len(heard) == start + 10)

        async def pushed_by_each() -> list[int] | None:
            counts = [await one.pushed(http), await other.pushed(http)]
            return counts if sum(counts) == 100 else None

        # A subscriber can receive an update before its notifier counts it.
        pushed = await until(pushed_by_each, 20)
        assert sorted(pushed) == [0, 100]

        working, waiting = (one, other) if pushed[0] else (other, one)
        await working.end(signal.SIGKILL)
        await publish(js, order_number, range(100, 150))
        await subscriber.until(lambda heard: len(heard) == 150)

        async def all_counted() -> bool:
            return await waiting.pushed(http) == 50

        await until(all_counted, 20)
        assert [payload["version_id"] for payload in subscriber.payloads] == list(range(150))
        assert await waiting.end(signal.SIGTERM) == 0


async def test_the_notifier_is_not_ready_while_the_hub_is_down(
    env: dict[str, str], http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
):
    port = free_port()
    away = {"MERCURE_URL": f"http://127.0.0.1:{free_port()}/.well-known/mercure", "PORT": str(port)}
    for name, value in (env | away).items():
        monkeypatch.setenv(name, value)
    async with at_work(functools.partial(run, NotifierSettings.load())) as task:
        one = Replica(f"http://127.0.0.1:{port}")
        await one.until_healthy(http)
        async with http.get(f"{one.url}/readyz") as response:
            answer = await response.json()
            assert response.status == 503
        assert answer["checks"]["broker"] == "ok"
        assert "the hub did not respond" in answer["checks"]["hub"]
        assert not task.done()
