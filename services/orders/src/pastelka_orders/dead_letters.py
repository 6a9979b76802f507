"""The stream of dead letters: listing, reading, deleting."""

from nats.aio.client import Client
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError as NoSuchMessageError
from pydantic import BaseModel, ValidationError

from pastelka_common.contracts.messages import DeadLetter, Failure, now
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.topology import DEAD
from pastelka_common.telemetry import current_headers, trace_id_of
from pastelka_orders.errors import DeadLetterNotFoundError, NotRequeueableError
from pastelka_orders.system_schemas import DeadLetterResponse, DeadLettersResponse

NEWEST = 20


class _JobFields(BaseModel):
    """Fields that all jobs have."""

    order_number: str | None = None
    image_id: int | None = None
    version_id: int | None = None


async def newest(nc: Client, limit: int = NEWEST) -> DeadLettersResponse:
    """The number of dead letters, and the newest ``limit`` of them."""
    try:
        state = (await nc.jetstream().stream_info(names_of(nc).stream(DEAD))).state
    except NoSuchMessageError:  # the stream does not exist yet
        return DeadLettersResponse(count=0, newest=[])
    letters = await _newest(nc, state.first_seq, state.last_seq, limit) if state.messages else []
    return DeadLettersResponse(count=state.messages, newest=[_response(nc, letter) for letter in letters])


async def _newest(nc: Client, first: int, last: int, limit: int) -> list[RawStreamMsg]:
    """The newest ``limit`` messages, newest first, across gaps of deleted ones.

    JetStream can seek the next message after a sequence, not the previous one: windows of sequences are read
    from their start, and widened while they contain few messages.
    """
    found: list[RawStreamMsg] = []
    end, width = last, limit
    while end >= first and len(found) < limit:
        start = max(end - width + 1, first)
        page = await _window(nc, start, end, limit + 1)
        if len(page) > limit and width > limit:
            width = max(width // 2, limit)  # the newer half contains enough
            continue
        found += reversed(page)
        end, width = start - 1, width * 2
    return found[:limit]


async def _window(nc: Client, start: int, end: int, limit: int) -> list[RawStreamMsg]:
    """The oldest ``limit`` messages with sequences from ``start`` to ``end``."""
    stream = names_of(nc).stream(DEAD)
    found: list[RawStreamMsg] = []
    while start <= end and len(found) < limit:
        try:
            letter = await nc.jetstream().get_msg(stream, seq=start, subject=">", next=True)
        except NoSuchMessageError:
            break
        if letter.seq is None or letter.seq > end:
            break
        found.append(letter)
        start = letter.seq + 1
    return found


def row_job_letter(subject: str, payload: str, attempt: int, failure: Failure) -> DeadLetter:
    """The letter about an abandoned row job: subject ``<kind>.<id>``, payload as JSON."""
    return DeadLetter(
        original_subject=subject,
        original_payload=payload,
        failure=failure,
        attempt=attempt,
        at=now(),
        trace_id=trace_id_of(current_headers()),
    )


async def read(nc: Client, sequence: int) -> DeadLetter:
    """Read one letter. Raises ``DeadLetterNotFoundError``; ``NotRequeueableError`` if malformed."""
    _, data = await _message(nc, sequence)
    try:
        return DeadLetter.model_validate_json(data)
    except ValidationError:
        raise NotRequeueableError(sequence, "it cannot be read.") from None


async def remove(nc: Client, sequence: int) -> None:
    """Delete a letter. Raises ``DeadLetterNotFoundError``."""
    await _message(nc, sequence)
    await nc.jetstream().delete_msg(names_of(nc).stream(DEAD), sequence)


def _response(nc: Client, message: RawStreamMsg) -> DeadLetterResponse:
    sequence = message.seq or 0
    try:
        letter = DeadLetter.model_validate_json(message.data or b"")
    except ValidationError:
        return DeadLetterResponse(
            sequence=sequence,
            subject=names_of(nc).plain_subject(message.subject or ""),
            code="unreadable",
            message="The letter cannot be read.",
        )
    about = _job_fields(letter)
    return DeadLetterResponse(
        sequence=sequence,
        subject=letter.original_subject,
        order_number=about.order_number,
        image_id=about.image_id,
        version_id=about.version_id,
        code=letter.failure.code,
        message=letter.failure.message,
        attempt=letter.attempt,
        at=letter.at,
    )


def _job_fields(letter: DeadLetter) -> _JobFields:
    try:
        return _JobFields.model_validate_json(letter.original_payload)
    except ValidationError:
        return _JobFields()


async def _message(nc: Client, sequence: int) -> tuple[str, bytes]:
    try:
        found = await nc.jetstream().get_msg(names_of(nc).stream(DEAD), sequence)
    except NoSuchMessageError:
        raise DeadLetterNotFoundError(sequence) from None
    return names_of(nc).plain_subject(found.subject or ""), found.data or b""
