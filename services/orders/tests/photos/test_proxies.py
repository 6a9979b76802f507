"""Other ways to a photo, and what none of them may be used for."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ResolveResult

from pastelka_common.errors import JobError
from pastelka_common.testing.wire import write_in_pieces
from pastelka_orders.photos.download import PhotoDownloader, Proxy, ProxySettings, proxies_of
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.urls import UrlRules
from pastelka_orders.settings import OrdersSettings


@dataclass
class Server:
    """Answers everything with one status and body; a site as well as a proxy."""

    status: int
    content: bytes = b""
    requests: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        head = f"HTTP/1.1 {self.status} X\r\nConnection: close\r\nContent-Length: {len(self.content)}\r\n\r\n"
        await write_in_pieces(writer, head.encode() + self.content)
        writer.close()


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Server]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def servers(jpeg: bytes) -> AsyncIterator[Any]:
    """Starts servers; one with status 200 has the photo."""
    async with AsyncExitStack() as stack:

        async def start(status: int) -> Server:
            return await stack.enter_async_context(running(Server(status, jpeg if status == 200 else b"")))

        yield start


def through(*servers: Server) -> list[Proxy]:
    """These as proxies."""
    return proxies_of(
        {
            str(number): ProxySettings.model_validate(
                {"host": "127.0.0.1", "port": server.port, "username": "u", "password": f"p{number}"}
            )
            for number, server in enumerate(servers, start=1)
        }
    )


def rules(site: Server) -> UrlRules:
    return UrlRules(allowed_hosts=[f"127.0.0.1:{site.port}"])


async def fetch(site: Server, *proxies: Server) -> bytes:
    async with PhotoDownloader(PhotoIntake(), rules=rules(site), proxies=through(*proxies)) as downloader:
        return (await downloader.download(f"http://127.0.0.1:{site.port}/photo.jpg")).content


@pytest.mark.parametrize("status", [403, 429, 503, 525, 526, 530])
async def test_a_host_that_refuses_is_retried_through_the_proxies_in_order(servers: Any, status: int) -> None:
    site, first, second, third = [await servers(code) for code in (status, 403, 200, 200)]
    assert await fetch(site, first, second, third)
    assert [len(server.requests) for server in (site, first, second, third)] == [1, 1, 1, 0]
    assert second.requests[0].startswith(f"GET http://127.0.0.1:{site.port}/photo.jpg HTTP/1.1")
    assert f"Basic {b64encode(b'u:p2').decode()}" in second.requests[0]
    assert "Proxy-Authorization" not in site.requests[0]


async def test_an_unreachable_host_is_retried_through_a_proxy(servers: Any) -> None:
    site, proxy = await servers(200), await servers(200)
    away = Server(200, port=1)
    assert await fetch(away, proxy)
    assert site.requests == []


@pytest.mark.parametrize("status", [404, 410, 400])
async def test_a_permanent_http_error_is_not_retried_through_a_proxy(servers: Any, status: int) -> None:
    site, proxy = await servers(status), await servers(200)
    with pytest.raises(JobError):
        await fetch(site, proxy)
    assert proxy.requests == []


async def test_a_host_that_responds_is_not_requested_through_a_proxy(servers: Any) -> None:
    site, proxy = await servers(200), await servers(200)
    assert await fetch(site, proxy)
    assert proxy.requests == []


async def test_an_error_of_a_proxy_reveals_no_credentials(servers: Any) -> None:
    site, proxy = await servers(429), await servers(407)
    with pytest.raises(JobError) as found:
        await fetch(site, proxy)
    assert "p1" not in str(found.value)


class Flipping(AbstractResolver):
    """Knows no address at first, then one inside."""

    def __init__(self) -> None:
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        self.asked += 1
        if self.asked == 1:
            raise OSError("not known yet")
        return [ResolveResult(hostname=host, host="10.0.0.1", port=port, family=2, proto=0, flags=0)]

    async def close(self) -> None:
        return None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/", "http://2130706433/"]
)
async def test_no_proxy_is_used_for_a_non_public_address(servers: Any, url: str) -> None:
    proxy = await servers(200)
    async with PhotoDownloader(PhotoIntake(), proxies=through(proxy)) as downloader:
        with pytest.raises(JobError):
            await downloader.download(url)
    assert proxy.requests == []


async def test_no_proxy_is_used_for_a_name_that_now_resolves_to_an_internal_address(servers: Any) -> None:
    proxy, resolver = await servers(200), Flipping()
    async with PhotoDownloader(PhotoIntake(), proxies=through(proxy), resolver=resolver) as downloader:
        with pytest.raises(JobError) as found:
            await downloader.download("http://rebinding.example.com/photo.jpg")
    assert (found.value.code, proxy.requests, resolver.asked) == ("photo_address_refused", [], 2)


def test_proxies_are_read_from_numbered_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DATABASE_URL": "postgresql+asyncpg://localhost/none",
        "PROXY_10_HOST": "ten.example.com",
        "PROXY_10_PORT": "8080",
        "PROXY_2_HOST": "two.example.com",
        "PROXY_2_PORT": "22225",
        "PROXY_2_USERNAME": "user",
        "PROXY_2_PASSWORD": "hunter2",
        "PROXY_3_HOST": "",
        "PROXY_HEADERS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    settings = OrdersSettings.load()
    proxies = proxies_of(settings.proxy)
    assert [str(proxy.url) for proxy in proxies] == [
        "http://user:hunter2@two.example.com:22225",
        "http://ten.example.com:8080",
    ]
    assert "hunter2" not in repr(proxies)
    assert "hunter2" not in repr(settings)


def test_an_incomplete_proxy_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://localhost/none")
    monkeypatch.setenv("PROXY_1_HOST", "one.example.com")
    with pytest.raises(SystemExit):
        OrdersSettings.load()
    assert capsys.readouterr().err == "PROXY_1_PORT: is missing\n"
