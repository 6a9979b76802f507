"""The whole pipeline with fake providers, for the end-to-end and browser tests."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from pastelka_common.testing.fake_runpod import FakeRunpod
from pastelka_common.testing.fake_vectorizer import FakeVectorizer
from pastelka_local.testing import RunningStack, StackOptions
from pastelka_local.testing.stack import photo, post_order


@dataclass(frozen=True)
class System:
    """A running system, its fake providers, and a client of its API."""

    stack: RunningStack
    runpod: FakeRunpod
    vectorizer: FakeVectorizer
    http: aiohttp.ClientSession

    async def order(self, photos: int, *, process: str = "none", first_seed: int = 1) -> Any:
        """Create an order of distinct photos."""
        contents = [photo(first_seed + n) for n in range(photos)]
        return await post_order(self.http, self.stack.api_url, contents, process=process)

    async def get(self, path: str) -> Any:
        """GET a document of the API."""
        async with self.http.get(f"{self.stack.api_url}{path}") as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def sql(self, statement: str, *values: Any) -> None:
        """Change the database as the shop would."""
        connection = await asyncpg.connect(self.stack.postgres.url)
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()

    async def post(self, path: str, body: Any = None) -> Any:
        """POST to the API."""
        async with self.http.post(f"{self.stack.api_url}{path}", json=body) as response:
            assert response.status in {200, 202}, await response.text()
            return await response.json()


@asynccontextmanager
async def running_system(
    folder: Path,
    runpod: FakeRunpod,
    vectorizer: FakeVectorizer,
    *,
    env: Mapping[str, str] | None = None,
    dashboard: bool = False,
) -> AsyncIterator[System]:
    """Run PostgreSQL, NATS, the hub, nginx, all services and the fakes.

    ``env`` is added to the environment of the services; with ``dashboard`` the gateway serves the built
    dashboard.
    """
    async with runpod, vectorizer:
        settings = {
            "COLORING_PROVIDER": "runpod",
            "RUNPOD_API_KEY": runpod.settings.api_key,
            "RUNPOD_ENDPOINT_ID": "coloring-endpoint",
            "RUNPOD_BASE_URL": runpod.base_url,
            "RUNPOD_POLL_INTERVAL": "0.3",
            "VECTORIZE_PROVIDER": "vectorizer",
            "VECTORIZER_API_KEY": "vk-test",
            "VECTORIZER_API_SECRET": "secret-test",
            "VECTORIZER_BASE_URL": vectorizer.base_url,
            **(env or {}),
        }
        options = StackOptions(env=settings, nginx=True, dashboard=dashboard)
        async with RunningStack(folder, options) as stack, aiohttp.ClientSession() as http:
            yield System(stack, runpod, vectorizer, http)
