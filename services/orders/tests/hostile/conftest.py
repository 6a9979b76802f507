"""The API and the worker as processes, with limits that make a bomb a matter of seconds."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from pastelka_common.servers import NatsServer, running
from pastelka_common.servers.ports import free_port
from pastelka_orders.photos.normalise import prepare_decoders
from pastelka_orders.photos.photo_limits import DecoderBounds

from .corpus import LIMITS
from .processes import Watch, service, watched

SECRET = "a-webhook-secret"
MEGABYTE = 1 << 20
WORKERS = 2
"""Decoder processes of one service."""
LARGEST_STORED = 3 * LIMITS.max_output_pixels
"""Bytes of the largest file that is stored: a PNG that does not compress."""
AIR = 64 * MEGABYTE
"""What the interpreter takes meanwhile: buffers of connections, the list of an order's images."""


@dataclass(frozen=True)
class Running:
    """One running service."""

    url: str
    watch: Watch
    storage: Path
    temporary: Path
    at_rest: int = field(default=0)
    """Bytes of memory that it had before the first file."""

    def left_behind(self) -> list[str]:
        """Temporary files."""
        return [path.name for path in self.temporary.iterdir()]

    def stored(self) -> list[str]:
        """Files in the storage."""
        return sorted(str(p.relative_to(self.storage)) for p in self.storage.rglob("*") if p.is_file())


def bound_of_decoders() -> int:
    """Bytes that all decoder processes of one service may take together."""
    return DecoderBounds.of(LIMITS).of_all(WORKERS)


@pytest.fixture(scope="session", autouse=True)
def formats() -> None:
    """What the service can read, the tests can write."""
    prepare_decoders(threads=1)


@pytest.fixture
def env(orders_url: str, tmp_path: Path) -> dict[str, str]:
    """What both services are told."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    return {
        "DATABASE_URL": orders_url,
        "STORAGE_PATH": str(tmp_path / "images"),
        "TMPDIR": str(temporary),
        "HOST": "127.0.0.1",
        "PHOTO_MAX_BYTES": str(LIMITS.max_bytes),
        "PHOTO_MAX_PIXELS": str(LIMITS.max_pixels),
        "SHOPIFY_WEBHOOK_SECRET": SECRET,
    }


@pytest_asyncio.fixture(loop_scope="session")
async def nats_url(tmp_path: Path) -> AsyncIterator[str]:
    """A nats-server of this test's own."""
    async with running(NatsServer(folder=tmp_path / "nats", sync_always=False)) as server:
        yield server.url


@pytest_asyncio.fixture(loop_scope="session")
async def api_process(env: dict[str, str], nats_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    """The API."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {**env, "PORT": str(port), "NATS_URL": nats_url}
    async with service("pastelka_orders.entrypoints.api", url, settings, tmp_path / "api.log") as pid:
        with watched(pid) as watch:
            yield Running(url, watch, Path(env["STORAGE_PATH"]), Path(env["TMPDIR"]), watch.own)


@pytest_asyncio.fixture(loop_scope="session")
async def http(api_process: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API."""
    async with httpx.AsyncClient(base_url=f"{api_process.url}/api/v1", timeout=300) as client:
        yield client
