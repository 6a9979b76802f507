"""How many jobs of this process wait in RunPod's queue: no more than the endpoint works off in time."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_FIRST_LIMIT = 32
_SHARE_OF_TIMEOUT = 0.25


class QueueWindow:
    """The submitted jobs of one process that no worker of RunPod has taken yet, and their limit.

    The limit is ``fixed``, or learned so that a job waits for about a quarter of ``queue_timeout``
    (seconds): a job that entered as the ``n``-th and waited ``w`` seconds shows that the endpoint takes
    ``n / w`` of our jobs a second (Little's law). As with a congestion window (RFC 7661) the limit grows
    only if it was in use, and at most to double. Each replica learns its own share of the endpoint.
    """

    def __init__(self, *, queue_timeout: float, fixed: int | None = None) -> None:
        self._wanted_seconds = queue_timeout * _SHARE_OF_TIMEOUT
        self._is_fixed = fixed is not None
        self.limit = fixed or _FIRST_LIMIT
        self.queued = 0
        self._room = asyncio.Event()

    @asynccontextmanager
    async def place(self, *, wait: bool) -> AsyncIterator["QueuePlace"]:
        """Have a place until the job leaves the queue, at most while the body runs.

        ``wait`` waits for room; a job that is in the queue already takes its place at once.
        """
        while wait and self.queued >= self.limit:
            self._room.clear()
            await self._room.wait()
        self.queued += 1
        place = QueuePlace(self, self.queued if wait else None)
        try:
            yield place
        finally:
            place.leave()

    def free(self) -> None:
        """Note that a job has left the queue."""
        self.queued -= 1
        self._room.set()

    def learn(self, entered_as: int, waited: float) -> None:
        """Adapt the limit to a job that was the ``entered_as``-th and waited so many seconds."""
        if self._is_fixed:
            return
        limit = 2 * self.limit
        if waited > 0:
            limit = min(limit, math.ceil(entered_as * self._wanted_seconds / waited))
        if limit < self.limit or 2 * entered_as >= self.limit:
            self.limit = max(1, limit)
            self._room.set()


@dataclass(slots=True)
class QueuePlace:
    """The place of one job.

    ``entered_as`` counts the jobs of this process that were in the queue when it entered, it included;
    ``None`` if it entered in another process.
    """

    window: QueueWindow
    entered_as: int | None
    has_left: bool = False

    def leave(self, waited: float | None = None) -> None:
        """Free the place, once; ``waited`` is for how many seconds the job was in RunPod's queue."""
        if self.has_left:
            return
        self.has_left = True
        if waited is not None and self.entered_as is not None:
            self.window.learn(self.entered_as, waited)
        self.window.free()
