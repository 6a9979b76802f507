"""How often a job was really tried, and whether a delivery of it is still ours."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pastelka_common.contracts.messages import Failure, Message, Retry

JobT_contra = TypeVar("JobT_contra", bound=Message, contravariant=True)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how soon a job is tried again.

    The delay before attempt ``n + 1`` is drawn between half and all of
    ``min(base * 2**(n - 1), longest)`` seconds, or is the provider's own wish if that is longer
    (at most ``longest_wish``). ``attempts`` that failed end a job, and so do ``silent_deliveries``
    deliveries of which nothing was ever heard, since the last that got anywhere.
    """

    attempts: int = 12
    silent_deliveries: int = 5
    base: float = 2.0
    longest: float = 120.0
    longest_wish: float = 3600.0

    def delay(self, attempt: int, wish: float | None = None) -> float:
        """Seconds to wait after ``attempt`` (from 1) failed."""
        most = min(self.base * 2.0 ** min(attempt - 1, 30), self.longest)
        drawn = most * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        return max(drawn, min(wish or 0.0, self.longest_wish))


class DeliveryLease:
    """Whether the server may have redelivered a job to another worker meanwhile.

    The server may do so after ``seconds`` without a heartbeat from this process, also when the
    process was suspended, and after the ``connection`` (a number) has changed.
    """

    def __init__(self, seconds: float = math.inf, connection: Callable[[], int] = lambda: 0) -> None:
        self._seconds = seconds
        self._connection = connection
        self._expired = False
        self.confirm()

    @property
    def needs_confirmation(self) -> bool:
        """Whether to look before doing what only the holder of the job may do."""
        silent = time.monotonic() - self._seen > self._seconds
        return self._expired or silent or self._connection() != self._connected_as

    def renew(self) -> None:
        """Note a sign of life; one that comes too late does not dispel the doubt."""
        self._expired = self.needs_confirmation
        self._seen = time.monotonic()

    def mark_expired(self) -> None:
        """Note that the server gave the job out again."""
        self._expired = True

    def confirm(self) -> None:
        """Note that the delivery is ours."""
        self._expired = False
        self._seen = time.monotonic()
        self._connected_as = self._connection()


@dataclass(slots=True)
class Delivery:
    """One delivery of a job: ``attempt`` from 1 counts deliveries of this message.

    ``is_last`` tells that the job is given up on if this attempt fails. ``sequence`` is the
    message's in its stream; ``handler_state`` is what the handler leaves for the callbacks after it.
    """

    attempt: int
    is_last: bool
    sequence: int = field(default=0, compare=False)
    lease: DeliveryLease = field(default_factory=DeliveryLease, compare=False, repr=False)
    handler_state: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AttemptStats:
    """What is known of a job's deliveries so far: how many ``failed``, how many were never heard of."""

    failed: int = 0
    silent_deliveries: int = 0
    last: Failure | None = None
    """Why the last one failed."""


class Attempts(Protocol[JobT_contra]):
    """Who remembers a job's attempts from one delivery to the next."""

    async def begin(self, job: JobT_contra, delivery: Delivery) -> AttemptStats:
        """What came before this delivery.

        Raises ``BrokerUnavailableError``, or ``PostponedError`` while nothing can be found out.
        """

    async def failed(self, job: JobT_contra, delivery: Delivery, failure: Failure) -> int:
        """Count an attempt that failed; returns how many have."""

    async def released(self, job: JobT_contra, delivery: Delivery) -> None:
        """Note that a delivery ended without an attempt."""

    async def retrying(self, job: JobT_contra, delivery: Delivery, retry: Retry) -> None:
        """Report that the job will be attempted again."""


class Unlimited:
    """Nothing is given up on: for messages that have to be handled in the end."""

    async def begin(self, _job: Message, _delivery: Delivery) -> AttemptStats:
        """See :class:`Attempts`."""
        return AttemptStats()

    async def failed(self, _job: Message, _delivery: Delivery, _failure: Failure) -> int:
        """See :class:`Attempts`."""
        return 1

    async def released(self, _job: Message, _delivery: Delivery) -> None:
        """See :class:`Attempts`."""

    async def retrying(self, _job: Message, _delivery: Delivery, _retry: Retry) -> None:
        """See :class:`Attempts`."""
