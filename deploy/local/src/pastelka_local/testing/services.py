"""One process of Pastelka under a test's control."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp

from pastelka_common.servers import free_port
from pastelka_common.testing.forkserver import ForkedProcess, fork_server

_PROBE = aiohttp.ClientTimeout(total=2)
_LOG_TAIL = 4000
_API = "pastelka_orders.entrypoints.api"


async def fork(module: str, *arguments: str, env: Mapping[str, str], log: Path) -> ForkedProcess:
    """Run ``python -m module`` as a fork of a process that has imported it; ``log`` receives its output.

    Each module has a separate fork server, so that no service sees what another one's import changes in a
    library (the formats that Pillow reads).
    """
    imported = module if "." in module else f"{module}.entrypoint"
    with log.open("ab") as file:
        number = file.fileno()
        return await fork_server(imported).start(module, *arguments, env=env, out=number, err=number)


class Service:
    """A service as its own process; ``url`` is its HTTP address (health; for the API, all routes)."""

    def __init__(
        self, name: str, module: str, env: Mapping[str, str], folder: Path, *, port: int | None = None
    ) -> None:
        self.name = name
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"{name}.log"
        self.launcher: Sequence[str] = ()
        """Arguments before the module's name: a launcher that runs the module."""
        self.is_forked = True
        """Whether it is forked from a process that has imported its modules: it starts at once, but shares
        memory with that process."""
        self._module = module
        # The API serves orders without NATS, so its probe differs, as in Compose and the chart.
        self._probe = "/readyz?exclude=broker" if module == _API else "/readyz"
        self._env = {**os.environ, **env, "HOST": "127.0.0.1", "PORT": str(self.port)}
        self._process: asyncio.subprocess.Process | ForkedProcess | None = None

    @property
    def pid(self) -> int:
        """Process id; raises if the process is not running."""
        if self._process is None or self._process.returncode is not None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process.pid

    async def start(self, *, deadline: float = 60.0) -> None:
        """Start it and wait until it is ready."""
        await self.spawn()
        await self.ready(deadline=deadline)

    async def spawn(self) -> None:
        """Start it without waiting."""
        if self.is_forked and not self.launcher:
            self._process = await fork(self._module, env=self._env, log=self.log)
            return
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *self.launcher, self._module), env=self._env, stdout=log, stderr=log
            )

    async def ready(self, *, deadline: float = 60.0) -> None:
        """Wait until the service is ready; raises with the end of its log if it does not become ready."""
        try:
            async with asyncio.timeout(deadline), aiohttp.ClientSession(timeout=_PROBE) as http:
                while not await self._answers(http):  # noqa: ASYNC110 - a process has no event to wait for
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise RuntimeError(f"{self.name} is not ready after {deadline} s:\n{self.tail()}") from None

    async def _answers(self, http: aiohttp.ClientSession) -> bool:
        if self._process is None or self._process.returncode is not None:
            raise RuntimeError(f"{self.name} ended at its start:\n{self.tail()}")
        try:
            async with http.get(f"{self.url}{self._probe}") as response:
                return response.status == 200  # noqa: PLR2004 - HTTP OK
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def kill(self) -> None:
        """``kill -9``."""
        await self._signal(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return await self._signal(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        """Send a signal without waiting."""
        os.kill(self.pid, number)

    async def _signal(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.send_signal(number)
        try:
            async with asyncio.timeout(40):
                return await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise RuntimeError(f"{self.name} did not end within 40 s:\n{self.tail()}") from None

    def tail(self) -> str:
        """The last lines of its log."""
        return self.log.read_text(errors="replace")[-_LOG_TAIL:] if self.log.exists() else ""
