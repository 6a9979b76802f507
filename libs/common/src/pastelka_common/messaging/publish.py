"""Publishing to JetStream: acknowledged, identified, and part of a trace."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from nats.aio.client import Client
from nats.errors import BadSubjectError, MaxPayloadError
from nats.errors import Error as NatsError
from nats.js.errors import APIError, NoStreamResponseError

from pastelka_common.contracts.messages import Message
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.topology import is_in_stream
from pastelka_common.telemetry import current_headers

MSG_ID = "Nats-Msg-Id"

_ATOMIC_PREFIXES = ("jobs", "events")
"""First tokens of the subjects of streams that support atomic batches."""
_BATCH = 500  # the server accepts at most 1,000


_PERMANENT_ERRORS = {10054}
"""JetStream's error code for a message that is too large for its stream."""

BROKER_ERRORS = (NatsError, APIError, TimeoutError, OSError)
"""Errors of the client if the server does not respond or fails a request."""


class PublishError(ConnectionError):
    """JetStream did not acknowledge a message; it may or may not be stored."""


class PublishRefusedError(PublishError):
    """JetStream permanently refuses the message ``refused``; the state of others is unknown."""

    def __init__(self, refused: "Outgoing", reason: str) -> None:
        super().__init__(f"publishing to {refused.subject}: {reason}")
        self.refused = refused
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message ready to be sent. ``headers`` contain at least its id and trace context."""

    subject: str
    payload: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def outgoing(message: Message, *, msg_id: str | None = None) -> Outgoing:
    """``message`` with its id and the current trace context in the headers."""
    headers = current_headers()
    identity = msg_id or message.msg_id
    if identity is not None:
        headers[MSG_ID] = identity
    return Outgoing(message.subject, message.model_dump_json(exclude_none=True).encode(), headers)


class Publisher:
    """Publishes messages and returns once JetStream has stored them."""

    def __init__(self, nc: Client, *, timeout: float = 5.0) -> None:
        self._nc = nc
        self._js = nc.jetstream()
        self._timeout = timeout
        self._names = names_of(nc)

    async def publish(self, message: Message, *, msg_id: str | None = None) -> None:
        """Store one message. Raises :class:`PublishError`."""
        await self.send(outgoing(message, msg_id=msg_id))

    async def send(self, message: Outgoing) -> None:
        """Store one prepared message. Raises :class:`PublishError`."""
        try:
            await self._js.publish(
                self._names.subject(message.subject),
                message.payload,
                timeout=self._timeout,
                headers=dict(message.headers),
            )
        except (MaxPayloadError, BadSubjectError) as error:
            raise PublishRefusedError(message, str(error)) from error
        except BROKER_ERRORS as error:
            reason = str(error) or type(error).__name__
            if isinstance(error, APIError) and error.err_code in _PERMANENT_ERRORS:
                raise PublishRefusedError(message, reason) from error
            if isinstance(error, NoStreamResponseError) and not is_in_stream(message.subject):
                raise PublishRefusedError(message, "no stream stores its subject") from error
            raise PublishError(f"publishing to {message.subject}: {reason}") from error

    async def send_all(self, messages: Sequence[Outgoing]) -> None:
        """Store several messages, per stream in order and, where supported, atomically.

        Raises :class:`PublishError` if any is not acknowledged, :class:`PublishRefusedError` if refusals are
        the only errors; others may be stored. Messages sent again under the same ids are stored once.
        """
        single = [message for message in messages if _stream(message) not in _ATOMIC_PREFIXES]
        together = [[m for m in messages if _stream(m) == stream] for stream in _ATOMIC_PREFIXES]
        results = await asyncio.gather(
            *(self.send(message) for message in single),
            *(self._send_batches(group) for group in together),
            return_exceptions=True,
        )
        failed = [result for result in results if isinstance(result, BaseException)]
        for error in sorted(failed, key=lambda error: isinstance(error, PublishRefusedError)):
            raise error

    async def _send_batches(self, messages: Sequence[Outgoing]) -> None:
        """Store messages of one stream, in atomic batches (NATS ADR-50)."""
        for start in range(0, len(messages), _BATCH):
            batch = messages[start : start + _BATCH]
            if len(batch) == 1 or not await self._commit(batch):
                # A batch that repeats a stored message is refused as a whole; single messages are not.
                for message in batch:
                    await self.send(message)

    async def _commit(self, batch: Sequence[Outgoing]) -> bool:
        """Store a batch; ``False`` if the server refused it for a repeated message."""
        batch_id = uuid4().hex
        try:
            for number, message in enumerate(batch[:-1], start=1):
                await self._nc.publish(
                    self._names.subject(message.subject),
                    message.payload,
                    headers=_in_batch(message, batch_id, number),
                )
            last = batch[-1]
            headers = _in_batch(last, batch_id, len(batch)) | {"Nats-Batch-Commit": "1"}
            response = await self._nc.request(
                self._names.subject(last.subject), last.payload, timeout=self._timeout, headers=headers
            )
        except MaxPayloadError:
            return False  # sending each alone tells which; the server drops an uncommitted batch
        except (NatsError, TimeoutError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise PublishError(f"publishing {len(batch)} messages: {reason}") from error
        return "error" not in json.loads(response.data)


def _stream(message: Outgoing) -> str:
    return message.subject.partition(".")[0]


def _in_batch(message: Outgoing, batch_id: str, number: int) -> dict[str, str]:
    return {**message.headers, "Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(number)}
