"""The whole pipeline with fake providers: one stack for all tests of a module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings
from pastelka_common.testing.fake_vectorizer import FakeVectorizer
from tests.system import System, running_system


@pytest.fixture(scope="module")
def system_env() -> dict[str, str]:
    """Additional settings of the services for a module."""
    return {}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def system(
    tmp_path_factory: pytest.TempPathFactory, system_env: dict[str, str]
) -> AsyncIterator[System]:
    """PostgreSQL, NATS, the hub, nginx, all services, a fake RunPod and a fake Vectorizer.ai."""
    runpod = FakeRunpod(FakeRunpodSettings(queue_seconds=0.8, run_seconds=0.8))
    vectorizer = FakeVectorizer(duration=0.2)
    async with running_system(
        tmp_path_factory.mktemp("stack"), runpod, vectorizer, env=system_env
    ) as running:
        yield running
