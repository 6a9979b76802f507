"""Queries on streams: last messages of many subjects at once, and a stream's state.

The client reads one message at a time; the server supports batches (NATS ADR-31).
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from pastelka_common.messaging.names import Names, names_of
from pastelka_common.messaging.request_many import request_many

_CHUNK = 500  # the server accepts at most 1,024 subjects
_TIMEOUT = 5.0
_PAGE = 100_000
_END = "204"
_NOTHING_FOUND = "404"
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message in a stream."""

    subject: str
    sequence: int
    time: datetime
    data: bytes


@dataclass(frozen=True, slots=True)
class StreamState:
    """State of a stream: creation time, range of sequences, number of deleted messages in it.

    ``first_time`` and ``last_time`` are of the oldest and newest message; undefined if there is none.
    """

    created: datetime
    messages: int
    first: int
    last: int
    first_time: datetime
    last_time: datetime
    deleted: int


class StreamNotFoundError(ConnectionError):
    """The stream does not exist."""


async def get_last_messages(nc: Client, stream: str, subjects: Sequence[str]) -> dict[str, StoredMessage]:
    """The last message of each of these exact subjects, if any, from any replica.

    Raises ``publish.BROKER_ERRORS``. A replica may lag behind: :func:`get_last_message_from_leader` does not.
    """
    found: dict[str, StoredMessage] = {}
    for start in range(0, len(subjects), _CHUNK):
        for message in await _get_last_chunk(nc, stream, subjects[start : start + _CHUNK]):
            found[message.subject] = message
    return found


async def get_last_message_from_leader(nc: Client, stream: str, subject: str) -> StoredMessage | None:
    """The last message of one subject, or ``None``. Raises ``publish.BROKER_ERRORS``."""
    try:
        names = names_of(nc)
        msg = await nc.jetstream().get_last_msg(names.stream(stream), names.subject(subject))
    except NotFoundError:
        return None
    if msg.seq is None or msg.time is None:
        raise ConnectionError(f"the server sent no sequence or time of the last message on {subject}")
    return StoredMessage(subject, msg.seq, msg.time, msg.data or b"")


async def list_subjects(nc: Client, stream: str, pattern: str) -> set[str]:
    """Subjects matching ``pattern`` that have a message. Raises ``publish.BROKER_ERRORS``."""
    found: set[str] = set()
    names = names_of(nc)
    request = {"subjects_filter": names.subject(pattern)}
    while True:
        response = await _info(nc, stream, request | {"offset": len(found)})
        page = response["state"].get("subjects") or {}
        found |= {names.plain_subject(subject) for subject in page}
        if len(page) < _PAGE:
            return found


async def get_stream_state(nc: Client, stream: str) -> StreamState:
    """State of a stream. Raises :class:`StreamNotFoundError` and ``publish.BROKER_ERRORS``."""
    response = await _info(nc, stream, {})
    state = response["state"]
    return StreamState(
        created=datetime.fromisoformat(response["created"]),
        messages=state["messages"],
        first=state["first_seq"],
        last=state["last_seq"],
        first_time=datetime.fromisoformat(state["first_ts"]),
        last_time=datetime.fromisoformat(state["last_ts"]),
        deleted=state.get("num_deleted", 0),
    )


async def purge_subject(nc: Client, stream: str, subject: str, *, up_to: int | None = None) -> None:
    """Delete a subject's messages, with sequences up to ``up_to`` if given.

    Raises ``publish.BROKER_ERRORS``.
    """
    names = names_of(nc)
    seq = None if up_to is None else up_to + 1
    await nc.jetstream().purge_stream(names.stream(stream), seq=seq, subject=names.subject(subject))


async def list_stream_names(nc: Client) -> set[str]:
    """Names of the account's streams on the server. Raises ``publish.BROKER_ERRORS``."""
    response = await _request(nc, "STREAM.NAMES", {})
    return set(response.get("streams") or ())


async def _info(nc: Client, stream: str, request: dict[str, Any]) -> dict[str, Any]:
    response = await _request(nc, f"STREAM.INFO.{names_of(nc).stream(stream)}", request)
    error = response.get("error")
    if error is not None and error.get("code") == _NOT_FOUND:
        raise StreamNotFoundError(f"stream {stream}: {error.get('description')}")
    if error is not None:
        raise ConnectionError(f"stream {stream}: {error.get('description')}")
    return response


async def _request(nc: Client, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    response = await nc.request(f"$JS.API.{operation}", json.dumps(request).encode(), timeout=_TIMEOUT)
    document: dict[str, Any] = json.loads(response.data)
    return document


async def _get_last_chunk(nc: Client, stream: str, subjects: Sequence[str]) -> list[StoredMessage]:
    names = names_of(nc)
    request = json.dumps({"multi_last": [names.subject(subject) for subject in subjects]}).encode()
    async with (
        request_many(nc, f"$JS.API.DIRECT.GET.{names.stream(stream)}", request) as responses,
        asyncio.timeout(_TIMEOUT),
    ):
        return [_stored_message(msg, names) async for msg in _until_end(responses, stream)]


async def _until_end(arrived: "asyncio.Queue[Msg]", stream: str) -> Any:
    while True:
        msg = await arrived.get()
        status = (msg.headers or {}).get("Status")
        if status is None:
            yield msg
        elif status in {_END, _NOTHING_FOUND}:
            return
        else:
            reason = (msg.headers or {}).get("Description", "no responders")
            raise ConnectionError(f"stream {stream}: {status} {reason}")


def _stored_message(msg: Msg, names: Names) -> StoredMessage:
    headers = msg.headers or {}
    return StoredMessage(
        names.plain_subject(headers["Nats-Subject"]),
        int(headers["Nats-Sequence"]),
        datetime.fromisoformat(headers["Nats-Time-Stamp"]),
        msg.data,
    )


def ids_in_subjects(subjects: Iterable[str]) -> set[int]:
    """The last token of each subject that is a number."""
    tokens = (subject.rpartition(".")[2] for subject in subjects)
    return {int(token) for token in tokens if token.isdecimal()}
