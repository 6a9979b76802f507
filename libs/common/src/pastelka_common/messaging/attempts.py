"""Counting of a job's attempts, and ownership of its delivery."""

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
    """How often and how soon a job is retried.

    The delay before attempt ``n + 1`` is drawn between half and all of ``min(base * 2**(n - 1), max_delay)``
    seconds, or is the provider's ``Retry-After`` if that is longer (at most ``max_retry_after``). A job is
    abandoned after ``attempts`` failures, or after ``silent_deliveries`` deliveries without a report since
    the last progress.
    """

    attempts: int = 12
    silent_deliveries: int = 5
    base: float = 2.0
    max_delay: float = 120.0
    max_retry_after: float = 3600.0

    def delay(self, attempt: int, retry_after: float | None = None) -> float:
        """Seconds to wait after ``attempt`` (from 1) failed."""
        cap = min(self.base * 2.0 ** min(attempt - 1, 30), self.max_delay)
        drawn = cap * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        return max(drawn, min(retry_after or 0.0, self.max_retry_after))


class DeliveryLease:
    """Tracks whether the server may have redelivered a job to another worker.

    It may do so after ``seconds`` without a heartbeat from this process, even if the process was suspended,
    and after the ``connection`` (a number) has changed.
    """

    def __init__(self, seconds: float = math.inf, connection: Callable[[], int] = lambda: 0) -> None:
        self._seconds = seconds
        self._connection = connection
        self._expired = False
        self.confirm()

    @property
    def needs_confirmation(self) -> bool:
        """Whether ownership must be checked before an action reserved to the owner."""
        unrenewed = time.monotonic() - self._renewed_at > self._seconds
        return self._expired or unrenewed or self._connection() != self._renewed_on

    def renew(self) -> None:
        """Record a heartbeat; one that is too late does not restore ownership."""
        self._expired = self.needs_confirmation
        self._renewed_at = time.monotonic()

    def mark_expired(self) -> None:
        """Record that the server redelivered the job."""
        self._expired = True

    def confirm(self) -> None:
        """Record that the delivery is ours."""
        self._expired = False
        self._renewed_at = time.monotonic()
        self._renewed_on = self._connection()


@dataclass(slots=True)
class Delivery:
    """One delivery of a job: ``attempt`` from 1 counts deliveries of this message.

    ``is_last``: the job is abandoned if this attempt fails. ``sequence`` is the message's in its stream;
    ``handler_state`` is passed from the handler to later callbacks.
    """

    attempt: int
    is_last: bool
    sequence: int = field(default=0, compare=False)
    lease: DeliveryLease = field(default_factory=DeliveryLease, compare=False, repr=False)
    handler_state: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AttemptStats:
    """Statistics of a job's previous deliveries: how many ``failed``, how many ended without a report."""

    failed: int = 0
    silent_deliveries: int = 0
    last: Failure | None = None
    """Why the last one failed."""


class Attempts(Protocol[JobT_contra]):
    """Stores a job's attempts across deliveries."""

    async def begin(self, job: JobT_contra, delivery: Delivery) -> AttemptStats:
        """Statistics of earlier deliveries.

        Raises ``BrokerUnavailableError``, or ``PostponedError`` while they cannot be determined.
        """

    async def failed(self, job: JobT_contra, delivery: Delivery, failure: Failure) -> int:
        """Count a failed attempt; returns the total."""

    async def released(self, job: JobT_contra, delivery: Delivery) -> None:
        """Record that a delivery ended without an attempt."""

    async def retrying(self, job: JobT_contra, delivery: Delivery, retry: Retry) -> None:
        """Report that the job will be retried."""


class Unlimited:
    """Retries without limit, for messages that must be handled eventually."""

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
