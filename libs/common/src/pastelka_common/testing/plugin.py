"""Pytest fixtures with real servers, available to every member without imports.

Each server is started by the first test that uses it, is shared by the session, and stops with it (by the
kernel, if pytest is killed). Fault tests run their own with :func:`pastelka_common.servers.running`.

The markers ``server``, ``browser`` and ``faults`` say what a test needs. They are derived from its fixtures
and folder; a test that starts a server without such a fixture needs an explicit marker, and fails without.
``slow`` marks what ``make check`` leaves to ``make test`` although it needs none of them.
"""

import gc
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
import structlog

if TYPE_CHECKING:
    from pastelka_common.servers import BucketServer, MercureServer, NatsServer, NginxServer, PostgresServer
    from pastelka_common.testing.places import Place

_NO_BUCKET = "no S3-compatible server: it is built by Go, or VERSITYGW_BIN names one"

_WIRE_SEED = "PASTELKA_WIRE_SEED"

StartNginx = Callable[..., Awaitable["NginxServer"]]
"""``await nginx_server(storage=..., page=..., api_url=..., hub_url=..., settings=...)``; all are optional."""


_SERVERS_FORBIDDEN_BY = "PASTELKA_SERVERS_FORBIDDEN_BY"
"""Read by :class:`pastelka_common.servers.ServerProcess`, in this process and those that a test starts."""

_SERVERS = frozenset(
    {
        *("nats_server", "postgres_server", "mercure_hub", "bucket_server", "nginx_server"),
        *("broker", "system"),  # of the members' own conftest.py
    }
)
_FOLDERS = {"faults": {"faults"}, "k8s": {"server"}, "local": {"slow"}, "chart": {"slow"}}
_MARKERS: Mapping[str, str] = {
    "server": "needs real servers (PostgreSQL, nats-server, the hub, nginx, an S3-compatible server)",
    "browser": "needs a Chromium",
    "faults": "breaks a whole running system",
    "slow": "draws pages, composes books, renders the chart or waits: seconds without a server",
}


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers; choose the seed of :mod:`pastelka_common.testing.wire` for all processes."""
    for name, meaning in _MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    os.environ.setdefault(_WIRE_SEED, str(secrets.randbits(32)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Pause the garbage collector while tests are collected, and exempt what this creates from it.

    The imported modules are millions of objects that live as long as the process: the collector's passes over
    them take twice as long as the rest of the collection of tests.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Add markers to each test, before ``-m`` selects."""
    for item in items:
        needed = _needs(frozenset(getattr(item, "fixturenames", ())), item.path.parent.name)
        for name in sorted(needed):
            item.add_marker(name)


def _needs(fixtures: frozenset[str], folder: str) -> set[str]:
    needed = {"browser", "server"} if "chromium" in fixtures else set()
    if fixtures & _SERVERS:
        needed.add("server")
    return needed | _FOLDERS.get(folder, set())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Forbid servers to a test without the marker; restore the logging configuration."""
    # A command that a test runs in-process would otherwise reconfigure logging permanently.
    log = structlog.get_config()
    if item.get_closest_marker("server") is None:
        os.environ[_SERVERS_FORBIDDEN_BY] = item.nodeid
    try:
        return (yield)
    finally:
        os.environ.pop(_SERVERS_FORBIDDEN_BY, None)
        structlog.configure(**log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the seed of the fakes' splits to the report of a failure."""
    report = yield
    if report.failed:
        line = f"{_WIRE_SEED}={os.environ[_WIRE_SEED]} splits the responses of the fakes at the same places"
        report.sections.append(("fakes", line))
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nats_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator["NatsServer"]:
    """A nats-server with JetStream, shared by the session: use unique names."""
    from pastelka_common.servers import NatsServer, running  # noqa: PLC0415 - runs without need cost nothing

    server = NatsServer(folder=tmp_path_factory.mktemp("nats"), sync_always=False)
    async with running(server):
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator["PostgresServer"]:
    """A PostgreSQL cluster, shared by the session; ``database_url`` creates a separate database."""
    from pastelka_common.servers import PostgresServer, running  # noqa: PLC0415

    server = PostgresServer(folder=tmp_path_factory.mktemp("postgres"), durable=False)
    async with running(server):
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(postgres_server: "PostgresServer") -> AsyncIterator[str]:
    """``postgresql://`` URL of a new, empty database, dropped after the test."""
    import asyncpg  # noqa: PLC0415 - only tests with a database need it

    name = f"test_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(postgres_server.url_of("postgres"))
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 STRATEGY wal_log')
        yield postgres_server.url_of(name)
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mercure_hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator["MercureServer"]:
    """A Mercure hub with random keys, shared by the session: use unique topics."""
    from pastelka_common.servers import MercureServer, running  # noqa: PLC0415

    hub = MercureServer(folder=tmp_path_factory.mktemp("mercure"))
    async with running(hub, deadline=600):
        yield hub


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bucket_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator["BucketServer"]:
    """An S3-compatible server, shared by the session: use a unique prefix."""
    from pastelka_common.servers import BucketServer, running  # noqa: PLC0415
    from pastelka_common.servers.bucket import is_available  # noqa: PLC0415

    if not is_available():
        pytest.skip(_NO_BUCKET)
    server = BucketServer(folder=tmp_path_factory.mktemp("s3"))
    async with running(server, deadline=600):
        yield server


@pytest_asyncio.fixture(
    params=["folder", pytest.param("bucket", marks=pytest.mark.server)], loop_scope="session"
)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator["Place"]:
    """A separate storage that can become unavailable; parametrized over folder and bucket."""
    from pastelka_common.servers.bucket import is_available  # noqa: PLC0415
    from pastelka_common.testing.places import bucket_place, folder_place  # noqa: PLC0415

    if request.param == "bucket" and not is_available():
        pytest.skip(_NO_BUCKET)
    async with bucket_place(tmp_path) if request.param == "bucket" else folder_place(tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def nginx_server(tmp_path: Path) -> AsyncIterator[StartNginx]:
    """Starts nginx instances in front of the given upstreams."""
    from pastelka_common.servers import NginxServer, running  # noqa: PLC0415

    async with AsyncExitStack() as stack:

        async def start(
            *,
            storage: Path | None = None,
            page: Path | None = None,
            api_url: str = "http://127.0.0.1:9",
            hub_url: str = "http://127.0.0.1:9",
            settings: Mapping[str, str] | None = None,
        ) -> NginxServer:
            folder = tmp_path / f"nginx-{secrets.token_hex(4)}"
            server = NginxServer(
                folder=folder,
                storage=storage or tmp_path / "storage",
                page=page or tmp_path / "page",
                api_url=api_url,
                hub_url=hub_url,
                settings=settings or {},
            )
            await stack.enter_async_context(running(server))
            return server

        yield start
