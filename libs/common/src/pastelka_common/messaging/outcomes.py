"""How a delivery ended. Only the job consumer applies the outcome to the broker."""

from dataclasses import dataclass

from pastelka_common.contracts.messages import Failure


@dataclass(frozen=True, slots=True)
class Ack:
    """The work is stored; acknowledge."""


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Deliver again after ``seconds``."""

    seconds: float
    failure: Failure


@dataclass(frozen=True, slots=True)
class Postpone:
    """Nothing was tried: deliver again after ``seconds``, and count no attempt."""

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
    """Give up: a dead letter for people, and no further delivery."""

    failure: Failure


Outcome = Ack | RetryAfter | Postpone | Nack | NoAck | Reject
