"""A second gateway and API to the running system that require signing in.

Both gateways serve the same orders, so tests create and look up data at the open one.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

from playwright.async_api import expect

from pastelka_common.servers import NginxServer, running
from pastelka_common.testing.forkserver import run_forked
from pastelka_local.dashboard import dist
from tests.browser.visitor import Visitor
from tests.system import System

PASSWORD = "correct horse battery"
"""Password of users that exist in tests only."""
TRIES = 3
"""Failed attempts for one name before the API requires a pause."""
_SETTINGS = {"AUTH_MODE": "password", "SIGN_IN_TRIES_PER_NAME": str(TRIES)}
_COMMANDS = "pastelka_orders"
_numbers = count(1)

Role = Literal["viewer", "operator"]


@dataclass(frozen=True)
class PasswordGateway:
    """Address of the gateway, and the commands that manage its users."""

    url: str
    system: System

    async def user(self, role: Role) -> str:
        """Create a user with ``PASSWORD``; returns the name."""
        name = f"{role}-{next(_numbers)}"
        await self.command("users", "add", name, "--role", role, typed=PASSWORD)
        return name

    async def end_sessions(self, name: str) -> None:
        """End every session of a user by setting the same password again."""
        await self.command("users", "passwd", name, typed=PASSWORD)

    async def command(self, *arguments: str, typed: str = "") -> str:
        """Run a command of ``python -m pastelka_orders`` with a line of input; returns its output."""
        env = {**os.environ, **self.system.stack.env(), **_SETTINGS}
        done = await run_forked(_COMMANDS, *arguments, env=env, typed=f"{typed}\n")
        assert done.code == 0, done
        return done.out


@asynccontextmanager
async def start_password_gateway(system: System, folder: Path) -> AsyncIterator[PasswordGateway]:
    """Run another API with AUTH_MODE=password behind its own gateway."""
    stack = system.stack
    gateway = NginxServer(
        folder=folder,
        storage=stack.storage,
        page=await asyncio.to_thread(dist),
        hub_url=stack.hub.origin,
    )
    gateway.choose_ports()
    api = await stack.add("closed-api", "api", env={**_SETTINGS, "STATIC_URL": gateway.static_url})
    gateway.api_url = api.url
    async with running(gateway, deadline=60):
        yield PasswordGateway(f"http://localhost:{gateway.port}", system)


async def sign_in(visitor: Visitor, name: str, password: str = PASSWORD) -> None:
    """Fill in the sign-in form and press Enter."""
    page = visitor.page
    await page.get_by_label("Jméno").fill(name)
    await page.get_by_label("Heslo").fill(password)
    await page.get_by_label("Heslo").press("Enter")


async def enter(visitor: Visitor, name: str, path: str = "/") -> None:
    """Open a page as a user; returns when it is shown and live."""
    # On the first visit the page's own requests also prompt for signing in.
    visitor.watch.announce(r"/api/v1/(orders|presets|queues|system).*: 401")
    await visitor.open(path)
    await sign_in(visitor, name)
    await expect(visitor.page.get_by_role("button", name=f"Přihlášení: {name}")).to_be_visible()
    await visitor.until_light("live")
