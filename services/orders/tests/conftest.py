"""A migrated database for each test, and the API over it."""

import asyncio
import json
import secrets
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import aiohttp
import asyncpg
import httpx
import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from fastapi import FastAPI
from nats.aio.client import Client
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import ColoringFact, Failure, SvgFact, now
from pastelka_common.messaging.attempts import RetryPolicy
from pastelka_common.servers import BucketServer, NatsServer, PostgresServer, ServerProcess, running
from pastelka_common.storage import FolderStorage, Storage, StorageSettings
from pastelka_common.storage.bucket import BucketStorage
from pastelka_orders import migrations_runner
from pastelka_orders.access import passwords, secret
from pastelka_orders.access.passwords import Passwords
from pastelka_orders.access.principal import Role, Scope
from pastelka_orders.api.app import create_app
from pastelka_orders.database import Database, is_connection_held
from pastelka_orders.handlers.create_versions import target_of
from pastelka_orders.handlers.facts import Received, apply_facts
from pastelka_orders.photos import intake
from pastelka_orders.photos.decoders import Decoders
from pastelka_orders.photos.photo_limits import DecoderBounds, PhotoLimits
from pastelka_orders.repository import accounts, api_tokens, claims, sessions, versions
from pastelka_orders.repository.claims import Claim, JobTable
from pastelka_orders.repository.sessions import SessionLife
from pastelka_orders.row_jobs import JobKind, JobRunner
from pastelka_orders.settings import OrdersSettings

PASSWORD = "a long enough password"
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SUBSCRIBER_KEY = "a-subscriber-key-of-at-least-32-bytes!"


@pytest.fixture(scope="session", autouse=True)
def traced() -> None:
    """Spans with ids, as every process of ours makes them."""
    trace.set_tracer_provider(TracerProvider())


@pytest.fixture(scope="session")
def calls_with_a_connection() -> Iterator[list[str]]:
    """Calls of storage, broker or HTTP by code that holds a database connection meanwhile."""
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
    """Fail a test that waits for anything slow while it holds a database connection."""
    calls_with_a_connection.clear()
    yield
    assert not calls_with_a_connection, calls_with_a_connection[0]


@pytest.fixture(scope="session", autouse=True)
def shared_decoders() -> Iterator[None]:
    """Decoder processes stay from test to test: to start one takes longer than most tests."""
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
    """Hash passwords in no time: a test of signing in is not one of how long a password takes to guess."""
    monkeypatch.setattr(passwords, "PasswordHasher", lambda: CHEAP_HASHER)


class Result(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Awaitable[Result]]


@pytest_asyncio.fixture(loop_scope="session")
async def broker(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A nats-server of this test's own: one that is counted in, killed, or starts empty."""
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
    """SQLAlchemy URL of a database of one's own at head."""
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
    """The service's own way to the database."""
    found = Database(orders_url, timezone="Europe/Prague")
    yield found
    await found.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def sql(orders_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Another way to the database, to look at what is in it."""
    connection = await asyncpg.connect(orders_url.replace("+asyncpg", "", 1))
    yield connection
    await connection.close()


@dataclass(frozen=True)
class Api:
    """The API with its storage folder."""

    http: httpx.AsyncClient
    storage: Path
    app: FastAPI

    async def get(self, path: str, *, status: int = 200) -> Any:
        """GET; returns the document."""
        return await self._document(await self.http.get(path), status)

    async def post(self, path: str, body: Any = None, *, status: int = 202) -> Any:
        """POST; returns the document."""
        content = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        return await self._document(await self.http.post(path, content=content, headers=headers), status)

    async def order(self, photos: int = 1, **fields: str) -> Any:
        """Make an order by hand of so many photos."""
        return await self.upload([(f"{n}.jpg", jpeg(n)) for n in range(1, photos + 1)], **fields)

    async def upload(self, files: list[tuple[str, bytes]], *, status: int = 201, **fields: str) -> Any:
        """POST an order with these files."""
        sent = [("photos", (name, content, "application/octet-stream")) for name, content in files]
        return await self._document(await self.http.post("/orders", files=sent, data=fields), status)

    @property
    def stored(self) -> Storage:
        """The storage itself, be it a folder or a bucket."""
        found: Storage = self.app.state.services.storage
        return found

    def files(self) -> list[str]:
        """All files in the storage's folder, relative to its root."""
        return sorted(p.relative_to(self.storage).as_posix() for p in self.storage.rglob("*") if p.is_file())

    @staticmethod
    async def _document(response: httpx.Response, status: int) -> Any:
        assert response.status_code == status, response.text
        if status >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            problem = response.json()
            assert problem["status"] == status
            assert problem["type"] == f"urn:pastelka:{problem['code']}"
            assert problem["detail"]
        return response.json() if response.content else None


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
    """The same, with the files in a bucket; commands find it in their environment."""
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


@asynccontextmanager
async def serving(settings: OrdersSettings, *, peer: str = "127.0.0.1") -> AsyncIterator[Api]:
    """The application with other settings, called in process as if from the address ``peer``."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(peer, 50_000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as http,
    ):
        yield Api(http, settings.storage_path, app)


@pytest_asyncio.fixture(loop_scope="session")
async def locked_api(settings: OrdersSettings) -> AsyncIterator[Api]:
    """The application that asks who one is: ``AUTH_MODE`` is ``password``."""
    async with serving(settings.model_copy(update={"auth_mode": "password"})) as found:
        yield found


class People:
    """Those who may use the API: what they send with a request is the headers that are returned."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._passwords = Passwords(CHEAP_HASHER)

    async def user(self, name: str, role: Role, password: str = PASSWORD) -> None:
        """Add a user."""
        hashed = await self._passwords.hash_password(password)
        assert await self._database.write(lambda c: accounts.add(c, name, role, hashed))

    async def signed_in(
        self, role: Role, name: str | None = None, *, idle: timedelta = timedelta(hours=1)
    ) -> dict[str, str]:
        """Add a user (called as the role is) and begin a session; the header with its cookie."""
        await self.user(name or role, role)
        return await self.session(name or role, idle=idle)

    async def session(self, name: str, *, idle: timedelta = timedelta(hours=1)) -> dict[str, str]:
        """Begin a session of a user; the header with its cookie."""
        cookie = secret.new_session_secret()

        async def begin(connection: AsyncConnection) -> None:
            account = await accounts.find(connection, name)
            assert account is not None
            life = SessionLife(idle, timedelta(days=7))
            await sessions.add(connection, secret.hash_secret(cookie), account.id, life)

        await self._database.write(begin)
        return {"Cookie": f"pastelka_session={cookie}"}

    async def token(
        self, scope: Scope, name: str | None = None, *, life: timedelta = timedelta(hours=1)
    ) -> dict[str, str]:
        """Make a token (called as its scope is); the header with it."""
        token = secret.new_token()
        hashed = secret.hash_secret(token)
        assert await self._database.write(lambda c: api_tokens.add(c, name or scope, scope, hashed, life))
        return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def people(database: Database) -> People:
    """Makes users, sessions and tokens."""
    return People(database)


def first_path(kind: str, version_id: int) -> str:
    """The target of image ``version_id`` of the first order's first line item."""
    return f"1/1/{kind}/v1/image_{version_id}.{'png' if kind == 'coloring' else 'svg'}"


class PlayedWorker:
    """A worker whose facts a test makes up."""

    happy = (
        "processing",
        "runpod_submitting",
        "runpod_submitted",
        "runpod_queued",
        "runpod_processing",
        "completed",
    )

    def __init__(self, database: Database) -> None:
        self._database = database

    def fact(
        self, kind: str, version_id: int, status: str, *, run: int = 1, attempt: int = 1, step: int = 1
    ) -> Received:
        """One fact; ``completed`` comes with the path of an image's first version, ``error`` with a reason.

        :meth:`tell` puts in the path of the version as it is.
        """
        values: dict[str, Any] = {
            "version_id": version_id,
            "run": run,
            "attempt": attempt,
            "step": step,
            "at": now(),
            "status": status,
            "path": first_path(kind, version_id) if status == "completed" else None,
            "failure": Failure(code="provider_failed", message="It failed.") if status == "error" else None,
        }
        model = ColoringFact if kind == "coloring" else SvgFact
        return Received(model.model_validate(values), {})

    async def tell(self, *facts: Received) -> int:
        """Let orders apply facts in one batch; returns the number of changes."""

        async def apply(connection: AsyncConnection) -> int:
            return await apply_facts(connection, [await self._with_path(connection, one) for one in facts])

        return await self._database.write(apply)

    @staticmethod
    async def _with_path(connection: AsyncConnection, received: Received) -> Received:
        fact = received.fact
        if fact.path != first_path(fact.kind, fact.version_id):
            return received
        targets = [target_of(v) for v in await versions.lock(connection, fact.kind, [fact.version_id])]
        return Received(fact.model_copy(update={"path": (targets or [fact.path])[0]}), received.headers)

    async def end(self, kind: str, version_id: int, status: str = "completed", *, run: int = 1) -> None:
        """Let a version be processed, and completed or failed."""
        await self.tell(
            self.fact(kind, version_id, "processing", run=run, step=1),
            self.fact(kind, version_id, status, run=run, step=2),
        )


async def claimed(database: Database, table: JobTable, key: Any) -> Claim:
    """A row's claim, as the worker takes it."""
    found = await database.write(lambda c: claims.claim_due(c, table, free=1000, lease=30))
    return next(claim for claim in found if claim.key == key)


async def attempt_due(database: Database, kind: JobKind, retries: RetryPolicy = RetryPolicy()) -> None:  # noqa: B008
    """One attempt at each row that is due, a few at a time."""
    runner = JobRunner(database, kind, 4, retries)
    while due := await database.write(lambda c: claims.claim_due(c, kind.table, free=4, lease=30)):
        await asyncio.gather(*(runner._process(claim) for claim in due))


@pytest.fixture
def worker(database: Database) -> PlayedWorker:
    """Plays the coloring and vectorize services."""
    return PlayedWorker(database)


def jpeg(seed: int = 1, *, width: int = 120, height: int = 90) -> bytes:
    """A small photo that differs for each ``seed``."""
    buffer = BytesIO()
    Image.new("RGB", (width, height), (seed * 40 % 256, seed * 90 % 256, 120)).save(buffer, "JPEG")
    return buffer.getvalue()
