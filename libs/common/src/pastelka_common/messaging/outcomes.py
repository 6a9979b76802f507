"""Outcomes of deliveries. Only the job consumer applies them to the broker."""

from dataclasses import dataclass

from nats.aio.msg import Msg

from pastelka_common.contracts.messages import Failure
from pastelka_common.errors import JobError
from pastelka_common.messaging.publish import PublishError


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


async def apply(msg: Msg, outcome: Outcome) -> None:
    """Acknowledge a delivery by its outcome; the only place that does."""
    match outcome:
        case Ack():
            await msg.ack()
        case RetryAfter(seconds=seconds) | Postpone(seconds=seconds):
            await msg.nak(delay=seconds)
        case Nack():
            await msg.nak()
        case Reject():
            await msg.term()
        case NoAck():
            pass


def failure_of(error: Exception) -> Failure:
    """The failure to report for an error: a job error's own message, or a generic one."""
    if isinstance(error, JobError):
        return Failure(code=error.code, message=error.message)
    if isinstance(error, PublishError):
        return Failure(code="broker_unavailable", message="The message broker did not respond.")
    return Failure(
        code="internal_error",
        message=f"An unexpected error in the service ({type(error).__name__}); see its log.",
    )
