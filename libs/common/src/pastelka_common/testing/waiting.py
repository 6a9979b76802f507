"""Waiting in tests: for an event, with a deadline, instead of sleeping."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
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
