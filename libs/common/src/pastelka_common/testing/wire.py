"""Transfer of a fake's responses: split at random places, and faulty on demand.

A client that mistakes the first chunk for the whole body works against a server that sends it at once. So
every fake splits its responses at random places, by default::

    wire = Wire()
    app = web.Application(middlewares=[wire.middleware])
    wire.misbehave("truncated", "gzip")     # the next two answers

The cuts follow from ``PASTELKA_WIRE_SEED``; the pytest plugin sets it and prints it with each failed test.
"""

import asyncio
import gzip
import os
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Literal

from aiohttp import web

SEED_VARIABLE = "PASTELKA_WIRE_SEED"
WireFault = Literal["slow", "truncated", "long_headers", "chunked", "length", "gzip"]
"""``slow``: ``Wire.pause`` seconds between chunks. ``truncated``: the connection ends before the body.
``long_headers``: headers of 48 KB. ``chunked``, ``length``: the transfer coding, which is random otherwise.
``gzip``: the body is compressed, as Shopify's are."""

_MAX_PIECES = 12
_FIRST_PIECE = 16
_HEADER = "x" * 12_000
_HEADERS = 4
_READ_SECONDS = 0.001
"""Time for a client in another process to read the first chunk: the kernel merges unread data."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def session_seed() -> int:
    """The seed of this run, from the environment or random."""
    return int(os.environ.get(SEED_VARIABLE) or random.randrange(1 << 32))  # noqa: S311 - not a secret


def cut(body: bytes, chance: random.Random) -> Iterator[bytes]:
    """Split ``body`` into up to 12 chunks of random sizes; the first has at most 16 bytes."""
    if len(body) < 2:  # noqa: PLR2004 - nothing to split
        yield body
        return
    places = {chance.randrange(1, len(body)) for _ in range(chance.randint(0, _MAX_PIECES - 2))}
    places.add(chance.randint(1, min(_FIRST_PIECE, len(body) - 1)))
    start = 0
    for end in [*sorted(places), len(body)]:
        yield body[start:end]
        start = end


async def write_in_pieces(writer: asyncio.StreamWriter, answer: bytes, *, seed: int | None = None) -> None:
    """Write a whole HTTP response with its head, split at random places."""
    chance = random.Random(session_seed() if seed is None else seed)  # noqa: S311 - repeatable on purpose
    for piece in cut(answer, chance):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)


class Wire:
    """Sends the responses of one server. ``pause`` is in seconds, for ``slow`` ones."""

    def __init__(self, seed: int | None = None, *, pause: float = 0.05) -> None:
        self.seed = session_seed() if seed is None else seed
        self.pause = pause
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable on purpose
        self._faults: deque[frozenset[WireFault]] = deque()

    def misbehave(self, *faults: WireFault | frozenset[WireFault]) -> None:
        """Apply faults to the next responses with a body, one fault (or several at once) each."""
        self._faults.extend(frozenset([one]) if isinstance(one, str) else one for one in faults)

    @web.middleware
    async def middleware(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Send the response of a handler, unless the handler sent it itself."""
        whole = await handler(request)
        if not isinstance(whole, web.Response) or whole.prepared or request.method == "HEAD":
            return whole
        body = whole.body
        if not isinstance(body, bytes) or not body:
            return whole
        faults = self._faults.popleft() if self._faults else frozenset()
        try:
            return await self._pour(request, whole, body, faults)
        except ConnectionError:  # the client disconnected
            return whole

    async def _pour(
        self, request: web.Request, whole: web.Response, body: bytes, faults: frozenset[WireFault]
    ) -> web.StreamResponse:
        if "gzip" in faults:
            body = gzip.compress(body)
        response = self._head(whole, len(body), faults)
        await response.prepare(request)
        pieces = list(cut(body, self._random))
        for number, piece in enumerate(pieces[: len(pieces) // 2 or 1] if "truncated" in faults else pieces):
            await response.write(piece)
            await asyncio.sleep(self.pause if "slow" in faults else 0 if number else _READ_SECONDS)
        if "truncated" in faults and request.transport is not None:
            request.transport.close()
        return response

    def _head(self, whole: web.Response, length: int, faults: frozenset[WireFault]) -> web.StreamResponse:
        headers = whole.headers.copy()
        headers.popall("Content-Length", None)
        if "gzip" in faults:
            headers["Content-Encoding"] = "gzip"
        if "long_headers" in faults:
            for number in range(_HEADERS):
                headers[f"X-Long-{number}"] = _HEADER
        response = web.StreamResponse(status=whole.status, reason=whole.reason, headers=headers)
        response.cookies.update(whole.cookies)
        if not faults & {"chunked", "length"}:
            faults |= {self._random.choice(("chunked", "length"))}
        if "chunked" in faults:
            response.enable_chunked_encoding()
        else:
            response.content_length = length
        return response
