"""Connections that are used again: what comes next on one is never read as what came before."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from io import BytesIO
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import structlog
import uvicorn
from fastapi import FastAPI, Request

from pastelka_common.testing.plugin import StartNginx
from pastelka_orders.api import problems
from pastelka_orders.api.protocol import LimitedHttpProtocol

Serve = Callable[[Any], Awaitable[int]]
"""Starts an application with our protocol; returns its port."""

FAILURES, AT_ONCE = 240, 8


@pytest_asyncio.fixture(loop_scope="session")
async def serve() -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:
        yield lambda app: stack.enter_async_context(_serving(app))


@asynccontextmanager
async def _serving(app: Any) -> AsyncIterator[int]:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, http=LimitedHttpProtocol, ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    async with asyncio.timeout(30):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


def failing_api() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.get("/api/fail")
    async def fail() -> None:
        raise RuntimeError("a fault of ours")

    @app.post("/api/refuse")
    async def refuse() -> dict[str, str]:
        return {"said": "no"}

    @app.post("/api/read")
    async def read(request: Request) -> dict[str, int]:
        return {"length": len(await request.body())}

    return app


async def exchange(port: int, *pieces: bytes) -> bytes:
    """Send each piece after some answer to the one before; everything until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = bytearray()
    try:
        async with asyncio.timeout(30):
            for piece in pieces:
                writer.write(piece)
                received += await reader.read(65536)
            received += await reader.read()
    except ConnectionError:
        pass
    finally:
        writer.close()
    return bytes(received)


BODIES = ("Content-Length: 60", "Transfer-Encoding: chunked", "Content-Length: 60\r\nExpect: 100-continue")


@pytest.mark.parametrize("announced", BODIES)
async def test_a_connection_with_an_unread_body_is_closed(serve: Serve, announced: str) -> None:
    port = await serve(failing_api())
    first = f"POST /api/refuse HTTP/1.1\r\nHost: localhost\r\n{announced}\r\n\r\n".encode()
    second = b"POST /api/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    received = (await exchange(port, first, second)).lower()
    assert received.count(b"http/1.1 200") == 1
    assert b"connection: close" in received
    assert b"length" not in received.partition(b"\r\n\r\n")[2]


async def test_a_connection_with_a_read_body_is_kept_alive_even_after_a_500(serve: Serve) -> None:
    port = await serve(failing_api())
    whole = b"POST /api/refuse HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345"
    fail = b"GET /api/fail HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = whole.replace(b"localhost", b"localhost\r\nConnection: close")
    received = await exchange(port, whole, fail, whole, fail, last)
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"200", b"500", b"200", b"500", b"200"]
    assert received.lower().count(b"connection: close") == 1


async def test_a_client_that_is_still_sending_receives_the_response(serve: Serve) -> None:
    """The API reads none of ten megabytes: a reset would discard the answer before the client reads it."""
    port = await serve(failing_api())
    body = bytes(10 << 20)
    async with aiohttp.ClientSession() as http:
        for _ in range(5):
            async with http.post(f"http://127.0.0.1:{port}/api/refuse", data=BytesIO(body)) as response:
                assert response.status == 200
                assert response.headers["Connection"] == "close"
                assert await response.json() == {"said": "no"}


async def test_a_post_after_a_500_succeeds_through_the_gateway(
    serve: Serve, nginx_server: StartNginx
) -> None:
    port = await serve(failing_api())
    server = await nginx_server(api_url=f"http://127.0.0.1:{port}")
    found: list[tuple[int, int]] = []
    # Captured: a printed traceback takes longer than all the rest.
    with structlog.testing.capture_logs() as logged:
        async with aiohttp.ClientSession() as http:

            async def fail_and_post(_: int) -> tuple[int, int]:
                async with http.get(f"{server.url}/api/fail") as failed:
                    await failed.read()
                async with http.post(f"{server.url}/api/read", data=b"12345") as response:
                    return failed.status, response.status

            for _ in range(FAILURES // AT_ONCE):
                found += await asyncio.gather(*map(fail_and_post, range(AT_ONCE)))
    assert [entry["event"] for entry in logged] == ["request failed"] * FAILURES
    assert found.count((500, 200)) == FAILURES, {pair: found.count(pair) for pair in set(found)}


async def test_the_gateway_retries_get_requests_and_never_a_post(
    nginx_server: StartNginx,
) -> None:
    """A server that answers one request per connection, and closes at the second without a word."""
    asked: list[str] = []

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in (1, 2):
            head = await reader.readuntil(b"\r\n\r\n")
            asked.append(head.split()[0].decode())
            if number == 1:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer_once, "127.0.0.1", 0) as listener:
        server = await nginx_server(api_url=f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        statuses = []
        async with aiohttp.ClientSession() as http:
            for method in ("GET", "GET", "POST"):
                async with http.request(method, f"{server.url}/api/v1/orders/1/sync") as response:
                    statuses.append(response.status)
    assert statuses == [200, 200, 503]
    assert asked == ["GET", "GET", "GET", "POST"]
