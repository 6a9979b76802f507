"""Outcomes of deliveries. Only the job consumer applies them to the broker."""

from dataclasses import dataclass

from pastelka_common.contracts.messages import Failure


@dataclass(frozen=True, slots=True)
class Ack:
    """Acknowledge: the result is stored."""


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Redeliver after ``seconds``, counting an attempt."""

    seconds: float
    failure: Failure


@dataclass(frozen=True, slots=True)
class Postpone:
    """Redeliver after ``seconds``, without counting an attempt."""

    seconds: float
    failure: Failure


@dataclass(frozen=True, slots=True)
class Nack:
    """Redeliver to another worker at once: this process is shutting down."""


@dataclass(frozen=True, slots=True)
class NoAck:
    """Send no acknowledgement: another worker has taken over the job."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Abandon: write a dead letter, and stop redelivery."""

    failure: Failure


Outcome = Ack | RetryAfter | Postpone | Nack | NoAck | Reject
