"""Runs a server as a child process, for tests and short-lived use."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pastelka_common.servers.base import Server, ServerError

_ATTEMPTS = 3
_IN_USE = "in use"
_POLL_SECONDS = 0.03
_PORT_SECONDS = 0.1
_STOP_SECONDS = 10.0
_TAIL_BYTES = 4000
_FORBIDDEN_BY = "PASTELKA_SERVERS_FORBIDDEN_BY"
"""Variable with the id of the running test, if it lacks the marker ``server``."""


class ServerProcess:
    """A server and its process; fault tests kill and restart it on the same port."""

    def __init__(self, server: Server, *, deadline: float = 60.0) -> None:
        self.server = server
        self.deadline = deadline
        self._process: asyncio.subprocess.Process | None = None
        self._has_run = False

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self.server.url

    @property
    def pid(self) -> int:
        """Process id. Raises :class:`ServerError` if it is not running."""
        if self._process is None:
            raise ServerError(f"{self.server.name} is not running")
        return self._process.pid

    @property
    def log(self) -> Path:
        """File with its output."""
        return self.server.folder / "log"

    async def start(self) -> None:
        """Start it on its current ports, and wait until it responds. Raises :class:`ServerError`.

        The previous instance may occupy the ports for a moment: PostgreSQL's child processes detect the end
        of a killed parent with a delay.
        """
        give_up = time.monotonic() + self.deadline
        while True:
            try:
                await self._start()
            except ServerError as error:
                if not self._has_run or _IN_USE not in str(error) or time.monotonic() > give_up:
                    raise
                await asyncio.sleep(_PORT_SECONDS)
            else:
                self._has_run = True
                return

    async def _start(self) -> None:
        _check_allowed(self.server.name)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.server.command(dies_with_parent=True),
                env={**os.environ, **self.server.env()},
                cwd=self.server.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            await asyncio.wait_for(self._until_ready(self._process), self.deadline)
        except TimeoutError:
            await self.kill()
            raise ServerError(self._failure(f"did not respond within {self.deadline:g} s")) from None
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """Stop it cleanly, by force after ten seconds; no effect if it is not running."""
        await self._end(self.server.stop_signal)

    async def kill(self) -> None:
        """Kill it with its child processes, like a power cut."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Stop it and start it again on the same ports."""
        await self.stop()
        await self.start()

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        while not await self.server.ready():
            if process.returncode is not None:
                raise ServerError(self._failure(f"ended with status {process.returncode} at its start"))
            await asyncio.sleep(_POLL_SECONDS)

    async def _end(self, signal_number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if signal_number is signal.SIGKILL:
            _signal_group(process.pid, signal_number)
        elif process.returncode is None:
            process.send_signal(signal_number)
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()

    def _failure(self, what: str) -> str:
        tail = self.log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
        return f"{self.server.name} {what}; its log ends:\n{tail}"


@asynccontextmanager
async def running(server: Server, *, deadline: float = 60.0) -> AsyncIterator[ServerProcess]:
    """Prepare ``server`` and run it until the block ends.

    Retries with another port if one was occupied meanwhile. Raises :class:`ServerError` with the log's tail
    if it does not start.
    """
    process = ServerProcess(server, deadline=deadline)
    await _start(process)
    try:
        yield process
    finally:
        await process.stop()


async def _start(process: ServerProcess) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        await asyncio.to_thread(process.server.prepare)
        try:
            return await process.start()
        except ServerError as error:
            if attempt == _ATTEMPTS or _IN_USE not in str(error):
                raise
            process.server.choose_ports()
    return None


def _check_allowed(name: str) -> None:
    test = os.environ.get(_FORBIDDEN_BY)
    if test is not None:
        raise ServerError(
            f"{test} starts {name} but has no marker `server`:"
            " use a fixture of pastelka_common.testing.plugin, or mark it with @pytest.mark.server"
        )


def _signal_group(pid: int, signal_number: signal.Signals) -> None:
    try:
        os.killpg(pid, signal_number)
    except ProcessLookupError:
        return
