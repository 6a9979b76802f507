"""Bodies are read to their end, whatever the pieces in which they travel, and never beyond a bound."""

import ast
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient

from pastelka_common.response_body import (
    MAX_HEADER_BYTES,
    ResponseTimeoutError,
    ResponseTooLargeError,
    ResponseTruncatedError,
    read_body,
)
from pastelka_common.testing.wire import Wire, WireFault, cut

ROOT = Path(__file__).parents[3]
Get = Callable[..., Awaitable[bytes]]
FRAMINGS: list[list[WireFault]] = [["length"], ["chunked"], ["length", "gzip"], ["chunked", "gzip"]]


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable on purpose


def content(length: int) -> bytes:
    return chance(length).randbytes(length)


@asynccontextmanager
async def server(wire: Wire) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=content(int(request.query["length"])))

    app = web.Application(middlewares=[wire.middleware])
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(max_line_size=MAX_HEADER_BYTES, max_field_size=MAX_HEADER_BYTES)


async def by_aiohttp(url: str, *, max_bytes: int = 1 << 20, timeout: float = 20) -> bytes:
    async with session() as http, http.get(url) as response:
        return await read_body(response.content.iter_any(), max_bytes=max_bytes, timeout=timeout)


async def by_httpx(url: str, *, max_bytes: int = 1 << 20, timeout: float = 20) -> bytes:
    transport = AiohttpTransport(client=session)
    async with (
        HttpxAiohttpClient(transport=transport) as http,
        http.stream("GET", url) as response,
    ):
        return await read_body(response.aiter_bytes(), max_bytes=max_bytes, timeout=timeout)


@pytest.mark.parametrize("get", [by_aiohttp, by_httpx])
@pytest.mark.parametrize("framing", FRAMINGS, ids="+".join)
async def test_a_body_is_read_completely_in_any_framing(get: Get, framing: list[WireFault]) -> None:
    wire = Wire()
    async with server(wire) as url:
        for length in (0, 1, 2, 17, 16_384, 300_000):
            wire.misbehave(frozenset(framing))
            assert await get(f"{url}?length={length}") == content(length), f"seed {wire.seed}"
            if length == 0:  # such an answer has no body to send badly
                assert await get(f"{url}?length=1") == content(1)


@pytest.mark.parametrize("get", [by_aiohttp, by_httpx])
async def test_long_headers_are_accepted(get: Get) -> None:
    wire = Wire()
    async with server(wire) as url:
        wire.misbehave("long_headers")
        assert await get(f"{url}?length=5000") == content(5000)


@pytest.mark.parametrize("get", [by_aiohttp, by_httpx])
@pytest.mark.parametrize("framing", FRAMINGS, ids="+".join)
async def test_a_truncated_body_is_an_error(get: Get, framing: list[WireFault]) -> None:
    wire = Wire()
    async with server(wire) as url:
        wire.misbehave(frozenset([*framing, "truncated"]))
        with pytest.raises(ResponseTruncatedError, match="ended early"):
            await get(f"{url}?length=50000")
        assert await get(f"{url}?length=50000") == content(50_000)


@pytest.mark.parametrize("get", [by_aiohttp, by_httpx])
async def test_a_body_above_the_limit_is_an_error(get: Get) -> None:
    wire = Wire()
    async with server(wire) as url:
        assert await get(f"{url}?length=50000", max_bytes=50_000) == content(50_000)
        for framing in FRAMINGS:
            wire.misbehave(frozenset(framing))
            with pytest.raises(ResponseTooLargeError, match="more than 49,999 bytes"):
                await get(f"{url}?length=50000", max_bytes=49_999)


@pytest.mark.parametrize("get", [by_aiohttp, by_httpx])
async def test_a_slow_body_times_out(get: Get) -> None:
    wire = Wire(pause=0.4)
    async with server(wire) as url:
        wire.misbehave("slow")
        with pytest.raises(ResponseTimeoutError, match=r"within 0\.1 s"):
            await get(f"{url}?length=50000", timeout=0.1)


async def test_a_timeout_of_the_caller_is_not_reported_as_a_body_timeout() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"
        raise TimeoutError("the caller's")

    with pytest.raises(TimeoutError, match="the caller's"):
        await read_body(chunks(), max_bytes=10, timeout=10)


def test_chunks_join_to_the_body_and_depend_on_the_seed() -> None:
    for seed in range(50):
        body = content(seed * 37)
        pieces = list(cut(body, chance(seed)))
        assert b"".join(pieces) == body
        assert pieces == list(cut(body, chance(seed)))
        if len(body) > 1:
            assert 2 <= len(pieces) <= 12
            assert 1 <= len(pieces[0]) <= 16


READS = {"read", "text", "json", "readany", "readchunk", "readexactly", "aread"}
STREAMS = {"iter_any", "iter_chunked", "iter_chunks", "aiter_bytes", "aiter_raw", "aiter_text", "aiter_lines"}
READERS = {"read_body", "spool"}


def body_reads(source: str) -> list[int]:
    """Lines where the body of a ``response`` is read otherwise than by one of the ``READERS``."""
    tree = ast.parse(source)
    allowed = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in READERS
        for inner in ast.walk(node)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and id(node) not in allowed
        and (
            node.func.attr in STREAMS
            or (node.func.attr in READS and ast.unparse(node.func.value).split(".")[0] == "response")
        )
    ]


def test_services_read_bodies_only_by_read_body() -> None:
    """``response.content.read(n)`` answers the first piece; this finds the next such place."""
    assert body_reads("body = await response.content.read(100)") == [1]
    assert body_reads("async for chunk in response.aiter_bytes(): pass") == [1]
    assert body_reads("body = await read_body(response.content.iter_any(), max_bytes=1, timeout=1)") == []
    sources = [
        path
        for folder in [*ROOT.glob("services/*/src"), ROOT / "libs/common/src"]
        for path in folder.rglob("*.py")
        if not {"testing", "servers"} & set(path.parts)  # servers: urllib and http.client, checked by digest
    ]
    assert len(sources) > 100
    assert {str(path): lines for path in sources if (lines := body_reads(path.read_text("utf-8")))} == {}
