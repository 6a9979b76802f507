"""Runs an image's program as a container would: unprivileged, with a read-only tree.

The network is the machine's, because no container engine here can isolate it: every program listens on a free
port of loopback.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.images.plan import USER

_ENTER = Path(__file__).with_name("enter.sh")
_GRACE = 45.0
"""As in compose.yaml."""


@dataclass
class Container:
    """A program of an image: its configuration, the mounted tree, and the folder mounted at ``/data``."""

    name: str
    config: Mapping[str, Any]
    root: Path
    data: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    read_only_data: bool = False
    _process: asyncio.subprocess.Process | None = None

    async def start(self, stdin: int = asyncio.subprocess.DEVNULL) -> None:
        """Start the image's entrypoint with ``command`` in place of the image's command."""
        program = [*(self.config["Entrypoint"] or []), *(self.command or self.config["Cmd"] or [])]
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *("unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--propagation=private"),
                *(str(_ENTER), str(self.root), str(self.data), "yes" if self.read_only_data else "no", USER),
                *program,
                env={**_variables(self.config), **self.environment},
                stdin=stdin,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def run(self, *, timeout: float = 120.0) -> int:
        """Start it and wait until it exits; returns the exit status."""
        await self.start()
        return await asyncio.wait_for(self._running.wait(), timeout)

    async def stop(self) -> tuple[int, float]:
        """Send the stop signal as an engine does; returns the exit status and the seconds it took.

        Raises ``TimeoutError`` if an engine would have killed it, ``RuntimeError`` if one of its processes
        remains.
        """
        asked = self.config.get("StopSignal") or "SIGTERM"
        namespace = (Path("/proc") / str(self.pid) / "ns" / "pid").readlink()
        began = time.monotonic()
        os.kill(self.pid, signal.Signals[asked])
        try:
            status = await asyncio.wait_for(self._running.wait(), _GRACE)
        except TimeoutError:
            raise TimeoutError(f"{self.name} did not end within {_GRACE:g} s of {asked}") from None
        seconds = time.monotonic() - began
        if left := [*_processes_in(namespace)]:
            raise RuntimeError(f"{self.name} ended and left the processes {left} behind")
        return status, seconds

    async def kill(self) -> None:
        """Kill it and all its processes, if it runs."""
        if self._process is None or self._process.returncode is not None:
            return
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # not started yet, or exited just now
            self._process.kill()
        await self._process.wait()

    @property
    def ended(self) -> bool:
        """Whether it is not running."""
        return self._process is None or self._process.returncode is not None

    @property
    def pid(self) -> int:
        """Host process id of its first process. Raises ``ProcessLookupError`` if there is none."""
        outer = self._running.pid
        try:
            return int(Path(f"/proc/{outer}/task/{outer}/children").read_text())
        except (FileNotFoundError, ValueError):
            raise ProcessLookupError(f"{self.name} has no process") from None

    @property
    def peak_megabytes(self) -> float:
        """Peak memory of its first process so far."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1000

    @property
    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process

    async def healthy(self) -> bool:
        """Result of the image's own health check."""
        _kind, *check = self.config["Healthcheck"]["Test"]
        try:
            inside = self.pid
        except ProcessLookupError:
            return False
        process = await asyncio.create_subprocess_exec(
            *("nsenter", f"--target={inside}", "--mount", "--pid", "--root", "--wd=/"),
            *(f"--setuid={USER.split(':')[0]}", f"--setgid={USER.split(':')[1]}", "--"),
            *check,
            env={**_variables(self.config), **self.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return await process.wait() == 0


@asynccontextmanager
async def kept(container: Container) -> AsyncIterator[Container]:
    """Kill it when the block ends."""
    try:
        yield container
    finally:
        await container.kill()


def _processes_in(namespace: Path) -> Iterator[str]:
    for link in Path("/proc").glob("[0-9]*/ns/pid"):
        with contextlib.suppress(OSError):  # it exited meanwhile
            if link.readlink() == namespace:
                yield link.parts[2]


def _variables(config: Mapping[str, Any]) -> dict[str, str]:
    return dict(variable.split("=", 1) for variable in config["Env"] or [])
