"""A second gateway and API to the running system that require signing in, with short lifetimes."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pastelka_common.servers import NginxServer, running
from pastelka_common.servers.nginx_templates import rate_exempt
from pastelka_common.testing.forkserver import run_forked
from pastelka_local.dashboard import dist
from pastelka_local.testing.services import Service
from tests.system import System

PASSWORD = "correct horse battery"
COOKIE_SECONDS = 20
"""Minimum lifetime of the hub's cookie, in seconds."""
COSTLY_BURST = 2

_LOW = {**rate_exempt([]), "RATE_COSTLY": "12", "RATE_COSTLY_BURST": str(COSTLY_BURST)}


@dataclass(frozen=True)
class ShortLivedGateway:
    """The gateway that requires signing in."""

    gateway: NginxServer
    env: dict[str, str]

    @property
    def url(self) -> str:
        """Address of the dashboard."""
        return self.gateway.address

    async def add_user(self, name: str) -> None:
        """Add an operator with ``PASSWORD``."""
        await self._command("users", "add", name, "--role", "operator", typed=PASSWORD)

    async def remove_user(self, name: str) -> None:
        """Delete a user with the command line."""
        await self._command("users", "remove", name)

    async def _command(self, *arguments: str, typed: str = "") -> None:
        env = {**os.environ, **self.env}
        done = await run_forked("pastelka_orders", *arguments, env=env, typed=f"{typed}\n")
        assert done.code == 0, done


@asynccontextmanager
async def start_short_lived_gateway(system: System, folder: Path) -> AsyncIterator[ShortLivedGateway]:
    """Run the gateway with its API; both gateways serve the same orders."""
    stack = system.stack
    gateway = NginxServer(
        folder=folder / "nginx",
        storage=stack.storage,
        page=await asyncio.to_thread(dist),
        hub_url=stack.hub.origin,
        settings=_LOW,
    )
    gateway.choose_ports()
    env = {
        **stack.env(),
        "AUTH_MODE": "password",
        "MERCURE_COOKIE_SECONDS": str(COOKIE_SECONDS),
        "STATIC_URL": gateway.static_url,
    }
    api = Service("locked-api", "pastelka_orders.entrypoints.api", env, folder)
    try:
        await api.start(deadline=60)
        gateway.api_url = api.url
        async with running(gateway, deadline=60):
            yield ShortLivedGateway(gateway, env)
    finally:
        await api.kill()
