"""A migrated database for each test, and the API over it."""

import secrets
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from nats.aio.client import Client
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from pastelka_common.servers import BucketServer, NatsServer, PostgresServer, ServerProcess, running
from pastelka_common.storage import FolderStorage, Storage, StorageSettings
from pastelka_common.storage.bucket import BucketStorage
from pastelka_orders import migrations_runner
from pastelka_orders.access import passwords
from pastelka_orders.database import Database, is_connection_held
from pastelka_orders.photos import intake
from pastelka_orders.photos.decoders import Decoders
from pastelka_orders.photos.photo_limits import DecoderBounds, PhotoLimits
from pastelka_orders.settings import OrdersSettings
from services.orders.tests.api_client import SUBSCRIBER_KEY, Api, serving
from services.orders.tests.people import CHEAP_HASHER, People
from services.orders.tests.played_worker import PlayedWorker


@pytest.fixture(scope="session", autouse=True)
def traced() -> None:
    """Spans with ids, as in every process of the product."""
    trace.set_tracer_provider(TracerProvider())


@pytest.fixture(scope="session")
def calls_with_a_connection() -> Iterator[list[str]]:
    """Calls of storage, broker or HTTP made while a database connection is held."""
    found: list[str] = []

    def watched(owner: type, name: str) -> Callable[..., Any]:
        real = getattr(owner, name)

        @wraps(real)
        def call(*given: Any, **options: Any) -> Any:
            if is_connection_held():
                found.append(f"{owner.__name__}.{name}: " + "".join(traceback.format_stack(limit=8)))
            return real(*given, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for storage in (FolderStorage, BucketStorage):
            for name in (name for name in vars(Storage) if not name.startswith("_")):
                patch.setattr(storage, name, watched(storage, name))
        for owner, name in ((Client, "publish"), (Client, "request"), (aiohttp.ClientSession, "_request")):
            patch.setattr(owner, name, watched(owner, name))
        yield found


@pytest.fixture(autouse=True)
def no_call_holds_a_connection(calls_with_a_connection: list[str]) -> Iterator[None]:
    """Fail a test in which code calls storage, broker or HTTP while it holds a database connection."""
    calls_with_a_connection.clear()
    yield
    assert not calls_with_a_connection, calls_with_a_connection[0]


@pytest.fixture(scope="session", autouse=True)
def shared_decoders() -> Iterator[None]:
    """Keep decoder processes between tests: starting one takes longer than most tests."""
    kept: dict[str, SharedDecoders] = {}

    def decoders(limits: PhotoLimits, bounds: DecoderBounds) -> SharedDecoders:
        return kept.setdefault(repr((limits, bounds)), SharedDecoders(limits, bounds))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "Decoders", decoders)
        yield
    for each in kept.values():
        each.end()


class SharedDecoders(Decoders):
    """Decoders that outlive the service that closes them."""

    def close(self) -> None:
        """Keep the processes for the next test."""

    def end(self) -> None:
        """End the processes."""
        super().close()


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords with the cheapest parameters; no test of signing in depends on them."""
    monkeypatch.setattr(passwords, "PasswordHasher", lambda: CHEAP_HASHER)


@pytest_asyncio.fixture(loop_scope="session")
async def broker(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A nats-server for one test, which may kill it or count its messages."""
    async with running(NatsServer(folder=tmp_path / "nats", sync_always=False)) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_template(postgres_server: PostgresServer) -> str:
    """Name of a database that the migrations built; each test gets a copy of it."""
    name = f"template_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(postgres_server.url_of("postgres"))
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 STRATEGY wal_log')
    finally:
        await admin.close()
    await migrations_runner.upgrade(asyncpg_url(postgres_server, name))
    return name


def asyncpg_url(server: PostgresServer, name: str) -> str:
    """SQLAlchemy URL of a database."""
    return server.url_of(name).replace("postgresql://", "postgresql+asyncpg://", 1)


@pytest_asyncio.fixture(loop_scope="session")
async def orders_url(postgres_server: PostgresServer, migrated_template: str) -> AsyncIterator[str]:
    """SQLAlchemy URL of a database for one test, at the latest migration."""
    name = f"orders_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(postgres_server.url_of("postgres"))
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated_template}" STRATEGY file_copy')
        yield asyncpg_url(postgres_server, name)
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


@pytest_asyncio.fixture(loop_scope="session")
async def database(orders_url: str) -> AsyncIterator[Database]:
    """The service's connection pool."""
    found = Database(orders_url, timezone="Europe/Prague")
    yield found
    await found.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def sql(orders_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A separate connection to the database."""
    connection = await asyncpg.connect(orders_url.replace("+asyncpg", "", 1))
    yield connection
    await connection.close()


@pytest.fixture
def settings(orders_url: str, tmp_path: Path) -> OrdersSettings:
    """Settings of the API under test."""
    return OrdersSettings.model_validate(
        {
            "database_url": orders_url,
            "storage_path": tmp_path / "images",
            "mercure_subscriber_jwt_key": SUBSCRIBER_KEY,
            "order_max_photos": 20,
            "photo_max_bytes": 2_000_000,
            "photo_max_pixels": 4_000_000,
        }
    )


@pytest.fixture
def in_bucket(
    settings: OrdersSettings, bucket_server: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> OrdersSettings:
    """The same settings with the files in a bucket; commands read them from the environment."""
    for name, value in bucket_server.settings(f"a shop/{uuid4().hex}").items():
        monkeypatch.setenv(name, value)
    bucket = StorageSettings.load()
    names = ("storage_url", "aws_endpoint_url", "aws_access_key_id", "aws_secret_access_key")
    return settings.model_copy(update={name: getattr(bucket, name) for name in names})


@pytest_asyncio.fixture(loop_scope="session")
async def api(settings: OrdersSettings) -> AsyncIterator[Api]:
    """The application over a real database, called in process."""
    async with serving(settings) as found:
        yield found


@pytest.fixture(name="serving")
def serving_fixture() -> Any:
    """``async with serving(settings, peer="203.0.113.9") as api``."""
    return serving


@pytest_asyncio.fixture(loop_scope="session")
async def locked_api(settings: OrdersSettings) -> AsyncIterator[Api]:
    """The application with ``AUTH_MODE=password``."""
    async with serving(settings.model_copy(update={"auth_mode": "password"})) as found:
        yield found


@pytest.fixture
def people(database: Database) -> People:
    """Makes users, sessions and tokens."""
    return People(database)


@pytest.fixture
def worker(database: Database) -> PlayedWorker:
    """Plays the coloring and vectorize services."""
    return PlayedWorker(database)
