"""How a delivery ended, in words. The job consumer applies it to the broker, and nobody else does."""

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
    """Deliver to somebody else at once: this process is leaving."""


@dataclass(frozen=True, slots=True)
class NoAck:
    """Say nothing: the job belongs to another worker by now."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Give up: a dead letter for people, and no further delivery."""

    failure: Failure


Outcome = Ack | RetryAfter | Postpone | Nack | NoAck | Reject
