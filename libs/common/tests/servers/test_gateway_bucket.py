"""Stored files from a bucket: the same addresses, answers and locks as from a folder."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from multidict import CIMultiDictProxy

from libs.common.tests.servers.fake_api import FakeApi, serving
from libs.common.tests.servers.fake_dns import fake_dns
from pastelka_common.servers import BucketServer, NginxServer, free_port
from pastelka_common.servers.nginx_templates import files_in_bucket
from pastelka_common.storage import StorageSettings, thumbnail_path
from pastelka_common.storage.bucket import BucketStorage, parse_bucket_url
from pastelka_common.testing.plugin import StartNginx
from pastelka_common.testing.waiting import until
from pastelka_common.testing.wire import Wire

FILE = "42/121/image_1.jpg"
PHOTO = b"\xff\xd8photo"
ANNA = {"Cookie": "pastelka_session=anna"}
Headers = dict[str, str]


class SigningApi(FakeApi):
    """The API with a bucket: it signs what the gateway asks for."""

    storage: BucketStorage

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path != "/files/address":
            return await super().answer(request)
        self.asked.append(request)
        path = request.headers["X-File"].removeprefix("/static/images/")
        url = urlsplit(await self.storage.presign(path, lifetime=timedelta(minutes=1)) or "")
        headers = {"X-File-Address": f"{url.path}?{url.query}", "Cache-Control": "max-age=300"}
        return web.Response(status=204, headers=headers)

    @property
    def signings(self) -> list[web.Request]:
        return [request for request in self.asked if request.path == "/files/address"]


@pytest.fixture
def storage(bucket_server: BucketServer, monkeypatch: pytest.MonkeyPatch) -> BucketStorage:
    for name, value in bucket_server.settings(f"a shop/{uuid4().hex}").items():
        monkeypatch.setenv(name, value)
    return BucketStorage(parse_bucket_url(StorageSettings.load()))


@pytest.fixture
def api(storage: BucketStorage) -> SigningApi:
    api = SigningApi(known={"anna"})
    api.storage = storage
    return api


@pytest_asyncio.fixture(loop_scope="session")
async def server(
    nginx_server: StartNginx, api: SigningApi, bucket_server: BucketServer
) -> AsyncIterator[NginxServer]:
    where = f"127.0.0.1:{bucket_server.port}"
    settings = {"FILES_IN": "bucket", "BUCKET_HOST": where, "BUCKET_SERVER": where}
    async with serving(api.answer) as origin:
        yield await nginx_server(api_url=origin, settings=settings)


async def ask(
    server: NginxServer, path: str, headers: Headers | None = None, method: str = "GET"
) -> tuple[int, bytes, CIMultiDictProxy[str]]:
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        http.request(method, f"{server.static_url}/images/{path}", headers=headers) as response,
    ):
        return response.status, await response.read(), response.headers


async def test_a_file_in_a_bucket_is_served_like_one_in_a_folder(server: NginxServer, storage: BucketStorage):
    await storage.write(FILE, PHOTO)
    status, body, headers = await ask(server, FILE, ANNA)
    assert (status, body, headers["Content-Type"]) == (200, PHOTO, "image/jpeg")
    caching = ", ".join(headers.getall("Cache-Control"))
    assert {"max-age=86400", "private", "immutable"} == set(caching.split(", "))
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert not [name for name in headers if name.lower().startswith("x-amz")]
    assert "X-File-Address" not in headers
    assert (await ask(server, FILE, {**ANNA, "If-None-Match": headers["ETag"]}))[:2] == (304, b"")
    assert (await ask(server, FILE, {**ANNA, "Range": "bytes=2-4"}))[:2] == (206, b"pho")
    assert (await ask(server, FILE, ANNA, "HEAD"))[:2] == (200, b"")


async def test_an_svg_is_compressed_and_runs_no_script(server: NginxServer, storage: BucketStorage):
    await storage.write("1/a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g/>" * 2000 + b"</svg>")
    status, _, headers = await ask(server, "1/a.svg", ANNA)
    assert (status, headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
    assert headers["Content-Encoding"] == "gzip"
    assert "script-src 'none'" in headers["Content-Security-Policy"]


async def test_a_missing_thumbnail_falls_back_to_the_file(server: NginxServer, storage: BucketStorage):
    await storage.write(FILE, PHOTO)
    await storage.write("42/121/žluť 100%.jpg", PHOTO)
    await storage.write("42/121/image_2.jpg", PHOTO)
    await storage.write(thumbnail_path("42/121/image_2.jpg"), b"small")
    expected = {
        FILE: (200, PHOTO),
        "42/121/image_2.jpg": (200, b"small"),
        "42/121/žluť 100%25.jpg": (200, PHOTO),
        "42/121/image_3.jpg": (404, None),
    }
    for path, (status, content) in expected.items():
        found, body, _ = await ask(server, thumbnail_path(path), ANNA)
        assert (found, body if status == 200 else None) == (status, content), path


@pytest.mark.parametrize("headers", [{}, {"Cookie": "pastelka_session=eve"}])
async def test_an_unauthenticated_request_reveals_nothing(
    server: NginxServer, storage: BucketStorage, api: SigningApi, headers: Headers
):
    await storage.write(FILE, PHOTO)
    assert (await ask(server, FILE, ANNA))[0] == 200
    signed = len(api.signings)
    for path in (FILE, thumbnail_path(FILE), "42/121/absent.jpg", "42/121/"):
        status, body, _ = await ask(server, path, headers)
        assert (status, b'"code":"sign_in_required"' in body) == (401, True)
    assert len(api.signings) == signed


async def test_a_signed_url_is_requested_once_per_file(
    server: NginxServer, storage: BucketStorage, api: SigningApi
):
    await storage.write(FILE, PHOTO)
    await storage.write("42/121/image_2.jpg", b"another")
    for _ in range(10):
        assert (await ask(server, FILE, ANNA))[:2] == (200, PHOTO)
        assert (await ask(server, "42/121/image_2.jpg", ANNA))[:2] == (200, b"another")
    assert len(api.signings) == 2
    await storage.erase("42", [])
    assert (await ask(server, FILE, ANNA))[0] == 404


@pytest.mark.parametrize(
    "path", ["42/121/.image_1.jpg.run", "42/%0d%0aX-Evil:1.jpg", "42/a%0ab.jpg", "42/121/", "", "../x.jpg"]
)
async def test_a_path_that_is_not_a_file_is_not_served(server: NginxServer, api: SigningApi, path: str):
    status, _, headers = await ask(server, path, ANNA)
    assert status == 404
    assert "immutable" not in headers.get("Cache-Control", "")
    assert not [request for request in api.signings if "X-Evil" in request.headers]


async def test_headers_and_query_of_the_client_do_not_reach_the_bucket(
    server: NginxServer, storage: BucketStorage
):
    await storage.write(FILE, PHOTO)
    # With a credential beside the signature the bucket would refuse both.
    headers = {**ANNA, "Authorization": "AWS4-HMAC-SHA256 Credential=x", "X-Amz-Content-Sha256": "x"}
    assert (await ask(server, FILE, headers))[:2] == (200, PHOTO)
    assert (await ask(server, f"{FILE}?X-Amz-Signature=0&versionId=1", ANNA))[:2] == (200, PHOTO)


async def test_a_rejection_by_the_bucket_is_503_and_not_404(
    server: NginxServer, storage: BucketStorage, api: SigningApi
):
    await storage.write(FILE, PHOTO)
    api.storage = BucketStorage(
        parse_bucket_url(StorageSettings().model_copy(update={"aws_region": "eu-north-1"}))
    )
    await _is_away(server, FILE)
    await _is_away(server, thumbnail_path(FILE))


async def _is_away(server: NginxServer, path: str) -> None:
    status, body, headers = await ask(server, path, ANNA)
    assert (status, b'"code":"api_unavailable"' in body) == (503, True)
    assert headers["Content-Type"] == "application/problem+json"
    assert b"Amz" not in body
    assert b"<Code>" not in body


async def test_an_unsatisfiable_range_is_416(server: NginxServer, storage: BucketStorage):
    await storage.write(FILE, PHOTO)
    status, body, _ = await ask(server, FILE, {**ANNA, "Range": "bytes=100-"})
    assert status == 416
    assert b"<Code>" not in body


async def test_files_are_503_while_the_bucket_is_unavailable(
    nginx_server: StartNginx, api: SigningApi, storage: BucketStorage
):
    where = f"127.0.0.1:{free_port()}"
    settings = {"FILES_IN": "bucket", "BUCKET_HOST": where, "BUCKET_SERVER": where}
    async with serving(api.answer) as origin:
        server = await nginx_server(api_url=origin, settings=settings)
        await _is_away(server, FILE)
        await _is_away(server, thumbnail_path(FILE))


async def test_a_changed_address_of_the_store_is_resolved_again(
    nginx_server: StartNginx, api: SigningApi, storage: BucketStorage, bucket_server: BucketServer
):
    await storage.write(FILE, PHOTO)
    async with serving(api.answer) as origin, fake_dns("127.0.0.9") as dns:
        server = await nginx_server(
            api_url=origin,
            settings={
                "FILES_IN": "bucket",
                "BUCKET_HOST": f"127.0.0.1:{bucket_server.port}",
                "BUCKET_SERVER": f"store.test:{bucket_server.port}",
                "BUCKET_RESOLVER": f"resolver 127.0.0.1:{dns.port};",
                "BUCKET_LOOKUP": "resolve",
            },
        )
        await until(lambda: dns.asked > 0, 20)
        await _is_away(server, FILE)
        dns.address = "127.0.0.1"

        async def is_found() -> bool:
            return (await ask(server, FILE, ANNA))[0] == 200

        await until(is_found, 20)
        assert (await ask(server, FILE, ANNA))[:2] == (200, PHOTO)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate that store.test made for itself, and its key."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl to make a certificate with")
    made, key = tmp_path / "store.pem", tmp_path / "store.key"
    command = [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    names = ["-subj", "/CN=store.test", "-addext", "subjectAltName=DNS:store.test", "-days", "2"]
    subprocess.run([*command, *names, "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key


@asynccontextmanager
async def _tls_store(certificate: tuple[Path, Path]) -> AsyncIterator[int]:
    """A store behind TLS that has one file; its port."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=PHOTO, content_type="image/jpeg")

    app = web.Application(middlewares=[Wire().middleware])
    app.router.add_route("*", "/{path:.*}", answer)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    runner, port = web.AppRunner(app), free_port()
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
        yield port
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("name", "trusts", "status"),
    [("store.test", True, 200), ("other.test", True, 503), ("store.test", False, 503)],
)
async def test_the_certificate_of_the_store_is_verified(
    nginx_server: StartNginx,
    api: SigningApi,
    certificate: tuple[Path, Path],
    name: str,
    trusts: bool,
    status: int,
):
    async with serving(api.answer) as origin, _tls_store(certificate) as port:
        derived = files_in_bucket(f"https://{name}:{port}")
        if trusts:
            derived["BUCKET_TLS"] = f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {certificate[0]};"
        settings = {**derived, "BUCKET_SERVER": f"127.0.0.1:{port}"}
        server = await nginx_server(api_url=origin, settings=settings)
        assert (await ask(server, FILE, ANNA))[0] == status
