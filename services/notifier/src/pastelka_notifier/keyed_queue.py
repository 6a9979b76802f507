"""Processes the updates of each order in sequence and those of different orders concurrently."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger(__name__)


class KeyedQueue(Generic[T]):
    """A queue per key, processed one item at a time; at most ``width`` items concurrently in total.

    ``work`` handles its own failures: an exception is logged, and the queue continues with the next item.
    """

    def __init__(self, work: Callable[[T], Awaitable[None]], *, width: int) -> None:
        self._work = work
        self._places = asyncio.Semaphore(width)
        self._waiting: dict[Hashable, deque[T]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, key: Hashable, item: T) -> None:
        """Append an item to the queue of its key."""
        if key in self._waiting:
            self._waiting[key].append(item)
            return
        self._waiting[key] = deque([item])
        task = asyncio.create_task(self._run(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, seconds: float) -> None:
        """Drain the queues for at most ``seconds``, then cancel the active work and drop waiting items."""
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
