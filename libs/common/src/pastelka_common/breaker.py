"""A circuit breaker: while a provider fails, calls are paused, and jobs wait instead of failing.

*Closed*: requests are sent. After consecutive failures it is *open*: none are sent, for a pause that doubles
with every failed probe. Then it is *half-open*: one request, the probe, decides.
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
_MAX_RETRY_AFTER = 3600.0

log = structlog.get_logger(__name__)


class Breaker:
    """One provider's breaker in one process. Times are seconds.

    It opens after ``failure_threshold`` consecutive failures, for ``reset_timeout``, doubled up to
    ``max_reset_timeout``, or for the provider's ``Retry-After`` if that is longer.
    """

    def __init__(
        self,
        provider: str,
        *,
        failure_threshold: int = 5,
        reset_timeout: float = 15.0,
        max_reset_timeout: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.provider = provider
        self._failure_threshold = failure_threshold
        self._reset_timeout = reset_timeout
        self._max_reset_timeout = max_reset_timeout
        self._clock = clock
        self._consecutive_failures = 0
        self._opened = 0
        self._probe_at: float | None = None
        self._probing = False
        self._since = now()
        self._reason: str | None = None
        self._listeners: list[Callable[[], None]] = []
        STATE.labels(provider).set_function(lambda: _NUMBERS[self.state])

    @property
    def state(self) -> BreakerState:
        """The current state."""
        if self._probe_at is None:
            return "closed"
        return "open" if self._clock() < self._probe_at else "half_open"

    def health(self) -> BreakerHealth:
        """The state for health reports."""
        left = self.seconds_until_probe()
        return BreakerHealth(
            state=self.state,
            since=self._since,
            reason=self._reason,
            next_probe_at=None if left is None else now() + timedelta(seconds=left),
        )

    def add_listener(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever it opens or closes."""
        self._listeners.append(listener)

    def seconds_until_probe(self) -> float | None:
        """Remaining seconds until the probe; ``None`` unless open."""
        if self._probe_at is None or self.state != "open":
            return None
        return max(0.0, self._probe_at - self._clock())

    def available_slots(self, free: int, outstanding: int) -> int:
        """Number of jobs to request, with ``free`` slots and ``outstanding`` requested jobs."""
        match self.state:
            case "closed":
                return free
            case "half_open" if not self._probing:
                return min(free, max(0, 1 - outstanding))
            case _:
                return 0

    def check(self) -> None:
        """Raise :class:`PostponedError` unless a request may be sent."""
        state = self.state
        if state == "closed" or (state == "half_open" and not self._probing):
            return
        seconds = self.seconds_until_probe() or _PROBE_SECONDS
        # Jitter: waiting jobs must not return all at once, nor before the breaker is half-open.
        seconds += random.uniform(0.1, 0.3) * max(self._reset_timeout, 1.0)  # noqa: S311 - jitter
        raise PostponedError(
            "provider_paused",
            f"Calls to {self.provider} are paused after repeated failures: {self._reason}",
            seconds=seconds,
        )

    def allow_request(self) -> bool:
        """Allow one request; returns whether it is the probe. Raises :class:`PostponedError`."""
        self.check()
        if self.state == "closed":
            return False
        self._probing = True
        return True

    def record_success(self) -> None:
        """Record that the provider responded."""
        self._consecutive_failures = 0
        if self._probe_at is None:
            return
        self._probe_at, self._probing, self._opened = None, False, 0
        self._change(None)
        log.info("breaker closed", provider=self.provider)

    def record_failure(self, error: TransientError) -> None:
        """Record that a request failed transiently."""
        self._consecutive_failures += 1
        state = self.state
        if state == "open" or (state == "closed" and self._consecutive_failures < self._failure_threshold):
            return
        pause = min(self._reset_timeout * 2.0 ** min(self._opened, 20), self._max_reset_timeout)
        self._opened += 1
        self._probing = False
        self._probe_at = self._clock() + max(pause, min(error.retry_after or 0.0, _MAX_RETRY_AFTER))
        self._change(error.message)
        log.warning("breaker opened", provider=self.provider, seconds=pause, code=error.code)

    def record_no_result(self, *, probe: bool) -> None:
        """Record that a request ended without information on the provider."""
        if probe:
            self._probing = False
            self._notify_listeners()

    def _change(self, reason: str | None) -> None:
        self._since = now()
        self._reason = reason
        self._notify_listeners()

    def _notify_listeners(self) -> None:
        for listener in self._listeners:
            listener()
