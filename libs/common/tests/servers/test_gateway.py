"""nginx as it is configured: what is served, what is refused, what is passed on."""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from libs.common.tests.servers.fake_api import FakeApi, serving
from pastelka_common.servers.base import ServerError
from pastelka_common.servers.nginx_templates import caller_header, proxies_in_front, rate_exempt, render
from pastelka_common.storage import thumbnail_path
from pastelka_common.testing.plugin import StartNginx


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    folder = tmp_path / "storage with a space" / "42" / "121"
    folder.mkdir(parents=True)
    (folder / "image_1.jpg").write_bytes(b"\xff\xd8photo")
    (folder / "image_1.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'>" + "<g/>" * 2000 + "</svg>")
    (folder / ".image_1.jpg.abc.tmp").write_bytes(b"half")
    return folder.parent.parent


@pytest.fixture
async def api() -> AsyncIterator[str]:
    """Origin of an API that lets everybody in."""
    async with serving(FakeApi().answer) as origin:
        yield origin


async def test_files_are_immutable_for_a_day_on_both_ports(nginx_server: StartNginx, storage: Path, api: str):
    server = await nginx_server(storage=storage, api_url=api)
    async with aiohttp.ClientSession() as session:
        for base in (f"{server.url}/static", server.static_url):
            async with session.get(f"{base}/images/42/121/image_1.jpg") as response:
                assert response.status == 200
                assert await response.read() == b"\xff\xd8photo"
                caching = ", ".join(response.headers.getall("Cache-Control"))
                assert {"max-age=86400", "private", "immutable"} == set(caching.split(", "))
                assert "Expires" in response.headers
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.content_type == "image/jpeg"


async def test_a_missing_thumbnail_falls_back_to_the_file(nginx_server: StartNginx, storage: Path, api: str):
    (storage / "42/121/image_2.jpg").write_bytes(b"\xff\xd8another")
    (storage / thumbnail_path("42/121/image_2.jpg")).write_bytes(b"small")
    (storage / "42/121/žluť 1.jpg").write_bytes(b"\xff\xd8third")
    server = await nginx_server(storage=storage, api_url=api)
    expected = {
        "42/121/image_1.jpg": (200, "image/jpeg", b"\xff\xd8photo"),
        "42/121/image_2.jpg": (200, "image/webp", b"small"),
        "42/121/žluť 1.jpg": (200, "image/jpeg", b"\xff\xd8third"),
        "42/121/image_3.jpg": (404, "text/html", None),
        "42/121/.image_1.jpg.abc.tmp": (404, "text/html", None),
    }
    async with aiohttp.ClientSession() as session:
        for base in (f"{server.url}/static", server.static_url):
            for path, (status, kind, content) in expected.items():
                async with session.get(f"{base}/images/{thumbnail_path(path)}") as response:
                    assert (response.status, response.content_type) == (status, kind), path
                    if content is not None:
                        assert await response.read() == content
                        assert "immutable" in ", ".join(response.headers.getall("Cache-Control"))
                        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_svg_is_compressed_and_runs_no_script(nginx_server: StartNginx, storage: Path, api: str):
    server = await nginx_server(storage=storage, api_url=api)
    url = f"{server.static_url}/images/42/121/image_1.svg"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.content_type == "image/svg+xml"
        assert response.headers["Content-Encoding"] == "gzip"
        assert "sandbox" in response.headers["Content-Security-Policy"]
        assert "script-src 'none'" in response.headers["Content-Security-Policy"]


async def test_files_outside_the_storage_are_not_served(nginx_server: StartNginx, storage: Path, api: str):
    (storage.parent / "secrets.json").write_text("secret")
    server = await nginx_server(storage=storage, api_url=api)
    outside = URL(f"{server.static_url}/images/..%2fsecrets.json", encoded=True)
    async with aiohttp.ClientSession() as session, session.get(outside) as response:
        assert response.status == 404


@pytest.mark.parametrize(
    "path",
    [
        "images/42/121/.image_1.jpg.abc.tmp",
        "images/42/121/",
        "images/42/121",
        "images/",
        "images/42/121/absent.jpg",
        "",
    ],
)
async def test_hidden_files_and_folders_are_not_served(
    nginx_server: StartNginx, storage: Path, api: str, path: str
):
    server = await nginx_server(storage=storage, api_url=api)
    async with aiohttp.ClientSession() as session:
        for base in (f"{server.url}/static", server.static_url):
            async with session.get(f"{base}/{path}", allow_redirects=False) as response:
                assert response.status in {301, 403, 404}
                assert "immutable" not in response.headers.get("Cache-Control", "")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A built page as Vite makes it."""
    folder = tmp_path / "site"
    (folder / "assets").mkdir(parents=True)
    (folder / ".vite").mkdir()
    (folder / "index.html").write_text("<title>Pastelka</title>")
    (folder / "theme.js").write_text("// before the first paint")
    (folder / "assets" / "index-B0GPFvXM.js").write_text("const pastels = 24;\n" * 200)
    (folder / ".vite" / "manifest.json").write_text("{}")
    return folder


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/orders/1270", "/orders/2026.11", "/orders/1270.js", "/system", "/a/b"]
)
async def test_client_side_routes_serve_the_dashboard(nginx_server: StartNginx, page: Path, path: str):
    server = await nginx_server(page=page)
    async with aiohttp.ClientSession() as session, session.get(server.url + path) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert "Pastelka" in await response.text()
        assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/index-00000000.js",
        "/assets/index-00000000",
        "/assets/orders/1270",
        "/favicon.ico",
        "/a/robots.txt",
        "/.vite/manifest.json",
        "/.env",
    ],
)
async def test_a_missing_file_does_not_serve_the_dashboard(nginx_server: StartNginx, page: Path, path: str):
    server = await nginx_server(page=page)
    async with aiohttp.ClientSession() as session, session.get(server.url + path) as response:
        assert response.status == 404
        assert "<title>Pastelka</title>" not in await response.text()
        assert response.headers["Cache-Control"] == "no-store"


async def test_only_files_with_a_hash_in_their_name_are_immutable(nginx_server: StartNginx, page: Path):
    server = await nginx_server(page=page)
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{server.url}/assets/index-B0GPFvXM.js") as response:
            caching = ", ".join(response.headers.getall("Cache-Control"))
            assert set(caching.split(", ")) == {"max-age=31536000", "public", "immutable"}
            assert response.headers["Content-Encoding"] == "gzip"
            assert response.headers["Vary"] == "Accept-Encoding"
            assert response.content_type == "application/javascript"
        async with session.get(f"{server.url}/theme.js") as response:
            assert response.headers["Cache-Control"] == "no-cache"
            assert response.content_type == "application/javascript"


async def test_large_uploads_are_accepted_and_other_bodies_limited(nginx_server: StartNginx):
    async def measure(request: web.Request) -> web.Response:
        size = 0
        async for chunk in request.content.iter_chunked(1 << 20):
            size += len(chunk)
        return web.json_response({"size": size})

    body = bytes(30 << 20)
    async with serving(measure) as origin, aiohttp.ClientSession() as session:
        server = await nginx_server(api_url=origin)
        for method, path in (
            ("POST", "orders"),
            ("POST", "orders/M%201/line-items/1/photos?position=1"),
            ("PUT", "images/1/photo"),
        ):
            url = f"{server.url}/api/v1/{path}"
            async with session.request(method, url, data=BytesIO(body)) as response:
                assert await response.json() == {"size": len(body)}
        headers = {"Expect": "100-continue"}
        async with session.post(
            f"{server.url}/api/v1/images/1/generate-svg", data=BytesIO(body), headers=headers
        ) as response:
            assert response.status == 413
            assert response.content_type == "application/problem+json"


async def test_an_unavailable_api_is_reported_as_a_problem_document(nginx_server: StartNginx):
    server = await nginx_server()
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/api/v1/orders") as response:
        assert response.status == 503
        assert response.content_type == "application/problem+json"
        assert (await response.json(content_type=None))["code"] == "api_unavailable"
        assert response.headers["Retry-After"] == "1"


async def test_events_are_streamed_without_buffering(nginx_server: StartNginx, api: str):
    may_go_on = asyncio.Event()

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: first\n\n")
        await may_go_on.wait()
        await response.write(b"data: second\n\n")
        return response

    async with serving(events) as origin, aiohttp.ClientSession() as session:
        server = await nginx_server(hub_url=origin, api_url=api)
        async with (
            asyncio.timeout(5),
            session.get(f"{server.url}/.well-known/mercure?topic=orders") as response,
        ):
            assert await response.content.readline() == b"data: first\n"
            may_go_on.set()
            assert (await response.content.read()).strip() == b"data: second"


def test_the_template_keeps_nginx_variables_and_rejects_missing_values():
    assert render('root "${PAGE_PATH}"; $uri', {"PAGE_PATH": "/srv"}) == 'root "/srv"; $uri'
    with pytest.raises(ServerError, match="PAGE_PATH"):
        render("${PAGE_PATH}", {})
    with pytest.raises(ServerError, match="quotes"):
        render("${PAGE_PATH}", {"PAGE_PATH": '/srv"; evil'})


def test_a_list_of_addresses_becomes_nginx_directives():
    assert proxies_in_front(["10.0.0.7", " fd00::/8"], ["10.0.0.8", "10.0.0.7"]) == {
        "REAL_IP_FROM": "set_real_ip_from 10.0.0.7/32; set_real_ip_from fd00::/8;"
        " set_real_ip_from 10.0.0.8/32;",
        "TRUSTED_PEERS": "10.0.0.7/32 1; fd00::/8 1; 10.0.0.8/32 1;",
        "AUTH_PEERS": "10.0.0.8/32 1; 10.0.0.7/32 1;",
    }
    assert rate_exempt([]) == {"RATE_EXEMPT": ""}
    with pytest.raises(ServerError, match=r"'1\.2\.3\.4; deny all' is not an address"):
        proxies_in_front(["1.2.3.4; deny all"])


def test_the_name_of_the_user_header_becomes_an_nginx_variable():
    assert caller_header("USER", "Remote-User") == {
        "AUTH_PROXY_USER_HEADER": "Remote-User",
        "AUTH_PROXY_USER_VARIABLE": "http_remote_user",
    }
    with pytest.raises(ServerError, match="AUTH_PROXY_USER_HEADER"):
        caller_header("USER", "Remote User;")
