"""Pacing of polls: interval proportional to a job's age, with limits on rate and concurrency."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiolimiter import AsyncLimiter

_FIRST_DELAY = 0.25
_GROWTH = 0.15
"""Poll interval as a share of the job's age, which bounds the relative delay of its result."""
_FIRST_BACKOFF = 0.5
_MAX_BACKOFF = 10.0


def poll_delay(age: float, interval: float) -> float:
    """Seconds until the next poll of a job that is ``age`` seconds old, at most about ``interval``."""
    return _jittered(min(max(_FIRST_DELAY, _GROWTH * age), interval))


def retry_delay(failures: int, retry_after: float | None) -> float:
    """Seconds until the next attempt after ``failures`` consecutive failures.

    ``retry_after`` is the provider's ``Retry-After``, the minimum; jitter prevents clients with the same
    value from returning together.
    """
    backoff = min(_FIRST_BACKOFF * 2.0 ** min(failures - 1, 10), _MAX_BACKOFF)
    spread = backoff * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
    return spread if retry_after is None else retry_after + spread / 2


def _jittered(delay: float) -> float:
    return delay * random.uniform(0.85, 1.0)  # noqa: S311 - jitter, not a secret


class PollPacer:
    """Limits the polls of all jobs of a process, in FIFO order."""

    def __init__(self, *, concurrency: int, per_second: float, burst: int) -> None:
        self._limiter = asyncio.Semaphore(concurrency)
        self._rate = AsyncLimiter(burst, burst / per_second)
        self._queue = asyncio.Lock()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a slot, and hold it."""
        async with self._limiter:
            # Waiters of the limiter may wake in any order, so only one waits at a time.
            async with self._queue:
                await self._rate.acquire()
            yield
