"""Publishing to JetStream: acknowledged, identified, and part of a trace."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError

from pastelka_common.contracts.messages import Message
from pastelka_common.telemetry import current_headers

MSG_ID = "Nats-Msg-Id"


class PublishError(ConnectionError):
    """JetStream did not acknowledge a message; it may or may not be stored."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message ready to be sent. ``headers`` hold at least what identifies and traces it."""

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

    def __init__(self, js: JetStreamContext, *, timeout: float = 5.0) -> None:
        self._js = js
        self._timeout = timeout

    async def publish(self, message: Message, *, msg_id: str | None = None) -> None:
        """Store one message. Raises :class:`PublishError`."""
        await self.send(outgoing(message, msg_id=msg_id))

    async def send(self, message: Outgoing) -> None:
        """Store one prepared message. Raises :class:`PublishError`."""
        try:
            await self._js.publish(
                message.subject, message.payload, timeout=self._timeout, headers=dict(message.headers)
            )
        except (NatsError, APIError, TimeoutError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise PublishError(f"publishing to {message.subject}: {reason}") from error

    async def send_all(self, messages: list[Outgoing]) -> None:
        """Store several, in this order: all are sent at once, and all acknowledgements awaited.

        Raises :class:`PublishError` if any is not acknowledged; the others may be stored.
        """
        results = await asyncio.gather(*(self.send(message) for message in messages), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
