"""Access to the stored files: nginx asks the API and caches its answer for that caller only."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from libs.common.tests.servers.fake_api import FakeApi, serving
from pastelka_common.servers import NginxServer, free_port
from pastelka_common.servers.nginx_templates import proxies_in_front
from pastelka_common.storage import thumbnail_path
from pastelka_common.testing.plugin import StartNginx
from pastelka_common.testing.waiting import until

FILE = "42/121/image_1.jpg"
PHOTO = b"\xff\xd8photo"
Headers = dict[str, str]


def session(value: str) -> Headers:
    return {"Cookie": f"theme=dark; pastelka_session={value}"}


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    folder = tmp_path / "storage"
    (folder / FILE).parent.mkdir(parents=True)
    (folder / FILE).write_bytes(PHOTO)
    return folder


@pytest.fixture
def api() -> FakeApi:
    return FakeApi(known={"anna", "Bearer pst_good"})


@pytest_asyncio.fixture(loop_scope="session")
async def origin(api: FakeApi) -> AsyncIterator[str]:
    async with serving(api.answer) as origin:
        yield origin


@pytest_asyncio.fixture(loop_scope="session")
async def server(nginx_server: StartNginx, storage: Path, origin: str) -> NginxServer:
    return await nginx_server(storage=storage, api_url=origin)


async def get(base: str, headers: Headers | None = None, path: str = FILE) -> tuple[int, bytes, Headers]:
    """Status, body and headers of one file."""
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        http.get(f"{base}/images/{path}", headers=headers) as response,
    ):
        return response.status, await response.read(), dict(response.headers)


def bases(server: NginxServer) -> list[str]:
    return [f"{server.url}/static", server.static_url]


@pytest.mark.parametrize("headers", [session("anna"), {"Authorization": "Bearer pst_good"}])
async def test_an_authenticated_client_gets_files_on_both_ports(server: NginxServer, headers: Headers):
    for base in bases(server):
        for path in (FILE, thumbnail_path(FILE)):
            status, body, answered = await get(base, headers, path)
            assert (status, body) == (200, PHOTO)
            assert "private" in answered["Cache-Control"] or answered["Cache-Control"] == "max-age=86400"


@pytest.mark.parametrize("headers", [{}, session("eve"), session(""), {"Authorization": "Bearer pst_bad"}])
@pytest.mark.parametrize("path", [FILE, thumbnail_path(FILE), "42/121/absent.jpg", "42/121/"])
async def test_an_unauthenticated_request_reveals_nothing(server: NginxServer, headers: Headers, path: str):
    for base in bases(server):
        status, body, answered = await get(base, headers, path)
        assert status == 401
        assert PHOTO not in body
        assert len(body) < 300
        assert b'"code":"sign_in_required"' in body
        assert answered["Content-Type"] == "application/problem+json"
        assert answered["Cache-Control"] == "no-store"
        assert "ETag" not in answered


async def test_forbidden_files_and_folders_are_403_with_a_problem_document(server: NginxServer, api: FakeApi):
    api.forbids = True
    status, body, _ = await get(server.static_url, session("anna"))
    assert (status, b'"code":"forbidden"' in body) == (403, True)
    api.forbids = False
    status, body, _ = await get(server.static_url, session("anna"), "42/121/")
    assert (status, b'"code":"forbidden"' in body) == (403, True)


async def test_an_auth_response_is_cached_for_its_caller_only(server: NginxServer, api: FakeApi):
    for _ in range(20):
        assert (await get(server.static_url, session("anna")))[0] == 200
    assert len(api.checks) == 1
    # Her cached answer serves neither anonymous requests, nor other callers, nor her id in other headers.
    for unknown_caller in (
        {},
        session("ann"),
        session("annab"),
        {"Authorization": "Bearer anna"},
        {"Cookie": "session=anna"},
    ):
        assert (await get(server.static_url, unknown_caller))[0] == 401, unknown_caller
    assert len(api.checks) == 6


async def test_the_checked_cookie_is_the_key_of_the_auth_cache(server: NginxServer, api: FakeApi):
    both = {"Cookie": "pastelka_session=eve; pastelka_session=anna"}
    assert (await get(server.static_url, both))[0] == 401
    assert api.checks[-1].headers["Cookie"] == "pastelka_session=eve"
    assert (await get(server.static_url, session("eve")))[0] == 401


async def test_a_rejected_auth_response_is_not_cached(server: NginxServer, api: FakeApi):
    assert (await get(server.static_url, session("new")))[0] == 401
    api.known.add("new")
    assert (await get(server.static_url, session("new")))[0] == 200


async def test_the_api_receives_only_the_identity_of_the_caller(server: NginxServer, api: FakeApi):
    sent = {
        **session("anna"),
        "Authorization": "Bearer pst_x",
        "X-Auth-Request-User": "anna",
        "X-Auth-Request-Groups": "operators",
        "X-Forwarded-For": "127.0.0.9",
        "X-Forwarded-Proto": "https",
        "If-None-Match": "x",
    }
    assert (await get(server.static_url, sent))[0] == 200
    (check,) = api.checks
    told = {name.lower(): value for name, value in check.headers.items()}
    assert told == {
        "host": f"localhost:{server.static_port}",
        "cookie": "pastelka_session=anna",
        "authorization": "Bearer pst_x",
        "x-real-ip": "127.0.0.1",
        "x-forwarded-for": "127.0.0.9, 127.0.0.1",
        "x-forwarded-host": f"localhost:{server.static_port}",
        "x-forwarded-proto": "http",
    }
    assert check.method == "GET"


async def test_a_removed_user_gets_no_files_once_the_auth_cache_expires(server: NginxServer, api: FakeApi):
    api.holds = "max-age=1, stale-while-revalidate=1, stale-if-error=300"
    assert (await get(server.static_url, session("anna")))[0] == 200
    api.known.clear()
    began = time.monotonic()

    async def refused() -> bool:
        return (await get(server.static_url, session("anna")))[0] == 401

    assert await until(refused)
    assert time.monotonic() - began < 6
    # Not one of many at once gets through on what was true before.
    for _ in range(30):
        assert await refused()


async def test_a_cached_user_is_served_for_a_limited_time_without_the_api(
    nginx_server: StartNginx, storage: Path
):
    port = free_port()
    api = FakeApi(known={"anna"}, holds="max-age=1, stale-if-error=4")
    server = await nginx_server(storage=storage, api_url=f"http://127.0.0.1:{port}")
    async with serving(api.answer, port=port):
        assert (await get(server.static_url, session("anna")))[0] == 200
        began = time.monotonic()
    served = []

    async def turned_away() -> bool:
        served.append(time.monotonic() - began)
        return (await get(server.static_url, session("anna")))[0] == 503

    assert await until(turned_away, 20)
    # Beyond the second that the answer held, and not beyond the four more that were granted.
    assert max(served[:-1], default=0) > 2
    assert served[-1] < 15
    for unknown_caller in (session("eve"), {}):
        status, body, answered = await get(server.static_url, unknown_caller)
        assert (status, answered["Content-Type"]) == (503, "application/problem+json")
        assert b'"code":"api_unavailable"' in body
        assert answered["Retry-After"] == "1"


async def test_a_user_header_is_accepted_from_trusted_proxies_only(nginx_server: StartNginx, storage: Path):
    api = FakeApi(known={"anna"})
    named = {"X-Auth-Request-User": "anna"}
    async with serving(api.answer) as origin:
        shut = await nginx_server(storage=storage, api_url=origin)
        assert (await get(shut.static_url, named))[0] == 401
        told = proxies_in_front(["127.0.0.1"])
        without_caller_names = await nginx_server(storage=storage, api_url=origin, settings=told)
        assert (await get(without_caller_names.static_url, named))[0] == 401
        told = proxies_in_front([], naming_callers=["127.0.0.1"])
        trusting = await nginx_server(storage=storage, api_url=origin, settings=told)
        assert (await get(trusting.static_url, named))[0] == 200
        assert (await get(trusting.static_url, {"X-Auth-Request-User": "eve"}))[0] == 401
        assert (await get(trusting.static_url))[0] == 401


async def test_the_auth_cache_is_private_to_nginx_and_cleared_at_start(server: NginxServer):
    assert (await get(server.static_url, session("anna")))[0] == 200
    folder = server.folder / "temp" / "callers"
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert len(kept) == 1
    assert folder.stat().st_mode & 0o077 == 0
    assert kept[0].stat().st_mode & 0o077 == 0
    server.prepare()
    assert not kept[0].exists()


async def test_the_internal_auth_location_is_not_public(server: NginxServer):
    async with aiohttp.ClientSession() as http:
        for origin in (server.url, f"http://localhost:{server.static_port}"):
            async with http.get(f"{origin}/-/caller") as response:
                assert response.status == 404
