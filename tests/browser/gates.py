"""Holding work at a step, so that a test sees every status, however fast or slow the machine is.

Nothing is faked but the providers: a service that is stopped (``SIGSTOP``) takes no work, and a file
that is a pipe is read only when the test lets it be.
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
from tests.line import Line


@contextmanager
def stopped(line: Line, service: str) -> Iterator[None]:
    """``service`` does nothing until the block ends."""
    line.stack.services[service].send(signal.SIGSTOP)
    try:
        yield
    finally:
        line.stack.services[service].send(signal.SIGCONT)


@asynccontextmanager
async def unreadable(line: Line, url: str) -> AsyncIterator[None]:
    """A read of the stored file behind ``url`` waits until the block ends, and then gets all of it."""
    path = stored(line, url)
    aside = path.with_name(f"{path.name}.aside")
    path.rename(aside)
    os.mkfifo(path)
    try:
        yield
    finally:
        await asyncio.to_thread(_feed, path, aside)


def _feed(pipe: Path, aside: Path) -> None:
    content = aside.read_bytes()
    # Opening waits for the reader, who has the pipe's other end: the name can be the file's again.
    with pipe.open("wb") as out:
        aside.rename(pipe)
        out.write(content)


def stored(line: Line, url: str) -> Path:
    """The file behind a URL of ours."""
    return line.stack.storage / urlsplit(url).path.removeprefix("/static/images/")


def queue_until_advanced(line: Line, jobs: int = 1) -> None:
    """The next ``jobs`` at RunPod wait in its queue until ``runpod.advance`` takes them on."""
    line.runpod.plan(*(JobPlan(states=["IN_QUEUE"]) for _ in range(jobs)))


@asynccontextmanager
async def held(line: Line, operation: Operation, calls: int = 1) -> AsyncIterator[None]:
    """The next ``calls`` of an operation at RunPod are answered when the block ends."""
    hangs: list[Fault] = ["hang"] * calls
    line.runpod.fail(operation, *hangs)
    try:
        yield
        # One that came only after the release would hang for good.
        await line.runpod.until(lambda: line.runpod.faults.due(operation) == 0, timeout=30)
    finally:
        line.runpod.release()
