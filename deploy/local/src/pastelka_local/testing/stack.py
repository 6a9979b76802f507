"""All of Pastelka with real servers: PostgreSQL, NATS, the hub, nginx, and the services as processes."""

import asyncio
import os
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp

from pastelka_common.servers import (
    MercureServer,
    NatsServer,
    NginxServer,
    PostgresServer,
    ServerProcess,
    free_port,
    running,
)
from pastelka_common.testing.subscriber import Subscriber
from pastelka_local.dashboard import dist
from pastelka_local.testing.services import Service, fork

_MODULES = {
    "api": "pastelka_orders.entrypoints.api",
    "worker": "pastelka_orders.entrypoints.worker",
    "coloring": "pastelka_coloring",
    "vectorize": "pastelka_vectorize",
    "notifier": "pastelka_notifier",
}


@dataclass(frozen=True)
class StackOptions:
    """Options of a test: settings of the services, whether nginx runs, whether data survives a power cut.

    With ``dashboard`` nginx runs and serves the built dashboard, which is built first if it is out of date (a
    minute or more if its packages are not installed). ``launcher`` is a program (module and arguments) that
    runs the services' modules. Unless ``is_forked`` they start as in production: slower, but
    without shared memory.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    services: tuple[str, ...] = tuple(_MODULES)
    nginx: bool = False
    dashboard: bool = False
    durable: bool = False
    launcher: tuple[str, ...] = ()
    is_forked: bool = True


class RunningStack:
    """The whole system below ``folder``; an asynchronous context manager."""

    def __init__(self, folder: Path, options: StackOptions | None = None) -> None:
        self.folder = folder
        self.options = options or StackOptions()
        self.storage = folder / "storage" / "images"
        self.postgres = PostgresServer(folder=folder / "postgres", durable=self.options.durable)
        self.nats = NatsServer(folder=folder / "nats", sync_always=self.options.durable)
        self.hub = MercureServer(folder=folder / "mercure")
        self.nginx: NginxServer | None = None
        self.servers: dict[str, ServerProcess] = {}
        self.services: dict[str, Service] = {}
        self._api_port = free_port()
        self._exit = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._exit.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    @property
    def api_url(self) -> str:
        """Address of the API."""
        return f"{self.services['api'].url}/api/v1"

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the database."""
        return _sqlalchemy_url(self.postgres)

    def subscriber(self, *topics: str) -> Subscriber:
        """A subscriber at the hub."""
        return Subscriber(self.hub.url, self.hub.subscriber_key, topics)

    def env(self) -> dict[str, str]:
        """Environment of every service."""
        static = self.nginx.static_url if self.nginx else "http://localhost:8081"
        return {
            "DATABASE_URL": self.database_url,
            "NATS_URL": self.nats.url,
            "STORAGE_PATH": str(self.storage),
            "STATIC_URL": f"{static.removesuffix('/static')}/static",
            "MERCURE_URL": self.hub.url,
            "MERCURE_PUBLISHER_JWT_KEY": self.hub.publisher_key,
            "MERCURE_SUBSCRIBER_JWT_KEY": self.hub.subscriber_key,
            "SHUTDOWN_GRACE": "5",
            **self.options.env,
        }

    async def add(
        self, name: str, kind: str, *, env: Mapping[str, str] | None = None, deadline: float = 180.0
    ) -> Service:
        """Start one more process of a kind (``api``, ``worker``, ...); ``env`` applies to it alone."""
        port = self._api_port if name == "api" else None
        service = Service(name, _MODULES[kind], {**self.env(), **(env or {})}, self.folder, port=port)
        service.launcher, service.is_forked = self.options.launcher, self.options.is_forked
        self.services[name] = service
        self._exit.push_async_callback(_end, service)
        await service.start(deadline=deadline)
        return service

    async def _start(self) -> None:
        self.storage.mkdir(parents=True, exist_ok=True)
        if not self.options.durable and not self.postgres.folder.exists():
            await _copy_cluster(self.folder, self.postgres.folder, {**os.environ, **self.env()})
        await asyncio.gather(*(self._run(name, server) for name, server in self._parts().items()))
        await self._migrate()
        wanted = self.options.services
        if self.options.nginx or self.options.dashboard:
            await self._run_nginx()
        await asyncio.gather(*(self.add(kind, kind) for kind in wanted))

    def _parts(self) -> dict[str, Any]:
        return {"postgres": self.postgres, "nats": self.nats, "mercure": self.hub}

    async def _run(self, name: str, server: Any) -> None:
        self.servers[name] = await self._exit.enter_async_context(running(server, deadline=600))

    async def _run_nginx(self) -> None:
        page = await asyncio.to_thread(dist) if self.options.dashboard else self.folder / "page"
        page.mkdir(exist_ok=True)
        self.nginx = NginxServer(
            folder=self.folder / "nginx",
            storage=self.storage,
            page=page,
            api_url=f"http://127.0.0.1:{self._api_port}",
            hub_url=self.hub.origin,
        )
        await self._run("nginx", self.nginx)

    async def _migrate(self) -> None:
        if self.options.durable:
            await _migrate(self.folder, {**os.environ, **self.env()})


_made_clusters: list[Path] = []
"""The last one is copied for the stacks of this process; it is in the folder of the stack that made it."""
_making_cluster = asyncio.Lock()


async def _copy_cluster(stack: Path, target: Path, env: Mapping[str, str]) -> None:
    """Copy a database cluster at the latest revision; making one takes two seconds of CPU."""
    async with _making_cluster:
        if not _made_clusters or not _made_clusters[-1].exists():
            _made_clusters.append(await _make_cluster(stack, env))
    copying = await asyncio.create_subprocess_exec("cp", "-a", _made_clusters[-1], target)
    if await copying.wait() != 0:
        raise RuntimeError(f"{_made_clusters[-1]} could not be copied to {target}")


async def _make_cluster(stack: Path, env: Mapping[str, str]) -> Path:
    server = PostgresServer(folder=stack / "cluster", durable=False)
    async with running(server):
        await _migrate(stack, {**env, "DATABASE_URL": _sqlalchemy_url(server)})
    return server.folder


async def _migrate(folder: Path, env: Mapping[str, str]) -> None:
    log = folder / "migrate.log"
    process = await fork("pastelka_orders.entrypoints.migrate", env=env, log=log)
    if await process.wait() != 0:
        raise RuntimeError(f"the migrations failed:\n{log.read_text()}")


def _sqlalchemy_url(server: PostgresServer) -> str:
    return server.url.replace("postgresql://", "postgresql+asyncpg://", 1)


async def _end(service: Service) -> None:
    await service.kill()


def photo(seed: int, *, width: int = 640, height: int = 480) -> bytes:
    """A JPEG that differs for each ``seed``."""
    from io import BytesIO  # noqa: PLC0415

    from PIL import Image, ImageDraw  # noqa: PLC0415

    image = Image.new("RGB", (width, height), (200, 220, 240))
    draw = ImageDraw.Draw(image)
    draw.ellipse((80, 60, 420, 400), fill=(seed * 37 % 256, seed * 91 % 256, 120))
    draw.rectangle((300, 200, 600, 440), fill=(40, seed * 53 % 256, 90))
    draw.text((10, 10), f"{seed} {secrets.token_hex(4)}", fill=(0, 0, 0))
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


async def post_order(
    http: aiohttp.ClientSession, api_url: str, photos: list[bytes], *, process: str = "none"
) -> dict[str, Any]:
    """Create an order through the API; returns the response."""
    form = aiohttp.FormData()
    for number, content in enumerate(photos, start=1):
        form.add_field("photos", content, filename=f"photo-{number}.jpg", content_type="image/jpeg")
    form.add_field("process", process)
    async with http.post(f"{api_url}/orders", data=form) as response:
        body: dict[str, Any] = await response.json()
        if response.status != 201:  # noqa: PLR2004 - HTTP Created
            raise AssertionError(body)
        return body
