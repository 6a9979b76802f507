"""HTTP/1.1 protocol: rejects malformed requests, and closes a connection after an unread body.

If a response is sent before the request's body has arrived, the next request on the connection could be read
as that body (RFC 9112, 9.3: a server must read the whole body or close the connection).
"""

import asyncio
import contextlib
import json
from http import HTTPStatus
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from pastelka_orders.api.field_limits import HEAD_BYTES
from pastelka_orders.api.problems import MEDIA_TYPE, document

LINGER_SECONDS = 2.0
"""Time in which the rest of a body is discarded before the connection is closed: if closed at once, the
kernel would reset it, and a client that is still sending would lose the response (RFC 9112, 9.6)."""

log = structlog.get_logger(__name__)


class LimitedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with a limit on the size of request line and headers.

    It closes a connection, with ``Connection: close``, if the body had not arrived when the response began.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0
        self._in_head = False

    def data_received(self, data: bytes) -> None:
        """Bytes from the network."""
        began = self._in_head
        super().data_received(data)
        # Bytes before the head in the same chunk may belong to the previous request's body.
        if began and self._in_head:
            self._head += len(data)
            if self._head > HEAD_BYTES and not self.transport.is_closing():
                self._refuse_head()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Check the size of headers that arrived in one chunk."""
        self._in_head = False
        self._head = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if self._head > HEAD_BYTES:
            raise ValueError("the head is too large")  # ends the parsing: send_400_response is next
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        wrapped: Any = _CloseUnlessBodyRead(app, cycle)  # uvicorn has its own ASGI types
        super()._start_asgi_task(cycle, wrapped)

    def send_400_response(self, msg: str) -> None:
        """Respond to what the parser rejected."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.close()  # a second response would corrupt the one being sent
            return
        if self._head > HEAD_BYTES and not self._in_head:
            self._refuse_head()
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, f"{msg.rstrip('.')}: not HTTP/1.1.")

    def _refuse_head(self) -> None:
        detail = f"Request line and headers too large: at least {self._head} bytes, limit {HEAD_BYTES}."
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        code = status.phrase.lower().replace(" ", "_")
        body = json.dumps(document(status, code, status.phrase, detail)).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {MEDIA_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


class _CloseUnlessBodyRead:
    """ASGI wrapper for one request: closes its connection unless the whole body has arrived."""

    def __init__(self, app: ASGIApp, cycle: RequestResponseCycle) -> None:
        self._app = app
        self._cycle = cycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._cycle.more_body:
                    self._cycle.keep_alive = False  # uvicorn sends "Connection: close" and closes
            elif self._cycle.more_body and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await _drop_body(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception:
            # The framework re-raises after its 500 response. uvicorn would then close the connection without
            # announcing it, and the gateway would lose the next request on it.
            if not self._cycle.response_complete:
                raise
            if status != HTTPStatus.INTERNAL_SERVER_ERROR:
                log.exception("request failed after its response")


async def _drop_body(receive: Receive) -> None:
    """Discard the rest of the body, for up to ``LINGER_SECONDS``."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive()).get("more_body", False):
                pass
