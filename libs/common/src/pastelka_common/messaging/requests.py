"""How many messages the pull requests that wait at the server may still bring."""

import time
from dataclasses import dataclass, field

_GRACE = 10.0


@dataclass(slots=True)
class Requests:
    """The requests of one subscription.

    A delivery does not say which request it answers, but the server says how much of a request was
    unserved when it ends one; where it does not, the request was refused as a whole. ``open`` is
    therefore exact, which is what keeps a worker from getting more than it asked for.
    """

    open: int = 0
    _last: int = 0
    _batches: dict[int, tuple[int, float]] = field(default_factory=dict)

    def add(self, batch: int, *, expires: float) -> int:
        """Note a request for ``batch`` messages that the server ends after ``expires`` seconds."""
        self._forget_served()
        self._last += 1
        self._batches[self._last] = (batch, time.monotonic() + expires + _GRACE)
        self.open += batch
        return self._last

    def served(self) -> None:
        """Note a delivery."""
        self.open = max(self.open - 1, 0)

    def end(self, number: int, unserved: int | None = None) -> None:
        """Note that the server ended a request, with ``unserved`` messages (``None``: all) missing."""
        batch, _ = self._batches.pop(number, (0, 0.0))
        self.open = max(self.open - (batch if unserved is None else min(unserved, batch)), 0)

    def forget(self) -> None:
        """Note that the server knows none of them any more."""
        self.open = 0
        self._batches.clear()

    def _forget_served(self) -> None:
        """A request whose time is long over was served in full, else the server would have ended it."""
        now = time.monotonic()
        while self._batches:
            oldest = next(iter(self._batches))
            if self._batches[oldest][1] > now:
                return
            del self._batches[oldest]
