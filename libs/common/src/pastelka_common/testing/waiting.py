"""Waiting in tests: for an event, with a deadline, instead of sleeping."""

import asyncio
import inspect
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

DEADLINE = 10.0
_POLL_SECONDS = 0.02


async def soon(awaitable: Awaitable[T], seconds: float = DEADLINE) -> T:
    """The result of ``awaitable``. Raises ``TimeoutError`` after ``seconds``."""
    async with asyncio.timeout(seconds):
        return await awaitable


async def until(check: Callable[[], T | Awaitable[T]], seconds: float = DEADLINE) -> T:
    """Poll ``check`` for its first true result, for state without change events.

    Raises ``AssertionError`` with the last result after ``seconds``.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        answer = check()
        value = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"still {value!r} after {seconds:g} s")
        await asyncio.sleep(_POLL_SECONDS)


async def freeze(pid: int) -> None:
    """Stop a process (SIGSTOP), and return once each of its threads is stopped.

    The signal takes effect after ``kill`` returns: a thread may still respond meanwhile.
    """
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: _states(pid) <= {"T", "t"})


def _states(pid: int) -> set[str]:
    """States of a process's threads, as in proc_pid_stat(5); of the process itself without /proc."""
    threads = list(Path(f"/proc/{pid}/task").glob("*/stat"))
    if threads:
        return {stat.read_text().rpartition(")")[2].split()[0] for stat in threads}
    shown = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, check=True, text=True)  # noqa: S603, S607
    return {shown.stdout.strip()[:1]}
