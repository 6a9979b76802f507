"""What comes in that is no request, or one whose head does not end."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from pastelka_orders.api.field_limits import HEAD_BYTES
from pastelka_orders.api.protocol import LimitedHttpProtocol


async def _application(scope: Any, receive: Any, send: Any) -> None:
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Where a server with our protocol listens."""
    config = uvicorn.Config(
        _application,
        host="127.0.0.1",
        port=0,
        http=LimitedHttpProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    async with asyncio.timeout(30):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def sent(port: int, *pieces: bytes) -> bytes:
    """All that is answered until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)  # so that they arrive apart
        async with asyncio.timeout(30):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def problem(answer: bytes) -> tuple[int, dict[str, Any]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    found: dict[str, Any] = json.loads(body)
    assert int(head.split()[1]) == found["status"]
    return found["status"], found


def request(header: int, *, body: bytes = b"") -> bytes:
    """A POST with a header of so many bytes."""
    lines = f"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: {len(body)}\r\nX-Long: {'x' * header}"
    return lines.encode() + b"\r\n\r\n" + body


async def test_the_size_of_request_heads_is_limited(port: int) -> None:
    assert b"204" in await sent(port, request(HEAD_BYTES - 100))
    status, found = problem(await sent(port, request(HEAD_BYTES + 1)))
    assert (status, found["code"]) == (431, "request_header_fields_too_large")
    assert str(HEAD_BYTES) in found["detail"]


async def test_an_endless_request_head_is_rejected(port: int) -> None:
    pieces = [b"GET / HTTP/1.1\r\nX-Long: ", *[b"x" * 8192] * 6]
    assert problem(await sent(port, *pieces))[0] == 431


async def test_bodies_do_not_count_towards_the_head_limit(port: int) -> None:
    large = request(10, body=b"b" * (4 * HEAD_BYTES))
    assert b"204" in await sent(port, large)
    assert b"204" in await sent(port, large[:20_000], large[20_000:90_000], large[90_000:])
    kept = large.replace(b"Connection: close\r\n", b"")
    assert (await sent(port, kept, kept, large)).count(b"HTTP/1.1 204") == 3
    small = request(10).replace(b"Connection: close\r\n", b"")
    assert (await sent(port, *[small * 100] * 8, request(10))).count(b"HTTP/1.1 204") == 801


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00\x01\x00", b"HELLO\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"]
)
async def test_non_http_data_is_a_bad_request(port: int, junk: bytes) -> None:
    status, found = problem(await sent(port, junk))
    assert (status, found["code"]) == (400, "bad_request")
