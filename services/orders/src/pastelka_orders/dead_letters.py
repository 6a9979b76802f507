"""The stream of dead letters, as an operator looks at it."""

import asyncio

from nats.aio.client import Client
from nats.js.errors import NotFoundError as NoSuchMessageError
from pydantic import BaseModel, ValidationError

from pastelka_common.contracts.messages import DeadLetter
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.topology import DEAD
from pastelka_orders.errors import DeadLetterNotFoundError, NotRequeueableError
from pastelka_orders.system_schemas import DeadLetterResponse, DeadLettersResponse

NEWEST = 20
_LOOKS_BACK = 500
"""Numbers that are looked at: those of letters that are gone leave gaps."""


class _About(BaseModel):
    """What jobs have in common."""

    order_number: str | None = None
    image_id: int | None = None
    version_id: int | None = None


async def newest(nc: Client, limit: int = NEWEST) -> DeadLettersResponse:
    """How many there are, and the newest ``limit`` of them."""
    try:
        state = (await nc.jetstream().stream_info(names_of(nc).stream(DEAD))).state
    except NoSuchMessageError:  # nobody has made the stream yet
        return DeadLettersResponse(count=0, newest=[])
    found: list[DeadLetterResponse] = []
    end = state.last_seq
    first = max(state.first_seq, end - max(_LOOKS_BACK, limit) + 1, 1)
    while state.messages and end >= first and len(found) < limit:
        start = max(end - NEWEST + 1, first)
        letters = await asyncio.gather(*(_shown(nc, number) for number in range(end, start - 1, -1)))
        found += [letter for letter in letters if letter is not None]
        end = start - 1
    return DeadLettersResponse(count=state.messages, newest=found[:limit])


async def read(nc: Client, sequence: int) -> DeadLetter:
    """One letter. Raises ``DeadLetterNotFoundError``, ``NotRequeueableError`` for what is none."""
    _, data = await _message(nc, sequence)
    try:
        return DeadLetter.model_validate_json(data)
    except ValidationError:
        raise NotRequeueableError(sequence, "it cannot be read.") from None


async def remove(nc: Client, sequence: int) -> None:
    """Take a letter away. Raises ``DeadLetterNotFoundError``."""
    await _message(nc, sequence)
    await nc.jetstream().delete_msg(names_of(nc).stream(DEAD), sequence)


async def _shown(nc: Client, sequence: int) -> DeadLetterResponse | None:
    try:
        subject, data = await _message(nc, sequence)
    except DeadLetterNotFoundError:
        return None
    try:
        letter = DeadLetter.model_validate_json(data)
    except ValidationError:
        return DeadLetterResponse(
            sequence=sequence, subject=subject, code="unreadable", message="The letter cannot be read."
        )
    about = _about(letter)
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


def _about(letter: DeadLetter) -> _About:
    try:
        return _About.model_validate_json(letter.original_payload)
    except ValidationError:
        return _About()


async def _message(nc: Client, sequence: int) -> tuple[str, bytes]:
    try:
        found = await nc.jetstream().get_msg(names_of(nc).stream(DEAD), sequence)
    except NoSuchMessageError:
        raise DeadLetterNotFoundError(sequence) from None
    return names_of(nc).plain_subject(found.subject or ""), found.data or b""
