"""The measured system: a stack that syncs every write, a fake RunPod, prepared orders."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from pastelka_local.testing import RunningStack, StackOptions
from pastelka_local.testing.stack import photo, post_order
from tests.bench.photos import photos as large_photos

API_KEY = "fake-runpod-key"
ALL_SERVICES = ("api", "worker", "coloring", "vectorize", "notifier")
_UPLOADS = 2
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Options:
    """Options of all scenarios: repeats, number of listed orders, folder of the data."""

    repeats: int
    orders: int
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class BenchOrder:
    """One order with its images."""

    number: str
    image_ids: tuple[int, ...]


def say(what: str) -> None:
    """Print progress to standard error."""
    print(what, file=sys.stderr, flush=True)


@asynccontextmanager
async def stack(
    options: Options,
    *,
    services: tuple[str, ...] = ALL_SERVICES,
    env: dict[str, str] | None = None,
    dashboard: bool = False,
) -> AsyncIterator[RunningStack]:
    """A running stack in its own folder, whose PostgreSQL and JetStream sync every write."""
    with tempfile.TemporaryDirectory(prefix="pastelka-bench-", dir=options.folder) as name:
        folder = Path(name)
        folder.chmod(0o755)  # noqa: ASYNC240 - before anything runs; PostgreSQL may have to run as another user
        wanted = StackOptions(
            env={"LOG_LEVEL": "WARNING", **(env or {})},
            services=services,
            nginx=True,
            dashboard=dashboard,
            durable=True,
            is_forked=False,
        )
        async with RunningStack(folder, wanted) as running:
            yield running


def runpod_env(base_url: str) -> dict[str, str]:
    """Settings that point the coloring service to the fake at ``base_url``."""
    return {
        "COLORING_PROVIDER": "runpod",
        "RUNPOD_API_KEY": API_KEY,
        "RUNPOD_ENDPOINT_ID": "bench",
        "RUNPOD_BASE_URL": base_url,
    }


class FakeRunpodProcess:
    """The fake RunPod as a separate process, so that its CPU time is not counted."""

    def __init__(self, process: asyncio.subprocess.Process, base_url: str) -> None:
        self.base_url = base_url
        self._process = process
        self._root = base_url.removesuffix("/v2")

    async def reset(self, http: aiohttp.ClientSession) -> None:
        """Forget all jobs and counts."""
        async with http.post(f"{self._root}/_control", json={"reset": True}) as response:
            response.raise_for_status()

    async def stats(self, http: aiohttp.ClientSession) -> dict[str, Any]:
        """Counts of its requests so far."""
        async with http.get(f"{self._root}/_stats") as response:
            answer: dict[str, Any] = await response.json()
            return answer


@asynccontextmanager
async def fake_runpod(*, run_seconds: float) -> AsyncIterator[FakeRunpodProcess]:
    """Run the fake until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pastelka_common.testing.fake_runpod"),
        *("--api-key", API_KEY, "--run-seconds", str(run_seconds)),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the fake RunPod has no output")
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        if not line.startswith(b"RUNPOD_BASE_URL="):
            raise RuntimeError(f"the fake RunPod did not start: {line!r}")
        yield FakeRunpodProcess(process, line.split()[0].decode().partition("=")[2])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def upload(
    http: aiohttp.ClientSession, running: RunningStack, *, orders: int, photos: int, large: bool = True
) -> list[BenchOrder]:
    """Create ``orders`` orders of ``photos`` photos each through the API; small photos unless ``large``."""
    places = asyncio.Semaphore(_UPLOADS)
    contents = list(large_photos(photos)) if large else [photo(place) for place in range(photos)]

    async def one() -> BenchOrder:
        async with places:
            made = await post_order(http, running.api_url, contents)
        images = [image["id"] for item in made["line_items"] for image in item["images"]]
        return BenchOrder(made["order_number"], tuple(images))

    return list(await asyncio.gather(*(one() for _ in range(orders))))


async def generate(
    http: aiohttp.ClientSession, running: RunningStack, order: BenchOrder, *, steps: int = 4
) -> list[int]:
    """Request a coloring of every image of an order; returns the ids of the versions."""
    url = f"{running.api_url}/orders/{order.number}/generate-coloring"
    return [version["id"] for version in await _post(http, url, steps)]


async def generate_one(
    http: aiohttp.ClientSession, running: RunningStack, image_id: int, *, steps: int = 4
) -> int:
    """Request a coloring of one image; returns the id of the version."""
    url = f"{running.api_url}/images/{image_id}/generate-coloring"
    return int((await _post(http, url, steps))["id"])


async def _post(http: aiohttp.ClientSession, url: str, steps: int) -> Any:
    async with http.post(url, json={"steps": steps}) as response:
        answer = await response.json()
        if response.status != 202:
            raise RuntimeError(f"{url} answered {response.status}: {answer}")
        return answer


async def until_none(database: asyncpg.Connection, condition: str, *, timeout: float = 60.0) -> None:
    """Wait until no coloring matches the SQL ``condition``."""
    query = f"SELECT count(*) FROM coloring_versions WHERE {condition}"  # noqa: S608 - our own conditions
    try:
        async with asyncio.timeout(timeout):
            while await database.fetchval(query):  # noqa: ASYNC110 - rows change without telling us
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        left = await database.fetchval(query)
        raise RuntimeError(f"after {timeout:g} s there are still {left} colorings with {condition}") from None


async def until_all_completed(database: asyncpg.Connection, ids: list[int], *, timeout: float) -> float:
    """Wait until these colorings are completed; returns the commit time of the last one."""
    await until_none(database, "in_progress", timeout=timeout)
    failed = await database.fetch(
        "SELECT error_code, count(*) FROM coloring_versions WHERE id = ANY($1) AND status <> 'completed' "
        "GROUP BY 1",
        ids,
    )
    if failed:
        raise RuntimeError(f"not all colorings were completed: {[tuple(row) for row in failed]}")
    last = await database.fetchval(
        "SELECT extract(epoch FROM max(committed_at))::float8 FROM status_changes "
        "WHERE kind = 'coloring' AND status = 'completed' AND version_id = ANY($1)",
        ids,
    )
    return float(last)


@asynccontextmanager
async def connections(
    running: RunningStack,
) -> AsyncIterator[tuple[aiohttp.ClientSession, asyncpg.Connection]]:
    """An HTTP client for the API, and a connection to the database."""
    database = await asyncpg.connect(running.postgres.url)
    try:
        async with aiohttp.ClientSession() as http:
            yield http, database
    finally:
        await database.close()
