"""A service in a process of its own, watched from outside: how much memory it takes."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pastelka_common.testing.processes import peak_memory

_PAGE = os.sysconf("SC_PAGE_SIZE")
_EVERY = 0.02
_START = 60.0


@dataclass
class Watch:
    """The process ``pid`` and those it started; sizes in bytes."""

    pid: int
    most: int = 0
    """Resident memory of all of them at the worst moment."""
    limits: dict[int, int] = field(default_factory=dict)
    """Address space that each decoder process may have, by its id."""
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def own(self) -> int:
        """The most that the process itself had (``VmHWM``)."""
        return peak_memory(self.pid)

    def look(self) -> None:
        """Look once."""
        children = list(self._children())
        self.most = max(self.most, sum(map(_resident, [self.pid, *children])))
        for child in children:
            self.limits[child] = _address_space(child)

    def run(self) -> None:
        """Look until it is over."""
        while not self._ended.wait(_EVERY):
            self.look()

    def end(self) -> None:
        """It is over."""
        self._ended.set()

    def _children(self) -> Iterator[int]:
        for folder in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                yield from map(int, (folder / "children").read_text().split())
            except OSError:  # the thread has ended
                continue


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0


def _address_space(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except OSError:
        return 0
    # A process that has just ended has no lines.
    value = next((line.split()[3] for line in lines if line.startswith("Max address space")), "unlimited")
    return 0 if value == "unlimited" else int(value)


@contextmanager
def watched(pid: int) -> Iterator[Watch]:
    """Watch a process for as long as the block lasts."""
    watch = Watch(pid)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.end()
        thread.join()


@asynccontextmanager
async def service(module: str, url: str, env: Mapping[str, str], log: Path) -> AsyncIterator[int]:
    """``python -m <module>`` until the block ends; ``url`` answers once it is ready. Yields its id."""
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: ASYNC220 - our own module, started at once
            [sys.executable, "-m", module], env={**os.environ, **env}, stdout=file, stderr=file
        )
    try:
        await _until_ready(process, url, log)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, _START)


def _tail(log: Path) -> str:
    return log.read_text()[-2000:]


async def _until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    host, port = url.removeprefix("http://").split("/")[0].split(":")
    async with asyncio.timeout(_START):
        while True:
            if process.poll() is not None:
                raise AssertionError(_tail(log))
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
