"""The whole line with fake providers: one stack for all tests of a module."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings
from pastelka_common.testing.fake_vectorizer import FakeVectorizer
from pastelka_local.testing import Stack, StackOptions
from pastelka_local.testing.stack import photo, post_order


@dataclass(frozen=True)
class Line:
    """A running system, its fake providers, and a client of its API."""

    stack: Stack
    runpod: FakeRunpod
    vectorizer: FakeVectorizer
    http: aiohttp.ClientSession

    async def order(self, photos: int, *, process: str = "none", first_seed: int = 1) -> Any:
        """Make an order by hand of photos that differ from each other."""
        contents = [photo(first_seed + n) for n in range(photos)]
        return await post_order(self.http, self.stack.api_url, contents, process=process)

    async def get(self, path: str) -> Any:
        """GET a document of the API."""
        async with self.http.get(f"{self.stack.api_url}{path}") as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def post(self, path: str, body: Any = None) -> Any:
        """POST to the API."""
        async with self.http.post(f"{self.stack.api_url}{path}", json=body) as response:
            assert response.status in {200, 202}, await response.text()
            return await response.json()


@pytest.fixture(scope="module")
def line_env() -> dict[str, str]:
    """Settings of the services that a module wants beside those of the fake providers."""
    return {}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def line(tmp_path_factory: pytest.TempPathFactory, line_env: dict[str, str]) -> AsyncIterator[Line]:
    """PostgreSQL, NATS, the hub, nginx, all services, a fake RunPod and a fake Vectorizer.ai."""
    runpod = FakeRunpod(FakeRunpodSettings(queue_seconds=0.8, run_seconds=0.8))
    vectorizer = FakeVectorizer(duration=0.2)
    async with runpod, vectorizer:
        env = {
            "COLORING_PROVIDER": "runpod",
            "RUNPOD_API_KEY": runpod.settings.api_key,
            "RUNPOD_ENDPOINT_ID": "coloring-endpoint",
            "RUNPOD_BASE_URL": runpod.base_url,
            "RUNPOD_POLL_INTERVAL": "0.3",
            "VECTORIZE_PROVIDER": "vectorizer",
            "VECTORIZER_API_KEY": "vk-test",
            "VECTORIZER_API_SECRET": "secret-test",
            "VECTORIZER_BASE_URL": vectorizer.base_url,
            **line_env,
        }
        folder = tmp_path_factory.mktemp("stack")
        async with Stack(folder, StackOptions(env=env, nginx=True)) as stack, aiohttp.ClientSession() as http:
            yield Line(stack, runpod, vectorizer, http)
