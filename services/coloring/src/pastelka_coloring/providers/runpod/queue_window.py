"""Limits this process's jobs in RunPod's queue to what the endpoint processes in time."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_FIRST_LIMIT = 32
_SHARE_OF_TIMEOUT = 0.25


class QueueWindow:
    """Counts and limits the queued jobs of one process.

    The limit is ``fixed``, or adapted so that a job waits for about a quarter of ``queue_timeout`` (seconds):
    a job that entered as the ``n``-th and waited ``w`` seconds shows that the endpoint starts ``n / w`` of
    our jobs per second (Little's law). Like a congestion window (RFC 7661), the limit grows only if it was
    used, and at most doubles. Each replica adapts to its own share of the endpoint.
    """

    def __init__(self, *, queue_timeout: float, fixed: int | None = None) -> None:
        self._target_seconds = queue_timeout * _SHARE_OF_TIMEOUT
        self._is_fixed = fixed is not None
        self.limit = fixed or _FIRST_LIMIT
        self.queued = 0
        self._has_space = asyncio.Event()

    @asynccontextmanager
    async def place(self, *, wait: bool) -> AsyncIterator["QueuePlace"]:
        """Hold a place until the job leaves the queue, at most while the body runs.

        ``wait``: wait for a free place; a job that is already in the queue gets one at once.
        """
        while wait and self.queued >= self.limit:
            self._has_space.clear()
            await self._has_space.wait()
        self.queued += 1
        place = QueuePlace(self, self.queued if wait else None)
        try:
            yield place
        finally:
            place.leave()

    def free(self) -> None:
        """Record that a job has left the queue."""
        self.queued -= 1
        self._has_space.set()

    def adapt(self, entered_as: int, waited: float) -> None:
        """Adapt the limit to a job that was the ``entered_as``-th and waited ``waited`` seconds."""
        if self._is_fixed:
            return
        limit = 2 * self.limit
        if waited > 0:
            limit = min(limit, math.ceil(entered_as * self._target_seconds / waited))
        if limit < self.limit or 2 * entered_as >= self.limit:
            self.limit = max(1, limit)
            self._has_space.set()


@dataclass(slots=True)
class QueuePlace:
    """The place of one job in the queue.

    ``entered_as``: number of this process's jobs in the queue when it entered, including itself; ``None`` if
    another process submitted it.
    """

    window: QueueWindow
    entered_as: int | None
    has_left: bool = False

    def leave(self, waited: float | None = None) -> None:
        """Free the place, once; ``waited`` is the job's time in RunPod's queue in seconds."""
        if self.has_left:
            return
        self.has_left = True
        if waited is not None and self.entered_as is not None:
            self.window.adapt(self.entered_as, waited)
        self.window.free()
