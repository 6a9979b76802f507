"""When a job is asked after: soon at first, then in proportion to its age; never too many at once."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiolimiter import AsyncLimiter

_FIRST_DELAY = 0.25
_GROWTH = 0.15
"""Share of a job's age until the next poll: the page is noticed at most that share of its age late."""
_FIRST_BACKOFF = 0.5
_LONGEST_BACKOFF = 10.0


def poll_delay(age: float, interval: float) -> float:
    """Seconds until the next poll of a job that is ``age`` seconds old, at most about ``interval``."""
    return _jittered(min(max(_FIRST_DELAY, _GROWTH * age), interval))


def retry_delay(failures: int, wish: float | None) -> float:
    """Seconds until a call that failed ``failures`` times in a row is made again.

    ``wish`` is the provider's ``Retry-After``: never earlier than that, and a little later, so that
    clients that got the same value do not return together.
    """
    backoff = min(_FIRST_BACKOFF * 2.0 ** min(failures - 1, 10), _LONGEST_BACKOFF)
    spread = backoff * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
    return spread if wish is None else wish + spread / 2


def _jittered(delay: float) -> float:
    return delay * random.uniform(0.85, 1.0)  # noqa: S311 - jitter, not a secret


class PollPacer:
    """Turns at polling, given in the order they were asked for to all jobs of a process."""

    def __init__(self, *, at_once: int, per_second: float, burst: int) -> None:
        self._seats = asyncio.Semaphore(at_once)
        self._rate = AsyncLimiter(burst, burst / per_second)
        self._line = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold one turn."""
        async with self._seats:
            # Those who wait for the limiter together may wake in any order; so only the first one does.
            async with self._line:
                await self._rate.acquire()
            yield
