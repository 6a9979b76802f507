"""The API as in production: its own process, real PostgreSQL and nats-server, a storage folder."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pastelka_common.servers import NatsServer, PostgresServer, running
from pastelka_local.testing.services import Service
from pastelka_orders import migrations_runner

WEBHOOK_SECRET = "webhook-secret-of-the-api-tests"
SHOP_DOMAIN = "pastelka-test.myshopify.com"


@dataclass(frozen=True)
class RunningApi:
    """Addresses of the running system; ``url`` ends before ``/api/v1``."""

    url: str
    database_url: str
    nats_url: str
    storage: Path
    log: Path


@asynccontextmanager
async def running_api(folder: Path, env: Mapping[str, str] | None = None) -> AsyncIterator[RunningApi]:
    """Run PostgreSQL at head, NATS and the API until the block ends.

    ``env`` is added to the API's environment.
    """
    postgres = PostgresServer(folder=folder / "postgres", durable=False)
    nats = NatsServer(folder=folder / "nats", sync_always=False)
    storage = folder / "images"
    storage.mkdir(parents=True)
    async with running(postgres), running(nats):
        url = postgres.url_of("postgres").replace("postgresql://", "postgresql+asyncpg://", 1)
        await migrations_runner.upgrade(url)
        settings = {
            "DATABASE_URL": url,
            "NATS_URL": nats.url,
            "STORAGE_PATH": str(storage),
            "STATIC_URL": "http://127.0.0.1:8081/static",
            "SHOPIFY_WEBHOOK_SECRET": WEBHOOK_SECRET,
            # No server listens there: only the worker would connect to it.
            "SHOPIFY_STORE_URL": f"https://{SHOP_DOMAIN}",
            "SHOPIFY_ACCESS_TOKEN": "shpat_test",
            "ORDER_MAX_PHOTOS": "20",
            **(env or {}),
        }
        api = Service("orders-api", "pastelka_orders.entrypoints.api", settings, folder)
        await api.start()
        try:
            yield RunningApi(api.url, url, nats.url, storage, api.log)
        finally:
            await api.stop()
