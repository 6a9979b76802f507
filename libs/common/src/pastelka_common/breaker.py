"""A circuit breaker: while a provider fails, it is left alone, and jobs wait instead of failing.

*Closed*, requests go out. After some failures in a row it is *open*: none do, for a pause that
doubles with every probe that fails. Then it is *half-open*: one request, the probe, decides.
"""

import random
import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from prometheus_client import Gauge

from pastelka_common.contracts.messages import now
from pastelka_common.errors import PostponedError, TransientError
from pastelka_common.messaging.service_health import BreakerHealth, BreakerState

STATE = Gauge("pastelka_breaker_state", "0 closed, 1 half-open, 2 open", ["provider"])

_NUMBERS: dict[BreakerState, int] = {"closed": 0, "half_open": 1, "open": 2}
_PROBE_SECONDS = 5.0
_LONGEST_WISH = 3600.0

log = structlog.get_logger(__name__)


class Breaker:
    """One provider's breaker in one process. Times are seconds.

    It opens after ``failures`` in a row, for ``pause``, doubled up to ``longest``, or for as long
    as the provider asked (``Retry-After``) if that is longer.
    """

    def __init__(
        self,
        provider: str,
        *,
        failures: int = 5,
        pause: float = 15.0,
        longest: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.provider = provider
        self._failures = failures
        self._pause = pause
        self._longest = longest
        self._clock = clock
        self._in_a_row = 0
        self._opened = 0
        self._probe_at: float | None = None
        self._probing = False
        self._since = now()
        self._reason: str | None = None
        self._listeners: list[Callable[[], None]] = []
        STATE.labels(provider).set_function(lambda: _NUMBERS[self.state])

    @property
    def state(self) -> BreakerState:
        """Which of the three it is now."""
        if self._probe_at is None:
            return "closed"
        return "open" if self._clock() < self._probe_at else "half_open"

    def health(self) -> BreakerHealth:
        """Its state as other services show it."""
        left = self.seconds_until_probe()
        return BreakerHealth(
            state=self.state,
            since=self._since,
            reason=self._reason,
            next_probe_at=None if left is None else now() + timedelta(seconds=left),
        )

    def add_listener(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever it has opened or closed."""
        self._listeners.append(listener)

    def seconds_until_probe(self) -> float | None:
        """How long it stays open; ``None`` if it is not."""
        if self._probe_at is None or self.state != "open":
            return None
        return max(0.0, self._probe_at - self._clock())

    def available_slots(self, free: int, outstanding: int) -> int:
        """How many jobs to ask for where ``free`` have room and ``outstanding`` were asked for."""
        match self.state:
            case "closed":
                return free
            case "half_open" if not self._probing:
                return min(free, max(0, 1 - outstanding))
            case _:
                return 0

    def check(self) -> None:
        """Raise :class:`PostponedError` unless a request may go out."""
        state = self.state
        if state == "closed" or (state == "half_open" and not self._probing):
            return
        seconds = self.seconds_until_probe() or _PROBE_SECONDS
        # Those who wait do not come back together, nor before the breaker is half-open.
        seconds += random.uniform(0.1, 0.3) * max(self._pause, 1.0)  # noqa: S311 - jitter
        raise PostponedError(
            "provider_paused",
            f"{self.provider} is left alone for a while, because it failed: {self._reason}",
            seconds=seconds,
        )

    def allow_request(self) -> bool:
        """Let one request out; returns whether it is the probe. Raises :class:`PostponedError`."""
        self.check()
        if self.state == "closed":
            return False
        self._probing = True
        return True

    def record_success(self) -> None:
        """Note that the provider answered."""
        self._in_a_row = 0
        if self._probe_at is None:
            return
        self._probe_at, self._probing, self._opened = None, False, 0
        self._change(None)
        log.info("breaker closed", provider=self.provider)

    def record_failure(self, error: TransientError) -> None:
        """Note that a request failed for a reason that may pass."""
        self._in_a_row += 1
        state = self.state
        if state == "open" or (state == "closed" and self._in_a_row < self._failures):
            return
        pause = min(self._pause * 2.0 ** min(self._opened, 20), self._longest)
        self._opened += 1
        self._probing = False
        self._probe_at = self._clock() + max(pause, min(error.retry_after or 0.0, _LONGEST_WISH))
        self._change(error.message)
        log.warning("breaker opened", provider=self.provider, seconds=pause, code=error.code)

    def record_no_result(self, *, probe: bool) -> None:
        """Note that a request ended without telling anything of the provider."""
        if probe:
            self._probing = False
            self._tell()

    def _change(self, reason: str | None) -> None:
        self._since = now()
        self._reason = reason
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
