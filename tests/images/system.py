"""Runs the whole system from the images: migration, an order, shutdown."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractCookieJar

from pastelka_common.servers import NatsServer, PostgresServer, ServerProcess, free_port, running
from pastelka_common.servers.base import HOST
from pastelka_local.testing.stack import photo, post_order
from tests.images.container import Container, kept
from tests.images.engine import Engine
from tests.images.plan import IMAGES, USER

Say = Callable[[str], None]

_KEY = "0123456789abcdef0123456789abcdef"
_READY_SECONDS = 180.0
_DONE_SECONDS = 300.0
_UID = int(USER.split(":")[0])
_API, _WORKER = "pastelka_orders.entrypoints.api", "pastelka_orders.entrypoints.worker"

_CONFINED = """
import os, pathlib
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
assert os.getuid() == os.getgid() == %d and os.getgroups() == [], (os.getuid(), os.getgroups())
assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0, status["CapEff"]
assert status["NoNewPrivs"].strip() == "1"
for folder in ("/", "/app", "/usr/local/lib", "/etc"):
    try:
        pathlib.Path(folder, "written").write_text("")
    except OSError:
        continue
    raise AssertionError(folder + " can be written to")
for folder in ("/tmp", "/data/images"):
    pathlib.Path(folder, "written").write_text("")
    pathlib.Path(folder, "written").unlink()
"""


@dataclass
class System:
    """Environment of the images: trees, folders, addresses."""

    engine: Engine
    folder: Path
    roots: dict[str, Path]
    ports: dict[str, int]
    common: dict[str, str] = field(default_factory=dict)
    database: dict[str, str] = field(default_factory=dict)

    def container(self, name: str, image: str, **more: Any) -> Container:
        """A program of an image, configured with the system's addresses."""
        data = self.folder / ("hub" if image == "hub" else "data")
        tag = next(one.tag for one in IMAGES if one.name == image)
        environment = {**self.common, **(self.database if image == "orders" else {})}
        if name in self.ports:
            environment["PORT"] = str(self.ports[name])
        environment |= more.pop("environment", {})
        return Container(
            name,
            self.engine.config(tag),
            self.roots[image],
            data,
            self.folder / f"{name}.log",
            environment,
            **more,
        )

    def long_lived(self) -> list[Container]:
        """All long-lived programs, in the order in which they are stopped."""
        hub, gateway = self.ports["hub"], self.ports["gateway"]
        keys = {"MERCURE_PUBLISHER_JWT_KEY": _KEY, "MERCURE_SUBSCRIBER_JWT_KEY": _KEY[::-1]}
        upstreams = {"ORDERS_API": f"{HOST}:{self.ports['orders-api']}", "MERCURE_HUB": f"{HOST}:{hub}"}
        ports = {"PASTELKA_PORT": str(gateway), "PASTELKA_STATIC_PORT": str(self.ports["static"])}
        origins = {
            "STATIC_ORIGIN": f"http://localhost:{self.ports['static']}",
            "LOOPBACK_ORIGIN": f"http://localhost:{gateway}",
        }
        listening = {"PASTELKA_HOST": HOST, **ports, **upstreams, **origins}
        publishing = {"MERCURE_URL": f"http://{HOST}:{hub}/.well-known/mercure", **keys}
        return [
            self.container("gateway", "gateway", environment=listening, read_only_data=True),
            self.container("orders-api", "orders", command=[_API]),
            self.container("orders-worker", "orders", command=[_WORKER]),
            self.container("coloring", "coloring", environment={"COLORING_THREADS": "1"}),
            self.container("vectorize", "vectorize"),
            self.container("notifier", "notifier", environment=publishing),
            self.container(
                "hub", "hub", environment={"MERCURE_HOST": HOST, "MERCURE_PORT": str(hub), **keys}
            ),
        ]


async def run(engine: Engine, folder: Path, say: Say) -> list[str]:
    """Run everything once; returns the observations line by line.

    Raises ``AssertionError`` with the end of a log.
    """
    async with AsyncExitStack() as stack:
        roots = {image.name: stack.enter_context(engine.mounted(image.tag)) for image in IMAGES}
        nats = await stack.enter_async_context(running(NatsServer(folder=folder / "nats")))
        postgres = await stack.enter_async_context(running(PostgresServer(folder=folder / "postgres")))
        system = _system(engine, folder, roots, nats, postgres)
        say("only /tmp and /data are writable, and there are no privileges")
        await _succeeds(_confined(system))
        say("migrating the database with the orders image")
        await _succeeds(
            system.container("migrate", "orders", command=["pastelka_orders.entrypoints.migrate"])
        )
        containers = [await stack.enter_async_context(kept(one)) for one in system.long_lived()]
        say("starting everything")
        for container in reversed(containers):
            await container.start()
        await asyncio.gather(*(_until_healthy(one) for one in containers))
        await _until_ready(system, containers)
        say("an order with two photos through the gateway")
        await _make_order(system, containers)
        log = (folder / "coloring.log").read_text()
        assert "coloring model loaded" in log, log[-2000:]
        assert "building the coloring model" not in log, "the image does not contain the model"
        say("ending everything")
        return [await _ended(container) for container in containers]


def _system(
    engine: Engine, folder: Path, roots: dict[str, Path], nats: ServerProcess, postgres: ServerProcess
) -> System:
    for name in ("data", "data/images", "hub"):
        (folder / name).mkdir()
        os.chown(folder / name, _UID, _UID)
    names = ("orders-api", "orders-worker", "coloring", "vectorize", "notifier", "hub", "gateway", "static")
    ports = {name: free_port() for name in names}
    common = {"NATS_URL": nats.url, "HOST": HOST}
    database = {
        "DATABASE_URL": postgres.url.replace("postgresql://", "postgresql+asyncpg://"),
        "STATIC_URL": f"http://localhost:{ports['static']}/static",
        "MERCURE_SUBSCRIBER_JWT_KEY": _KEY[::-1],
        "AUTH_MODE": "password",
    }
    return System(engine, folder, roots, ports, common, database)


def _confined(system: System) -> Container:
    container = system.container("confined", "orders", command=[_CONFINED % _UID])
    return replace(container, config={**container.config, "Entrypoint": ["python", "-c"]})


async def _succeeds(container: Container) -> str:
    """Run it until it exits; returns the last line of its output."""
    async with kept(container):
        status = await container.run()
    log = container.log.read_text()
    assert status == 0, f"{container.name} ended with {status}:\n{log[-3000:]}"
    return log.strip().rpartition("\n")[2]


async def _until_healthy(container: Container) -> None:
    """Wait until the image's own health check succeeds."""
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not await container.healthy():
                assert not container.ended, f"{container.name} ended:\n{container.log.read_text()[-3000:]}"
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise AssertionError(
            f"{container.name} is not healthy:\n{container.log.read_text()[-3000:]}"
        ) from None


async def _until_ready(system: System, containers: list[Container]) -> None:
    """Wait until every service reaches its dependencies."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(_READY_SECONDS):
        for container in containers:
            if container.name in {"hub", "gateway"}:
                continue
            url = f"http://{HOST}:{system.ports[container.name]}/readyz"
            while True:
                async with http.get(url) as answer:
                    if answer.status == 200:
                        break
                await asyncio.sleep(0.5)


async def _make_order(system: System, containers: list[Container]) -> None:
    token = await _succeeds(
        system.container(
            "token",
            "orders",
            command=["pastelka_orders", "tokens", "create", "images", "--scope", "write", "--expires", "1h"],
        )
    )
    address = f"http://localhost:{system.ports['gateway']}"
    signed = {"Authorization": f"Bearer {token}"}
    try:
        async with aiohttp.ClientSession(headers=signed) as http, asyncio.timeout(_DONE_SECONDS):
            async with http.get(address) as page:
                assert page.status == 200
                assert '<div id="root">' in await page.text()
            async with http.get(f"{address}/api/v1/orders") as orders:
                assert orders.status == 200, await orders.text()
            async with _listening(address, http.cookie_jar) as updates:
                made = await post_order(http, f"{address}/api/v1", [photo(1), photo(2)], process="svg")
                await _until_done(http, updates, f"{address}/api/v1/orders/{made['order_number']}")
    except TimeoutError:
        logs = "\n".join(f"{one.name}:\n{one.log.read_text()[-1500:]}" for one in containers)
        raise AssertionError(f"the order was not done within {_DONE_SECONDS:g} s\n{logs}") from None


@asynccontextmanager
async def _listening(address: str, cookies: AbstractCookieJar) -> AsyncIterator[aiohttp.ClientResponse]:
    """The hub's stream, authorized by the cookie alone as in a browser."""
    url = f"{address}/.well-known/mercure"
    async with (
        aiohttp.ClientSession(cookie_jar=cookies) as browser,
        browser.get(url, params={"topic": "orders"}) as updates,
    ):
        assert updates.status == 200, await updates.text()
        yield updates


async def _until_done(http: aiohttp.ClientSession, updates: aiohttp.ClientResponse, address: str) -> None:
    """Fetch the order after each update of the hub until it is completed, then check its files."""
    while True:
        line = await updates.content.readline()
        assert line, "the hub ended the stream"
        if not line.startswith(b"data:"):
            continue
        async with http.get(address) as answer:
            order = await answer.json()
        images = [image for item in order["line_items"] for image in item["images"]]
        files = [_completed(image, kind) for image in images for kind in ("coloring", "svg")]
        if images and all(files):
            for url in files:
                await _check_file(http, str(url))
            return


def _completed(image: dict[str, Any], kind: str) -> str | None:
    versions = image["versions"][kind]
    assert all(version["status"] != "error" for version in versions), versions
    return next((version["url"] for version in versions if version["status"] == "completed"), None)


async def _check_file(http: aiohttp.ClientSession, url: str) -> None:
    async with http.get(url) as answer:
        content = await answer.read()
        assert answer.status == 200, (url, answer.status)
    assert content.startswith(b"\x89PNG") or b"<svg" in content[:500], (url, content[:80])


async def _ended(container: Container) -> str:
    peak = container.peak_megabytes
    status, seconds = await container.stop()
    assert status == 0, f"{container.name} ended with {status}:\n{container.log.read_text()[-3000:]}"
    return f"{container.name:<14}{peak:>6.0f} MB at most; ended {seconds:.1f} s after the stop signal"
