"""How a delivery ended. Only the job consumer applies the outcome to the broker."""

from dataclasses import dataclass

from nats.aio.msg import Msg

from pastelka_common.contracts.messages import Failure
from pastelka_common.errors import JobError
from pastelka_common.messaging.publish import PublishError


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


async def apply(msg: Msg, outcome: Outcome) -> None:
    """Tell the server how a delivery ended: the one place where that is done."""
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
    """What is shown of an error: a job's own words, or that it was unexpected."""
    if isinstance(error, JobError):
        return Failure(code=error.code, message=error.message)
    if isinstance(error, PublishError):
        return Failure(code="broker_unavailable", message="The message broker did not answer.")
    return Failure(
        code="internal_error",
        message=f"An unexpected error in the service ({type(error).__name__}); see its log.",
    )
