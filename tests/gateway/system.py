"""The real nginx in front of the real API, in any access mode, with a folder or a bucket."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import aiohttp
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.servers import BucketServer, MercureServer, NginxServer, running
from pastelka_common.servers.nginx_templates import proxies_in_front
from pastelka_common.storage import open_storage
from pastelka_common.storage.settings import StorageSettings
from pastelka_local.testing.services import Service
from pastelka_orders import migrations_runner
from pastelka_orders.access import secret
from pastelka_orders.access.principal import Role
from pastelka_orders.access.settings import AuthMode
from pastelka_orders.database import Database
from pastelka_orders.repository import accounts, sessions
from pastelka_orders.repository.sessions import SessionLife

Headers = Mapping[str, str]


@dataclass(frozen=True)
class GatewaySystem:
    """A gateway with its API. ``operator`` and ``viewer`` are the headers that identify them."""

    nginx: NginxServer
    api: Service
    operator: Headers
    viewer: Headers
    storage_settings: Mapping[str, str] = field(repr=False)

    async def create_order(self) -> str:
        """Create an order of one photo; returns its number."""
        form = aiohttp.FormData()
        form.add_field("photos", _photo(), filename="1.jpg", content_type="image/jpeg")
        url = f"{self.nginx.url}/api/v1/orders"
        async with (
            aiohttp.ClientSession() as http,
            http.post(
                url, data=form, headers={**self.operator, "Host": f"localhost:{self.nginx.port}"}
            ) as response,
        ):
            assert response.status == 201, await response.text()
            number: str = (await response.json())["order_number"]
            return number

    async def store(self, path: str, content: bytes) -> None:
        """Store a file below ``/static/images/``."""
        settings = StorageSettings.model_validate(
            {name.lower(): value for name, value in self.storage_settings.items()}
        )
        await open_storage(settings).write(path, content)


@asynccontextmanager
async def gateway_system(
    folder: Path,
    database_url: str,
    *,
    mode: AuthMode,
    bucket: BucketServer | None = None,
    hub: MercureServer | None = None,
) -> AsyncIterator[GatewaySystem]:
    """Run a migrated database, the API and nginx until the block ends."""
    url = database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    await migrations_runner.upgrade(url)
    storage = bucket.settings(f"shop/{uuid4().hex}") if bucket else {"STORAGE_PATH": str(folder / "images")}
    nginx = NginxServer(
        folder=folder / "nginx",
        storage=folder / "images",
        page=folder / "page",
        hub_url=hub.origin if hub else "http://127.0.0.1:9",
        settings={**_proxy_settings(mode), **_bucket_settings(bucket)},
    )
    nginx.choose_ports()
    env = {
        **storage,
        "DATABASE_URL": url,
        "STATIC_URL": nginx.static_url,
        **({"MERCURE_SUBSCRIBER_JWT_KEY": hub.subscriber_key} if hub else {}),
        "AUTH_MODE": mode,
        "AUTH_TRUSTED_PROXIES": "127.0.0.1",
        "AUTH_PROXY_OPERATORS": "operator",
        "AUTH_PROXY_VIEWERS": "viewer",
    }
    api = Service("orders-api", "pastelka_orders.entrypoints.api", env, folder)
    nginx.api_url = api.url
    async with AsyncExitStack() as stack:
        stack.push_async_callback(api.stop)
        await api.start()
        await stack.enter_async_context(running(nginx))
        operator, viewer = await _identities(mode, url)
        yield GatewaySystem(nginx, api, operator, viewer, storage)


def _proxy_settings(mode: AuthMode) -> dict[str, str]:
    return proxies_in_front([], naming_callers=["127.0.0.1"]) if mode == "proxy" else {}


def _bucket_settings(bucket: BucketServer | None) -> dict[str, str]:
    if bucket is None:
        return {}
    server = f"127.0.0.1:{bucket.port}"
    return {"FILES_IN": "bucket", "BUCKET_HOST": server, "BUCKET_SERVER": server}


async def _identities(mode: AuthMode, url: str) -> tuple[Headers, Headers]:
    if mode == "open":
        return {}, {}
    if mode == "proxy":
        return {"X-Auth-Request-User": "operator"}, {"X-Auth-Request-User": "viewer"}
    database = Database(url)
    try:
        return await _session(database, "operator"), await _session(database, "viewer")
    finally:
        await database.aclose()


async def _session(database: Database, role: Role) -> Headers:
    """Add a user named after the role and sign in."""
    cookie = secret.new_session_secret()
    life = SessionLife(timedelta(hours=1), timedelta(days=1))

    async def begin(connection: AsyncConnection) -> None:
        assert await accounts.add(connection, role, role, "no password fits")
        account = await accounts.find(connection, role)
        assert account is not None
        await sessions.add(connection, secret.hash_secret(cookie), account.id, life)

    await database.write(begin)
    return {"Cookie": f"pastelka_session={cookie}"}


def _photo() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (120, 90), (200, 120, 40)).save(buffer, "JPEG")
    return buffer.getvalue()
