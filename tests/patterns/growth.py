"""How the work for an input grows with its size."""

import time
from collections.abc import Callable

MOST_GROWTH = 2.6
"""Of the time for an input twice as large: linear work doubles, quadratic work takes four times as long."""

_NOTICEABLE = 0.02
_RUNS = 5


def growth(work: Callable[[int], object], *, start: int = 64, largest: int = 1 << 15) -> float:
    """How much longer ``work(2 * n)`` takes than ``work(n)``, at the first ``n`` where it takes 20 ms.

    Sizes are doubled from ``start``; work that takes less than 20 ms for ``largest`` grows by 0. The time of
    a size is the least of several runs, on this thread's clock: other load of the machine does not count.
    """
    size, before = start, _seconds(work, start)
    while size < largest:
        size *= 2
        now = _seconds(work, size)
        if now > _NOTICEABLE:
            return now / max(before, 1e-9)
        before = now
    return 0.0


def _seconds(work: Callable[[int], object], size: int) -> float:
    """The least time of several runs, of fewer if one takes long."""
    least, total = float("inf"), 0.0
    for _ in range(_RUNS):
        since = time.thread_time()
        work(size)
        took = time.thread_time() - since
        least, total = min(least, took), total + took
        if least < _NOTICEABLE / _RUNS or total > 1:
            break
    return least
