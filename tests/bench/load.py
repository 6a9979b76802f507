"""A load generator with low overhead: ``python -m tests.bench.load URL --connections 8 --seconds 3``.

Keeps each connection busy with sequential GETs (HTTP/1.1, keep-alive) and prints the measurements as JSON. It
parses only what it needs to find the end of a response, to leave the processor to the measured processes.
"""

import argparse
import asyncio
import json
import re
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import cast
from urllib.parse import urlsplit

import uvloop

from tests.bench.figures import percentile

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_OK = b"HTTP/1.1 200"
_WARM_UP = 0.5


@dataclass(slots=True)
class LoadMeasurement:
    """Measurements of all connections since ``begun``; times in seconds."""

    begun: float
    ends: float
    latencies: list[float] = field(default_factory=list)
    fault: str | None = None


class Connection(asyncio.Protocol):
    """One connection; ``ended`` resolves when the time is over or a response is wrong."""

    def __init__(self, request: bytes, seen: LoadMeasurement, ended: "asyncio.Future[None]") -> None:
        self._request = request
        self._seen = seen
        self._ended = ended
        self._received = bytearray()
        self._whole = 0
        self._asked = 0.0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Send the next request once the response is complete."""
        self._received += data
        if not self._whole:
            self._read_head()
        if self._whole and len(self._received) >= self._whole:
            self._note(time.perf_counter())

    def connection_lost(self, _error: Exception | None) -> None:
        """A connection closed by the server is an error."""
        self._end("the server closed a connection")

    def _ask(self) -> None:
        self._received.clear()
        self._whole = 0
        self._asked = time.perf_counter()
        if self._transport is not None:
            self._transport.write(self._request)

    def _read_head(self) -> None:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end + 2)
        if not self._received.startswith(_OK) or length is None:
            self._end(f"unexpected answer: {bytes(self._received[:200])!r}")
            return
        self._whole = end + 4 + int(length.group(1))

    def _note(self, moment: float) -> None:
        if self._asked >= self._seen.begun:
            self._seen.latencies.append(moment - self._asked)
        if moment >= self._seen.ends:
            self._end(None)
        else:
            self._ask()

    def _end(self, fault: str | None) -> None:
        if self._ended.done():
            return
        self._seen.fault = self._seen.fault or fault
        self._ended.set_result(None)
        if self._transport is not None:
            self._transport.close()


async def load(url: str, *, connections: int, seconds: float) -> dict[str, float]:
    """Requests per second, and latencies in milliseconds. Raises ``RuntimeError`` for a wrong response."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    request = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: application/json\r\n\r\n".encode()
    begun = time.perf_counter() + _WARM_UP
    seen = LoadMeasurement(begun, begun + seconds)
    loop = asyncio.get_running_loop()
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    for ended in ends:
        await loop.create_connection(
            partial(Connection, request, seen, ended), parts.hostname or "", parts.port or 80
        )
    async with asyncio.timeout(_WARM_UP + seconds + 30):
        await asyncio.gather(*ends)
    if seen.fault is not None:
        raise RuntimeError(f"{url}: {seen.fault}")
    return {
        "requests": len(seen.latencies),
        "rate": len(seen.latencies) / (time.perf_counter() - begun),
        "median_ms": 1000 * median(seen.latencies),
        "p99_ms": 1000 * percentile(seen.latencies, 0.99),
    }


def main() -> int:
    """Print the measurements as JSON."""
    parser = argparse.ArgumentParser(description="Loads one URL with GET requests.")
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    seen = uvloop.run(load(options.url, connections=options.connections, seconds=options.seconds))
    print(json.dumps(seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
