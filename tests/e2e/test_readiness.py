"""While NATS does not respond, or rejects the user, no service is ready."""

import asyncio
import os
import signal
from typing import Any

import aiohttp
import pytest

from pastelka_common.testing.processes import freeze
from pastelka_common.testing.waiting import until

WITHIN_SECONDS = 5.0


async def readiness(url: str) -> tuple[int, dict[str, str]]:
    """The status of ``/readyz``, and its checks."""
    timeout = aiohttp.ClientTimeout(total=WITHIN_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as http, http.get(f"{url}/readyz") as response:
        return response.status, (await response.json())["checks"]


async def none_is_ready(system: Any) -> bool:
    found = await asyncio.gather(*(readiness(service.url) for service in system.stack.services.values()))
    return all(status == 503 and checks["broker"] != "ok" for status, checks in found)


async def all_are_ready(system: Any) -> bool:
    found = await asyncio.gather(*(readiness(service.url) for service in system.stack.services.values()))
    return all(status == 200 and checks["broker"] == "ok" for status, checks in found)


@pytest.mark.parametrize("cause", ["stopped", "frozen", "refused"])
async def test_readyz_of_every_service_is_503_within_five_seconds(system: Any, cause: str) -> None:
    stack = system.stack
    server = stack.servers["nats"]
    assert set(stack.services) == {"api", "worker", "coloring", "vectorize", "notifier"}
    await until(lambda: all_are_ready(system), 30)
    try:
        if cause == "stopped":
            await server.kill()
        elif cause == "frozen":
            await freeze(server.pid)
        else:
            stack.nats.options = {"authorization": {"user": "other", "password": "other"}}
            stack.nats.prepare()
            os.kill(server.pid, signal.SIGHUP)
        await until(lambda: none_is_ready(system), WITHIN_SECONDS)
        async with aiohttp.ClientSession() as http:
            # The API still serves orders, and its own probe succeeds.
            async with http.get(f"{stack.services['api'].url}/readyz?exclude=broker") as response:
                assert (response.status, (await response.json())["checks"]) == (200, {"database": "ok"})
            async with http.get(f"{stack.api_url}/orders") as response:
                assert response.status == 200
    finally:
        if cause == "stopped":
            await server.start()
        elif cause == "frozen":
            os.kill(server.pid, signal.SIGCONT)
        else:
            stack.nats.options = {}
            stack.nats.prepare()
            os.kill(server.pid, signal.SIGHUP)
    await until(lambda: all_are_ready(system), 30)
