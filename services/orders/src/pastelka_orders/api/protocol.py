"""HTTP/1.1 on the wire: what is no request is refused, and a connection is kept only while it is in step.

A request whose body has not arrived when it is answered leaves the connection out of step: a gateway
that announced a body and never sends it would have its next request read as that body (RFC 9112, 9.3:
a server must read the whole body or close the connection).
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
"""For which the rest of a body is read and dropped before the connection is closed: closed at once, the
kernel would reset it, and a client that is still sending would lose the answer (RFC 9112, 9.6)."""

log = structlog.get_logger(__name__)


class LimitedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with a limit on request line and headers, which it keeps until they end.

    It closes a connection after a request whose body had not arrived when the answer began, and says so.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0
        self._in_head = False

    def data_received(self, data: bytes) -> None:
        """Bytes from the network."""
        began = self._in_head
        super().data_received(data)
        # What came before the head, in the same piece, may have been another request's body.
        if began and self._in_head:
            self._head += len(data)
            if self._head > HEAD_BYTES and not self.transport.is_closing():
                self._refuse_head()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The headers have ended: now their size is known even where they came in one piece."""
        self._in_head = False
        self._head = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if self._head > HEAD_BYTES:
            raise ValueError("the head is too large")  # ends the parsing: send_400_response is next
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        in_step: Any = _InStep(app, cycle)  # uvicorn has types of its own for what ASGI is
        super()._start_asgi_task(cycle, in_step)

    def send_400_response(self, msg: str) -> None:
        """Called when the parser gave up."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.close()  # a second head would become part of the answer that is on its way
            return
        if self._head > HEAD_BYTES and not self._in_head:
            self._refuse_head()
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, f"{msg.rstrip('.')}: it is not HTTP/1.1.")

    def _refuse_head(self) -> None:
        detail = f"Request line and headers may have {HEAD_BYTES} bytes; at least {self._head} came."
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


class _InStep:
    """The application for one request: its connection is closed unless the whole body has arrived."""

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
                    self._cycle.keep_alive = False  # uvicorn says "Connection: close" and closes
            elif self._cycle.more_body and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await _drop_body(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception:
            # The framework raises again what it has answered with 500. uvicorn would close the
            # connection without having said so, and the gateway lose the next request on it.
            if not self._cycle.response_complete:
                raise
            if status != HTTPStatus.INTERNAL_SERVER_ERROR:
                log.exception("request failed after its response")


async def _drop_body(receive: Receive) -> None:
    """Read what still comes of the body, for a while."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive()).get("more_body", False):
                pass
