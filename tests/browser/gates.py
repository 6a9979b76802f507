"""Holds work at a step, so that a test sees every status on a slow or fast machine.

Only the providers are fakes: a service stopped with ``SIGSTOP`` takes no work, and a file replaced by a pipe
is readable only when the test allows it.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from pastelka_common.testing.fake_runpod import JobPlan
from pastelka_common.testing.fake_runpod_jobs import Fault, Operation
from tests.system import System


@contextmanager
def stopped(system: System, service: str) -> Iterator[None]:
    """Stop ``service`` (SIGSTOP) until the block ends."""
    system.stack.services[service].send(signal.SIGSTOP)
    try:
        yield
    finally:
        system.stack.services[service].send(signal.SIGCONT)


@asynccontextmanager
async def unreadable(system: System, url: str) -> AsyncIterator[None]:
    """Block reads of the stored file behind ``url`` until the block ends; they then get the whole file."""
    path = stored(system, url)
    aside = path.with_name(f"{path.name}.aside")
    path.rename(aside)
    os.mkfifo(path)
    try:
        yield
    finally:
        await asyncio.to_thread(_feed, path, aside)


def _feed(pipe: Path, aside: Path) -> None:
    content = aside.read_bytes()
    # Opening blocks until the reader has the other end: the name can then refer to the file again.
    with pipe.open("wb") as out:
        aside.rename(pipe)
        out.write(content)


def stored(system: System, url: str) -> Path:
    """The stored file of a URL."""
    return system.stack.storage / urlsplit(url).path.removeprefix("/static/images/")


def queue_until_advanced(system: System, jobs: int = 1) -> None:
    """Keep the next ``jobs`` in RunPod's queue until ``runpod.advance`` moves them on."""
    system.runpod.plan(*(JobPlan(states=["IN_QUEUE"]) for _ in range(jobs)))


@asynccontextmanager
async def held(system: System, operation: Operation, calls: int = 1) -> AsyncIterator[None]:
    """Delay the next ``calls`` of an operation at RunPod until the block ends."""
    hangs: list[Fault] = ["hang"] * calls
    system.runpod.fail(operation, *hangs)
    try:
        yield
        # A call that arrives after the release would hang forever.
        await system.runpod.until(lambda: system.runpod.faults.due(operation) == 0, timeout=30)
    finally:
        system.runpod.release()
