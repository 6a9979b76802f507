"""Two processes of the notifier: one works, the other takes over."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from pastelka_common.contracts.messages import VersionStatusChanged
from pastelka_common.messaging.publish import Publisher, outgoing
from pastelka_common.servers import MercureHub, NatsServer, free_port
from pastelka_common.testing.subscriber import Subscriber

_COUNT = re.compile(r'^pastelka_updates_pushed_total\{type="image_status"\} ([0-9.]+)$', re.MULTILINE)


class Replica:
    """One process of the notifier."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url

    async def ready(self, http: aiohttp.ClientSession) -> None:
        async with asyncio.timeout(30):
            while not await self._answers(http):  # noqa: ASYNC110 - a process has no event to wait for
                await asyncio.sleep(0.05)

    async def _answers(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.url}/readyz") as response:
                return response.ok
        except aiohttp.ClientError:
            return False

    async def pushed(self, http: aiohttp.ClientSession) -> int:
        """How many updates the hub took from it."""
        async with http.get(f"{self.url}/metrics") as response:
            found = _COUNT.search(await response.text())
        return int(float(found.group(1))) if found else 0

    async def end(self, number: signal.Signals) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(15):
            return await self.process.wait()


StartReplica = Callable[[], "asyncio.Future[Replica]"]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@asynccontextmanager
async def replica(env: dict[str, str], http: aiohttp.ClientSession) -> AsyncIterator[Replica]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pastelka_notifier", env={**os.environ, **env, "PORT": str(port)}
    )
    started = Replica(process, f"http://127.0.0.1:{port}")
    try:
        await started.ready(http)
        yield started
    finally:
        await started.end(signal.SIGKILL)


@pytest.fixture
def env(nats_server: NatsServer, mercure_hub: MercureHub, nc: Client) -> dict[str, str]:
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

    await Publisher(js).send_all([outgoing(event(number)) for number in numbers])


async def test_one_works_and_the_other_takes_over_when_it_is_killed(
    env: dict[str, str],
    http: aiohttp.ClientSession,
    js: JetStreamContext,
    order_number: str,
    subscribed: Callable[..., Subscriber],
):
    topic = f"orders/{order_number}"
    async with replica(env, http) as one, replica(env, http) as other, subscribed(topic) as subscriber:
        for start in range(0, 100, 10):
            await publish(js, order_number, range(start, start + 10))
            await subscriber.until(lambda heard, start=start: len(heard) == start + 10)
        pushed = [await one.pushed(http), await other.pushed(http)]
        assert sorted(pushed) == [0, 100]

        at_work, waiting = (one, other) if pushed[0] else (other, one)
        await at_work.end(signal.SIGKILL)
        await publish(js, order_number, range(100, 150))
        await subscriber.until(lambda heard: len(heard) == 150)
        assert await waiting.pushed(http) == 50
        assert [payload["version_id"] for payload in subscriber.payloads] == list(range(150))


async def test_it_ends_cleanly_on_sigterm(env: dict[str, str], http: aiohttp.ClientSession):
    async with replica(env, http) as one:
        assert await one.end(signal.SIGTERM) == 0


async def test_it_is_not_ready_while_the_hub_is_away(env: dict[str, str], http: aiohttp.ClientSession):
    away = {**env, "MERCURE_URL": f"http://127.0.0.1:{free_port()}/.well-known/mercure"}
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pastelka_notifier", env={**os.environ, **away, "PORT": str(port)}
    )
    url = f"http://127.0.0.1:{port}"
    one = Replica(process, url)
    try:
        async with asyncio.timeout(30):
            while not await _alive(http, url):  # noqa: ASYNC110 - a process has no event to wait for
                await asyncio.sleep(0.05)
        async with http.get(f"{url}/readyz") as response:
            answer = await response.json()
            assert response.status == 503
        assert answer["checks"]["broker"] == "ok"
        assert "the hub did not answer" in answer["checks"]["hub"]
    finally:
        await one.end(signal.SIGKILL)


async def _alive(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/healthz") as response:
            return response.ok
    except aiohttp.ClientError:
        return False
