"""What every kind of answer of the gateway says beside what it holds, as one table."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from libs.common.tests.servers.fake_api import FakeApi, serving
from pastelka_common.servers import NginxServer
from pastelka_common.servers.nginx_templates import proxies_in_front
from pastelka_common.testing.plugin import StartNginx

ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
POLICY = "Content-Security-Policy"
SHUT = {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"}
"""What every policy has."""

PAGE = frozenset(
    {*SHUT, "script-src 'self'", "connect-src 'self'", "form-action 'self'", "style-src-attr 'none'"}
)
DOCS = frozenset({*SHUT, "script-src 'self'", "connect-src 'self'", "form-action 'none'"})
DATA = frozenset({*SHUT, "form-action 'none'", "sandbox"})
FILES = frozenset({*DATA, "script-src 'none'", "style-src 'unsafe-inline'"})


@dataclass(frozen=True)
class Row:
    """One address: what is asked, and what must be answered; ``caching`` in any order."""

    path: str
    status: int
    policy: frozenset[str]
    caching: str
    resource: str = "same-origin"
    port: str = "gateway"
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"

    @property
    def page(self) -> bool:
        return self.policy in {PAGE, DOCS}


GOOD = (("Cookie", "pastelka_session=anna"),)
KEPT = "private, immutable, max-age=86400"
SAME_SITE = "same-site"

TABLE = [
    Row("/", 200, PAGE, "no-cache"),
    Row("/orders/1270", 200, PAGE, "no-cache"),
    Row("/orders/1270.js", 200, PAGE, "no-cache"),
    Row("/theme.js", 200, PAGE, "no-cache"),
    Row("/absent.js", 404, PAGE, "no-store"),
    Row("/.env", 404, PAGE, "no-store"),
    Row("/metrics", 404, PAGE, "no-store"),
    Row("/assets/index-B0GPFvXM.js", 200, DATA, "public, immutable, max-age=31536000"),
    Row("/assets/absent-00000000.js", 404, DATA, "no-store"),
    Row("/healthz", 200, DATA, "no-store"),
    Row("/api/v1/orders", 200, DATA, "no-cache"),
    Row("/api/v1/orders", 304, DATA, "no-cache", headers=(("If-None-Match", '"tag"'),)),
    Row("/api/v1/system", 200, DATA, "no-store"),
    Row("/api/v1/session", 401, DATA, "no-store", method="POST"),
    Row("/api/v1/orders/1270/download", 200, DATA, "no-store"),
    Row("/api/docs", 200, DOCS, "no-store"),
    Row("/api/docs/swagger-ui-bundle.js", 200, DOCS, "no-store"),
    Row("/api/docsy", 200, DATA, "no-store"),
    Row("/api/v1/away", 503, DATA, "no-store"),
    Row("/api/v1/webhooks/shopify", 200, DATA, "no-store", method="POST"),
    Row("/.well-known/mercure?topic=orders", 200, DATA, "private, no-store", headers=GOOD),
    Row("/.well-known/mercure?topic=orders", 401, DATA, "no-store"),
    Row("/.well-known/mercure?topic=orders&authorization=x", 400, DATA, "no-store", headers=GOOD),
    Row("/.well-known/mercure?topic=orders", 403, DATA, "no-store", method="POST"),
    *(
        row
        for port in ("gateway", "files")
        for row in (
            Row("/static/images/1/a.svg", 200, FILES, KEPT, SAME_SITE, port, GOOD),
            Row("/static/images/1/a.jpg", 200, FILES, KEPT, SAME_SITE, port, GOOD),
            Row("/static/images/1/page.html", 200, FILES, KEPT, SAME_SITE, port, GOOD),
            Row("/static/images/1/thumb_a.jpg.webp", 200, FILES, KEPT, SAME_SITE, port, GOOD),
            Row("/static/images/1/thumb_a.svg.webp", 200, FILES, KEPT, SAME_SITE, port, GOOD),
            Row("/static/images/1/absent.jpg", 404, FILES, "no-store", SAME_SITE, port, GOOD),
            Row("/static/images/1/a.svg", 401, FILES, "no-store", SAME_SITE, port),
            Row("/static/images/1/thumb_a.jpg.webp", 401, FILES, "no-store", SAME_SITE, port),
            Row("/static/", 404, FILES, "no-store", SAME_SITE, port, GOOD),
        )
    ),
    Row("/", 404, FILES, "no-store", SAME_SITE, "files"),
    Row("/healthz", 200, DATA, "no-store", port="files"),
]


class _Api(FakeApi):
    """Answers as the orders API does, with headers that the gateway has its own of."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/api/v1/away":
            assert request.transport is not None
            request.transport.abort()
            await asyncio.Event().wait()
        if request.path == "/api/v1/orders":
            return self._orders(request)
        if request.path == "/api/v1/session":
            return web.json_response({"code": "bad_credentials"}, status=401)
        if request.path.endswith("/download"):
            own = {"X-Content-Type-Options": "nosniff", POLICY: "default-src *", "Server": "uvicorn"}
            return web.Response(body=b"PK", content_type="application/zip", headers=own)
        return await super().answer(request)

    def _orders(self, request: web.Request) -> web.Response:
        status = 304 if request.headers.get("If-None-Match") == '"tag"' else 200
        return web.Response(status=status, headers={"ETag": '"tag"', "Cache-Control": "no-cache"})


async def _hub(_request: web.Request) -> web.Response:
    return web.Response(text="", headers={"Cache-Control": "private, no-store", "Server": "Caddy"})


@pytest_asyncio.fixture(loop_scope="session")
async def origins() -> AsyncIterator[dict[str, str]]:
    """Where the API and the hub are."""
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(serving(_Api(known={"anna"}).answer))
        yield {"api_url": api, "hub_url": await stack.enter_async_context(serving(_hub))}


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    page, storage = tmp_path / "dist", tmp_path / "stored"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<title>Pastelka</title>")
    (page / "theme.js").write_text("//")
    (page / "assets" / "index-B0GPFvXM.js").write_text("//")
    (storage / "1").mkdir(parents=True)
    for name in ("a.svg", "a.jpg", "page.html", "thumb_a.jpg.webp"):
        (storage / "1" / name).write_text("<svg/>")
    return {"page": page, "storage": storage}


async def ask(server: NginxServer, row: Row) -> aiohttp.ClientResponse:
    port = server.port if row.port == "gateway" else server.static_port
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        http.request(row.method, f"http://localhost:{port}{row.path}", headers=dict(row.headers)) as response,
    ):
        await response.read()
        return response


def policy_of(response: aiohttp.ClientResponse) -> set[str]:
    (policy,) = response.headers.getall(POLICY)
    return {part.strip() for part in policy.split(";")}


async def test_every_kind_of_response_has_the_headers_of_the_table(
    nginx_server: StartNginx, folders: dict[str, Path], origins: dict[str, str]
):
    server = await nginx_server(**folders, **origins)
    for row in TABLE:
        response = await ask(server, row)
        where = f"{row.method} {row.port} {row.path}"
        assert response.status == row.status, where
        assert policy_of(response) >= row.policy, where
        caching = ", ".join(response.headers.getall("Cache-Control")).split(", ")
        assert sorted(caching) == sorted(row.caching.split(", ")), where
        for name, value in {
            **ALWAYS,
            "Cross-Origin-Resource-Policy": row.resource,
            "Server": "nginx",
        }.items():
            assert response.headers.getall(name) == [value], where
        assert ("camera=()" in response.headers.get("Permissions-Policy", "")) is row.page, where
        assert (response.headers.get("Cross-Origin-Opener-Policy") == "same-origin") is row.page, where
        assert "Strict-Transport-Security" not in response.headers, where


async def test_the_content_security_policy_allows_images_from_the_file_port_only(
    nginx_server: StartNginx, folders: dict[str, Path], origins: dict[str, str]
):
    server = await nginx_server(**folders, **origins)
    parts = policy_of(await ask(server, Row("/", 200, PAGE, "")))
    assert f"img-src 'self' blob: http://localhost:{server.static_port}" in parts
    sources = {word for part in parts for word in part.split()[1:]}
    assert not sources & {"http:", "https:", "*", "data:", "'unsafe-eval'"}
    assert [part for part in parts if "'unsafe-inline'" in part] == ["style-src-elem 'self' 'unsafe-inline'"]


async def test_over_tls_browsers_get_strict_transport_security(
    nginx_server: StartNginx, folders: dict[str, Path], origins: dict[str, str]
):
    tls = (("X-Forwarded-Proto", "https"), *GOOD)
    rows = [
        Row(path, 200, DATA, "", port=port, headers=tls)
        for path, port in (
            ("/", "gateway"),
            ("/api/v1/orders", "gateway"),
            ("/static/images/1/a.jpg", "files"),
        )
    ]
    behind = await nginx_server(**folders, **origins, settings=proxies_in_front(["127.0.0.1"]))
    alone = await nginx_server(**folders, **origins)
    for row in rows:
        told = (await ask(behind, row)).headers
        assert told.getall("Strict-Transport-Security") == ["max-age=31536000"]
        # A client that is not a trusted proxy may send the header; nginx ignores it.
        assert "Strict-Transport-Security" not in (await ask(alone, row)).headers


async def test_the_api_gets_client_headers_from_trusted_proxies_only(nginx_server: StartNginx):
    claims = {
        "X-Forwarded-For": "203.0.113.9, 198.51.100.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "pastelka.example",
        "X-Real-IP": "203.0.113.9",
        "X-Auth-Request-User": "anna",
        "X-Auth-Request-Groups": "operators",
    }

    async def told(server: NginxServer) -> dict[str, str | None]:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{server.url}/api/v1/x", headers=claims) as answer,
        ):
            heard = {name.lower(): value for name, value in (await answer.json())["headers"].items()}
        return {name: heard.get(name.lower()) for name in claims}

    async with serving(FakeApi().answer) as origin:
        alone = await nginx_server(api_url=origin)
        assert await told(alone) == {
            "X-Forwarded-For": f"{claims['X-Forwarded-For']}, 127.0.0.1",
            "X-Forwarded-Proto": "http",
            "X-Forwarded-Host": f"127.0.0.1:{alone.port}",
            "X-Real-IP": "127.0.0.1",
            "X-Auth-Request-User": None,
            "X-Auth-Request-Groups": None,
        }
        behind = await nginx_server(
            api_url=origin, settings=proxies_in_front(["198.51.100.0/24"], ["127.0.0.1"])
        )
        assert await told(behind) == {
            **claims,
            "X-Forwarded-For": f"{claims['X-Forwarded-For']}, 127.0.0.1",
            "X-Real-IP": "203.0.113.9",
        }


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/readyz",
        "/metrics/",
        "/readyz/x",
        "/api/../metrics",
        "/api/..%2fmetrics",
        "/api/%2e%2e/readyz",
        "/api//../metrics",
        "/api/v1/%2e%2e/%2e%2e/metrics",
        "/openapi.json",
    ],
)
async def test_operational_endpoints_are_not_public(nginx_server: StartNginx, path: str):
    api = FakeApi()
    async with serving(api.answer) as origin:
        server = await nginx_server(api_url=origin)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert (await reader.readline()).split()[1] == b"404"
        writer.close()
        assert api.asked == []


async def test_the_dashboard_redirects_to_the_host_of_its_files(
    nginx_server: StartNginx, folders: dict[str, Path]
):
    server = await nginx_server(**folders)
    async with aiohttp.ClientSession() as http:
        for path in ("/", "/orders/1270?q=%23"):
            async with http.get(f"http://127.0.0.1:{server.port}{path}", allow_redirects=False) as response:
                assert response.status == 307
                assert response.headers["Location"] == f"http://localhost:{server.port}{path}"
        async with http.get(f"http://127.0.0.1:{server.port}/healthz", allow_redirects=False) as response:
            assert response.status == 200
