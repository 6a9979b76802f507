"""Construction of dead letters."""

from nats.aio.msg import Msg
from pydantic import ValidationError

from pastelka_common.contracts.messages import DeadLetter, Failure, now
from pastelka_common.messaging.attempts import AttemptStats
from pastelka_common.telemetry import trace_id_of


def malformed(error: ValidationError) -> Failure:
    """Failure of a malformed job message; names fields, never values."""
    fields = {".".join(map(str, problem["loc"])) or "the whole document" for problem in error.errors()}
    return Failure(
        code="malformed_job", message=f"The job message is malformed at: {', '.join(sorted(fields))}."
    )


def exhausted(stats: AttemptStats) -> Failure:
    """Failure of a job of which no attempt completed."""
    attempts = max(stats.failed, stats.silent_deliveries)
    return Failure(
        code="attempts_exhausted", message=f"Gave up after {attempts} attempts, none of which completed."
    )


def dead_letter(msg: Msg, attempt: int, failure: Failure) -> DeadLetter:
    """The original message with the reason; ``attempt`` is the last delivery."""
    return DeadLetter(
        original_subject=msg.subject,
        original_payload=msg.data.decode(errors="replace"),
        original_headers=dict(msg.headers or {}),
        failure=failure,
        attempt=attempt,
        at=now(),
        trace_id=trace_id_of(msg.headers),
    )
