"""How many messages the pull requests that wait at the server may still bring."""

import time
from dataclasses import dataclass, field

_GRACE = 10.0


@dataclass(slots=True)
class PullRequests:
    """The requests of one subscription.

    A delivery does not say which request it answers, but the server says how much of a request was
    unserved when it ends one; where it does not, the request was refused as a whole. ``open`` is
    therefore exact, which is what keeps a worker from getting more than it asked for. Only a
    request beyond ``max_waiting`` is dropped without a word: its time shows that.
    """

    open: int = 0
    _last: int = 0
    _batches: dict[int, tuple[int, float]] = field(default_factory=dict)

    def add(self, batch: int, *, expires: float) -> int:
        """Note a request for ``batch`` messages that the server ends after ``expires`` seconds."""
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

    def expire(self) -> None:
        """Forget requests whose time is long over: served in full, or dropped without a word."""
        now = time.monotonic()
        over = [number for number, (_, deadline) in self._batches.items() if deadline < now]
        for number in over:
            del self._batches[number]
        if over:
            self.open = min(self.open, sum(batch for batch, _ in self._batches.values()))
