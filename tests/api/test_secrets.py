"""No log, message, response or trace of any service contains a secret, whatever fails."""

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from pastelka_common.contracts.messages import ColoringJob, Message, OrderChanged, SvgJob, now
from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.topology import ensure_streams
from pastelka_common.servers import NatsServer, PostgresServer, running
from pastelka_common.testing.wire import Wire
from pastelka_local.testing.services import Service
from pastelka_orders import migrations_runner
from tests.api.seed import picture

MARK = "hunter2"
MODULES = {
    "api": "pastelka_orders.entrypoints.api",
    "worker": "pastelka_orders.entrypoints.worker",
    "coloring": "pastelka_coloring",
    "vectorize": "pastelka_vectorize",
    "notifier": "pastelka_notifier",
}
_TIMEOUT_SECONDS = 90.0


def secret(name: str) -> str:
    return f"{MARK}-{name}-0123456789abcdef"


class Echo:
    """Stands for every provider: rejects each request and quotes it. Also collects traces."""

    def __init__(self) -> None:
        self.spans = b""
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.path == "/v1/traces":
            self.spans += body
            return web.Response()
        quoted = "; ".join(f"{name}: {value}" for name, value in request.headers.items())
        status = 400 if request.path == "/hub" else 401
        return web.json_response({"error": {"message": quoted}, "errors": quoted}, status=status)


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    found = Echo()
    app = web.Application(middlewares=[Wire().middleware])
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def nats_url(tmp_path: Path) -> AsyncIterator[str]:
    """A broker whose password is one of the secrets."""
    server = NatsServer(folder=tmp_path / "nats", sync_always=False, password=secret("nats"))
    async with running(server):
        yield server.url


@pytest.fixture
def settings(echo: Echo, nats_url: str, tmp_path: Path) -> dict[str, str]:
    """Every secret setting; the test sets the database URL."""
    return {
        "LOG_LEVEL": "DEBUG",
        "NATS_URL": nats_url,
        "STORAGE_PATH": str(tmp_path / "images"),
        "MERCURE_URL": f"{echo.url}/hub",
        "MERCURE_PUBLISHER_JWT_KEY": secret("publisher"),
        "MERCURE_SUBSCRIBER_JWT_KEY": secret("subscriber"),
        "COLORING_PROVIDER": "runpod",
        "RUNPOD_API_KEY": secret("runpod"),
        "RUNPOD_ENDPOINT_ID": "endpoint",
        "RUNPOD_BASE_URL": echo.url,
        "VECTORIZE_PROVIDER": "vectorizer",
        "VECTORIZER_API_KEY": secret("vectorizer-key"),
        "VECTORIZER_API_SECRET": secret("vectorizer"),
        "VECTORIZER_BASE_URL": echo.url,
        "SHOPIFY_STORE_URL": echo.url,
        "SHOPIFY_ACCESS_TOKEN": secret("shopify"),
        "SHOPIFY_WEBHOOK_SECRET": secret("webhook"),
        "PROXY_1_HOST": "127.0.0.1",
        "PROXY_1_PORT": echo.url.rpartition(":")[2],
        "PROXY_1_USERNAME": secret("proxy-user"),
        "PROXY_1_PASSWORD": secret("proxy"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": echo.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={secret('otlp')}",
    }


def forms() -> Iterator[bytes]:
    """A secret verbatim and in HTTP basic authentication."""
    yield MARK.encode()
    for shift in range(3):
        yield base64.b64encode(b"\0" * shift + MARK.encode())[4 if shift else 0 : -4]


def assert_silent(what: str, content: bytes) -> None:
    assert content, f"{what} is empty"
    for form in forms():
        place = content.find(form)
        assert place < 0, f"{what} holds a secret: {content[max(place - 300, 0) : place + 100]!r}"


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            while not condition():  # noqa: ASYNC110 - files and other processes have no event
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not within {_TIMEOUT_SECONDS:g} s: {what}") from None


@asynccontextmanager
async def started(name: str, settings: dict[str, str], folder: Path) -> AsyncIterator[Service]:
    service = Service(name, MODULES[name], settings, folder)
    await service.spawn()
    try:
        yield service
    finally:
        await service.stop()


async def _answers(url: str) -> bytes:
    """The first response of an endpoint, whatever its status."""
    async with aiohttp.ClientSession() as http:
        for _ in range(int(_TIMEOUT_SECONDS * 10)):
            try:
                async with http.get(url) as response:
                    return await response.read()
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


@pytest.mark.server
@pytest.mark.timeout(400)
@pytest.mark.parametrize("fault", ["wrong password", "refused"])
async def test_a_database_login_failure_reveals_no_secret(
    fault: str, settings: dict[str, str], postgres_server: PostgresServer, tmp_path: Path, echo: Echo
) -> None:
    port = postgres_server.port if fault == "wrong password" else 9
    settings["DATABASE_URL"] = f"postgresql+asyncpg://postgres:{secret('database')}@127.0.0.1:{port}/none"
    async with started("api", settings, tmp_path) as api, started("worker", settings, tmp_path) as worker:
        said = [await _answers(f"{api.url}/{path}") for path in ("readyz", "api/v1/orders", "api/v1/system")]
        async with aiohttp.ClientSession() as http, http.delete(f"{api.url}/api/v1/orders/1") as response:
            said.append(await response.read())
            assert response.status == 503
        await until(lambda: len(worker.tail()) > 0, "the worker logs something")
    for content in (*said, api.log.read_bytes(), worker.log.read_bytes()):
        assert_silent("an answer or a log", content)
    assert_silent("the spans", echo.spans)


SYNC = {"shopify_id": 73, "order_number": "1"}


@pytest.mark.server
@pytest.mark.timeout(400)
async def test_provider_errors_that_quote_the_request_reveal_no_secret(
    settings: dict[str, str], postgres_server: PostgresServer, tmp_path: Path, echo: Echo, database_url: str
) -> None:
    url = database_url.replace("postgresql://", "postgresql+asyncpg://")
    await migrations_runner.upgrade(url)
    sql = await asyncpg.connect(database_url)
    await sql.execute("INSERT INTO shop_jobs (key, payload) VALUES ('sync.73', $1)", json.dumps(SYNC))
    await sql.close()
    # The real password of this database is a secret, too.
    settings["DATABASE_URL"] = url
    for kind, name in (("JPEG", "photo.jpg"), ("PNG", "page.png")):
        file = tmp_path / "images" / "1" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(kind, 1))
    common: dict[str, Any] = {"run": 1, "order_number": "1", "image_id": 1, "asked_at": now()}
    jobs: list[Message] = [
        ColoringJob(
            version_id=71, source="1/photo.jpg", target="1/c.png", options=ColoringOptions(), **common
        ),
        SvgJob(version_id=72, source="1/page.png", target="1/s.svg", options=SvgOptions(), **common),
        OrderChanged(order_number="1"),
    ]
    heard: dict[str, bytes] = {}
    names = ("worker", "coloring", "vectorize", "notifier")
    async with connected(settings["NATS_URL"], name="listener") as nc:
        await ensure_streams(nc)

        async def hear(message: Any) -> None:
            heard[message.subject] = heard.get(message.subject, b"") + message.data

        await nc.subscribe("dead.>", cb=hear)
        await nc.subscribe("status.>", cb=hear)
        services = [Service(name, MODULES[name], settings, tmp_path) for name in names]
        try:
            for service in services:
                await service.spawn()
            for job in jobs:
                await Publisher(nc).publish(job)
            for subject in ("dead.jobs.coloring.71", "dead.jobs.svg.72", "dead.sync.73"):
                await until(lambda subject=subject: subject in heard, f"{subject}; heard {sorted(heard)}")
            await until(lambda: "400" in services[3].tail(), "the hub's refusal in the notifier's log")
            said = [await _answers(f"{service.url}/readyz") for service in services]
        finally:
            for service in services:
                await service.stop()
    for content in (*heard.values(), *said, *(service.log.read_bytes() for service in services)):
        assert_silent("a message, an answer or a log", content)
        assert postgres_server.password.encode() not in content
        assert b"Bearer ey" not in content
    assert_silent("the spans", echo.spans)


@pytest.mark.server
@pytest.mark.parametrize("name", sorted(MODULES))
def test_malformed_settings_are_named_without_their_values(name: str, settings: dict[str, str]) -> None:
    wrong = {
        "DATABASE_URL": f"mysql://user:{secret('database')}@host/db",
        "PROXY_1_PORT": secret("port"),
        "SHOPIFY_STORE_URL": f"https://user:{secret('store')}@shop",
        "LOG_LEVEL": secret("level"),
        "MERCURE_URL": f"ftp://user:{secret('hub')}@host",
    }
    env = {"PATH": "/usr/bin:/bin", **settings, **wrong}
    ended = subprocess.run(
        [sys.executable, "-m", MODULES[name]], env=env, capture_output=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert b"LOG_LEVEL" in ended.stderr
    assert_silent("what it prints", ended.stdout + ended.stderr)


@pytest.mark.server
@pytest.mark.parametrize("name", sorted(MODULES))
def test_repr_of_settings_hides_secrets(name: str, settings: dict[str, str]) -> None:
    package, kind = {
        "coloring": ("pastelka_coloring", "ColoringSettings"),
        "vectorize": ("pastelka_vectorize", "VectorizeSettings"),
        "notifier": ("pastelka_notifier", "NotifierSettings"),
    }.get(name, ("pastelka_orders", "OrdersSettings"))
    code = f"from {package}.settings import {kind} as S; s = S.load(); print(repr(s), s, s.model_dump_json)"
    env = {
        "PATH": "/usr/bin:/bin",
        **settings,
        "DATABASE_URL": f"postgresql+asyncpg://user:{secret('database')}@host/db",
    }
    ended = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, timeout=60, check=True)
    assert b"log_level" in ended.stdout
    assert_silent("the printout", ended.stdout + ended.stderr)


def test_the_secret_search_finds_each_form() -> None:
    for content in (secret("x"), json.dumps({"a": secret("x")})):
        with pytest.raises(AssertionError, match="holds a secret"):
            assert_silent("it", content.encode())
    for user in ("k", "ke", "key"):
        basic = base64.b64encode(f"{user}:{secret('x')}".encode())
        with pytest.raises(AssertionError, match="holds a secret"):
            assert_silent("it", basic)
