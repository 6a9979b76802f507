"""A stand-in for a service: a process that serves health endpoints on its ``PORT``.

``python standin.py [mode]``; as an API it also serves one order whose versions complete as it is polled.
"""

import json
import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_LOOKS_UNTIL_DONE = 3
_orders: dict[str, int] = {}


def _image(position: int, looks: int) -> dict[str, object]:
    done = looks >= _LOOKS_UNTIL_DONE
    version = {"id": position, "status": "completed" if done else "processing"}
    svgs = [version] if looks > 1 else []
    return {"id": position, "versions": {"coloring": [version], "svg": svgs}}


def _broker() -> str:
    """Whether NATS sends its greeting."""
    url = urlsplit(os.environ["NATS_URL"])
    try:
        with socket.create_connection((url.hostname, url.port), timeout=1) as connection:
            return "ok" if connection.recv(4) == b"INFO" else "no greeting"
    except OSError as error:
        return type(error).__name__


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            return self._answer(200, {"status": "ok"})
        if path == "/readyz":
            broker = _broker()
            return self._answer(200 if broker == "ok" else 503, {"checks": {"broker": broker}})
        if path == "/environment":
            return self._answer(200, dict(os.environ))
        if path == "/api/v1/orders":
            return self._answer(200, {"items": [{"order_number": number} for number in _orders]})
        number = path.rpartition("/")[2]
        if path.startswith("/api/v1/orders/") and number in _orders:
            _orders[number] += 1
            images = [_image(position, _orders[number]) for position in range(1, 6)]
            return self._answer(200, {"order_number": number, "line_items": [{"images": images}]})
        return self._answer(404, {"title": "Not Found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body.count(b'name="photos"') != 5 or b"\xff\xd8" not in body or b"\r\n\r\nsvg\r\n" not in body:
            return self._answer(422, {"detail": "five JPEG photos and process=svg are expected"})
        number = f"M{1000 + len(_orders)}"
        _orders[number] = 0
        return self._answer(201, {"order_number": number})

    def log_message(self, *_: object) -> None:
        """Disable logging."""

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    mode = sys.argv[1] if len(sys.argv) > 1 else "service"
    if mode == "refuse":
        print("NATS_URL is 'x'; a URL is needed", file=sys.stderr)
        sys.exit(2)
    if mode == "migrate":
        print("migrated", os.environ["DATABASE_URL"].partition("://")[0])
        return
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), _Handler).serve_forever()


main()
