"""How many requests the gateway accepts of one client, and its answer to more."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from libs.common.tests.servers.fake_api import FakeApi, serving
from pastelka_common.servers import NginxServer
from pastelka_common.servers.base import deploy_folder
from pastelka_common.servers.nginx_templates import defaults, proxies_in_front, rate_exempt
from pastelka_common.testing.plugin import StartNginx
from pastelka_common.testing.waiting import until

COUNTED = rate_exempt([])
"""Clients on this machine are counted like any others."""
BURST = 3
CLASSES = ("API", "COSTLY", "LOGIN", "FILES", "PAGE", "HUB")
LOW = {
    **COUNTED,
    **{f"RATE_{name}": "1" for name in CLASSES},
    **{f"RATE_{name}_BURST": str(BURST) for name in CLASSES},
}
"""One request a minute, after one and three at once."""


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    page, storage = tmp_path / "dist", tmp_path / "stored"
    for file in (page / "index.html", page / "assets" / "a.js", storage / "1" / "a.jpg"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    return {"page": page, "storage": storage}


async def _stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(b":\n")
    assert request.transport is not None
    while not request.transport.is_closing():  # noqa: ASYNC110 - until the client has gone
        await asyncio.sleep(0.05)
    return response


@pytest_asyncio.fixture(loop_scope="session")
async def origins() -> AsyncIterator[dict[str, str]]:
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(serving(FakeApi().answer))
        yield {"api_url": api, "hub_url": await stack.enter_async_context(serving(_stream))}


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


Asked = tuple[int, Mapping[str, str], Any]


async def ask(
    http: aiohttp.ClientSession, url: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Asked:
    """Status, headers and the problem document, if it is one."""
    async with http.request(method, url, headers=headers) as response:
        problem = response.content_type == "application/problem+json"
        if "mercure" in url and response.status == 200:
            return response.status, response.headers, None
        return response.status, response.headers, await response.json(content_type=None) if problem else None


KINDS = {
    "api": ("GET", "/api/v1/orders", "accepts at most 1 requests a minute", "1"),
    "costly": (
        "POST",
        "/api/v1/images/1/generate-svg",
        "at most 1 requests a minute that start work",
        "5",
    ),
    "login": ("POST", "/api/v1/session", "at most 1 sign-in attempts a minute", "60"),
    "files": ("GET", "/static/images/1/a.jpg", "at most 1 files a minute", "1"),
    "page": ("GET", "/orders/1270", "at most 1 requests a minute", "1"),
    "assets": ("GET", "/assets/a.js", "at most 1 requests a minute", "1"),
    "hub": ("GET", "/.well-known/mercure?topic=orders", "1 connections a minute", "1"),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_above_its_rate_limit_gets_429(
    kind: str,
    nginx_server: StartNginx,
    folders: dict[str, Path],
    origins: dict[str, str],
    http: aiohttp.ClientSession,
):
    method, path, sentence, wait = KINDS[kind]
    server = await nginx_server(**folders, **origins, settings=LOW)
    url = f"http://localhost:{server.port}{path}"
    for _ in range(1 + BURST):
        assert (await ask(http, url, method))[0] == 200
    status, headers, problem = await ask(http, url, method)
    assert status == 429
    assert (problem["status"], problem["code"]) == (429, "too_many_requests")
    assert problem["type"] == "urn:pastelka:too_many_requests"
    assert sentence in problem["detail"]
    assert headers["Retry-After"] == wait
    assert headers["Cache-Control"] == "no-store"
    # A class is full for itself: the others go on.
    for other, (other_method, other_path, *_) in KINDS.items():
        if {kind, other} not in ({kind}, {"page", "assets"}):
            asked = await ask(http, f"http://localhost:{server.port}{other_path}", other_method)
            assert asked[0] == 200, other


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/orders",
        "/api/v1/orders/fetch-from-shopify",
        "/api/v1/orders/1270/sync",
        "/api/v1/orders/1270/generate-coloring",
        "/api/v1/orders/1270/generate-svg",
        "/api/v1/images/7/generate-coloring",
        "/api/v1/images/7/generate%2Dsvg",
        "/api/v1/coloring-versions/7/retry",
        "/api/v1/svg-versions/7/retry",
        "/api/v1/dead-letters/7/requeue",
        "/api/v1/orders/1270/books",
        "/api/v1/orders/1270/books/1/retry",
        "/api/v1/books?force=true",
    ],
)
async def test_requests_that_start_work_share_one_rate_limit(
    nginx_server: StartNginx, origins: dict[str, str], http: aiohttp.ClientSession, path: str
):
    server = await nginx_server(**origins, settings=LOW)
    for _ in range(1 + BURST):
        assert (await ask(http, f"{server.url}/api/v1/images/7/generate-svg", "POST"))[0] == 200
    status, _, problem = await ask(http, f"{server.url}{path}", "POST")
    assert status == 429
    assert "start work" in problem["detail"]
    # To look at the same address costs nothing.
    assert (await ask(http, f"{server.url}{path}"))[0] == 200


async def test_each_client_behind_a_proxy_has_a_limit_of_its_own(
    nginx_server: StartNginx, origins: dict[str, str], http: aiohttp.ClientSession
):
    settings = {**LOW, **proxies_in_front(["127.0.0.1"])}
    server = await nginx_server(**origins, settings=settings)
    url = f"{server.url}/api/v1/orders"

    async def until_refused(*clients: str) -> int:
        for number in range(20):
            client = clients[number % len(clients)]
            if (await ask(http, url, headers={"X-Forwarded-For": client}))[0] == 429:
                return number
        raise AssertionError("never refused")

    assert await until_refused("203.0.113.1") == 1 + BURST
    assert await until_refused("203.0.113.2") == 1 + BURST
    # What the client says itself comes first, and is not believed.
    assert await until_refused("1.1.1.1, 203.0.113.2", "2.2.2.2, 203.0.113.1") == 0
    # One network of IPv6 is one client, another is another.
    assert await until_refused("2001:db8:1:1::1", "2001:db8:1:1:a:b:c:d", "2001:db8:1:1:9::") == 1 + BURST
    assert await until_refused("2001:db8:1:2::1") == 1 + BURST
    assert await until_refused("2001:db8::1", "2001:db8::2:1") == 1 + BURST


async def test_a_forged_client_address_does_not_evade_the_limit(
    nginx_server: StartNginx, origins: dict[str, str], http: aiohttp.ClientSession
):
    server = await nginx_server(**origins, settings=LOW)
    statuses = [
        (await ask(http, f"{server.url}/api/v1/orders", headers={"X-Forwarded-For": f"203.0.113.{n}"}))[0]
        for n in range(2 + BURST)
    ]
    assert statuses == [200] * (1 + BURST) + [429]


async def test_concurrent_streams_per_client_are_limited(
    nginx_server: StartNginx, origins: dict[str, str], http: aiohttp.ClientSession
):
    server = await nginx_server(**origins, settings={**COUNTED, "HUB_STREAMS": "2"})
    url = f"{server.url}/.well-known/mercure?topic=orders"
    async with AsyncExitStack() as open_streams:
        for _ in range(2):
            response = await open_streams.enter_async_context(http.get(url))
            assert await response.content.readline() == b":\n"
        status, headers, problem = await ask(http, url)
        assert (status, problem["code"], headers["Retry-After"]) == (429, "too_many_requests", "1")
        assert "at most 2 concurrent event streams" in problem["detail"]
        assert (await ask(http, f"{server.url}/api/v1/orders"))[0] == 200

    async def free() -> bool:
        return (await ask(http, url))[0] == 200

    assert await until(free, 20)


async def test_exempt_addresses_are_not_rate_limited(
    nginx_server: StartNginx, origins: dict[str, str], http: aiohttp.ClientSession
):
    server = await nginx_server(**origins, settings={**LOW, **rate_exempt(["127.0.0.0/8"])})
    for _ in range(20):
        assert (await ask(http, f"{server.url}/api/v1/session", "POST"))[0] == 200


async def test_normal_use_stays_below_the_default_limits(
    nginx_server: StartNginx, folders: dict[str, Path], origins: dict[str, str], http: aiohttp.ClientSession
):
    """A page with hundreds of pictures at once, and a hundred orders set to work one after another."""
    server = await nginx_server(**folders, **origins, settings=COUNTED)
    pictures = [ask(http, f"{server.static_url}/images/1/a.jpg") for _ in range(400)]
    assert {status for status, *_ in await asyncio.gather(*pictures)} == {200}
    for _ in range(100):
        assert (await ask(http, f"{server.url}/api/v1/orders/1/generate-svg", "POST"))[0] == 200
        assert (await ask(http, f"{server.url}/api/v1/orders"))[0] == 200


def test_the_retry_after_values_are_long_enough():
    """After ``Retry-After`` seconds one more request of its class is taken, with the defaults."""
    values = defaults(deploy_folder() / "nginx")
    for name, seconds in (("API", 1), ("COSTLY", 5), ("LOGIN", 60), ("FILES", 1), ("PAGE", 1), ("HUB", 1)):
        assert int(values[f"RATE_{name}"]) * seconds >= 60, name


async def test_a_429_of_the_api_is_passed_through_unchanged(
    nginx_server: StartNginx, http: aiohttp.ClientSession
):
    async def throttled(_request: web.Request) -> web.Response:
        body = {"code": "too_many_attempts"}
        return web.json_response(
            body, status=429, headers={"Retry-After": "30"}, content_type="application/problem+json"
        )

    async with serving(throttled) as origin:
        server: NginxServer = await nginx_server(api_url=origin)
        async with http.post(f"{server.url}/api/v1/session") as response:
            assert response.status == 429
            assert (await response.json(content_type=None))["code"] == "too_many_attempts"
            assert response.headers.getall("Retry-After") == ["30"]
