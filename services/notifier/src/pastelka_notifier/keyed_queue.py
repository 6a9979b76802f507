"""Keeping each order's updates in order while different orders go side by side."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger(__name__)


class KeyedQueue(Generic[T]):
    """A queue for each key, worked off one item at a time; at most ``width`` items at once in all.

    ``work`` says itself what becomes of an item it fails at: an exception is logged, and the lane
    goes on with the next item.
    """

    def __init__(self, work: Callable[[T], Awaitable[None]], *, width: int) -> None:
        self._work = work
        self._places = asyncio.Semaphore(width)
        self._waiting: dict[Hashable, deque[T]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, key: Hashable, item: T) -> None:
        """Add an item behind those with the same key."""
        if key in self._waiting:
            self._waiting[key].append(item)
            return
        self._waiting[key] = deque([item])
        task = asyncio.create_task(self._run(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, seconds: float) -> None:
        """Let the lanes empty for at most ``seconds``, then cancel the work and drop what waits."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._waiting.clear()

    async def _run(self, key: Hashable) -> None:
        lane = self._waiting[key]
        try:
            while lane:
                async with self._places:
                    await self._work_one(lane.popleft())
        finally:
            del self._waiting[key]

    async def _work_one(self, item: T) -> None:
        try:
            await self._work(item)
        except Exception:
            log.exception("queued item failed")
