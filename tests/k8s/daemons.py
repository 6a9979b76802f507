"""Background programs of a test, each with a log; all end with the test's process."""

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pastelka_common.servers.privileges import terminate_with_parent

_TAIL = 4000
_POLL_SECONDS = 0.1


@dataclass
class Daemons:
    """The running programs, stopped in reverse order of their start."""

    folder: Path
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: list[str], env: Mapping[str, str] | None = None) -> None:
        """Start a program; its output goes to ``<name>.log``."""
        with self.log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(
                terminate_with_parent(command),
                cwd=self.folder,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def log(self, name: str) -> Path:
        """Path of a program's log."""
        return self.folder / f"{name}.log"

    async def ready(self, name: str, check: Callable[[], Awaitable[bool]], seconds: float = 180) -> None:
        """Wait until ``check`` returns true.

        Raises with the end of the log if the program exits or takes too long.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while not await check():
            if self._running[name].poll() is not None:
                raise RuntimeError(f"{name} ended:\n{self.tail(name)}")
            if asyncio.get_running_loop().time() > deadline:
                raise RuntimeError(f"{name} is not ready after {seconds:g} s:\n{self.tail(name)}")
            await asyncio.sleep(_POLL_SECONDS)

    def tail(self, name: str) -> str:
        """The last lines of a program's output."""
        return self.log(name).read_text(errors="replace")[-_TAIL:]

    def stop(self) -> None:
        """Kill all of them at once: their data is no longer needed."""
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait()
        self._running.clear()
