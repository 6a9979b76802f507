"""HTTP/1.1 on the wire: what cannot be a request is refused in the API's own words."""

import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pastelka_orders.api.limits import HEAD_BYTES
from pastelka_orders.api.problems import MEDIA_TYPE, document


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol, with a limit on request line and headers, which it keeps until they end."""

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

    def send_400_response(self, msg: str) -> None:
        """Called when the parser gave up."""
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
