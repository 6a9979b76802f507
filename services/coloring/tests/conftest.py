"""The whole service in this process: a real broker, a fake RunPod, and jobs whose photos are stored."""

import functools
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image, ImageDraw
from pydantic import SecretStr

from pastelka_coloring.entrypoint import run
from pastelka_coloring.settings import ColoringSettings
from pastelka_common.contracts.messages import ColoringJob
from pastelka_common.contracts.options import ColoringOptions
from pastelka_common.servers import NatsServer
from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings
from pastelka_common.testing.workbench import Run, Workbench

_VERSIONS = itertools.count(1)

MakeJob = Callable[..., ColoringJob]
Service = Callable[..., Run]


@pytest_asyncio.fixture(loop_scope="session")
async def bench(nats_server: NatsServer) -> AsyncIterator[Workbench]:
    async with Workbench.open(nats_server.url) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def runpod() -> AsyncIterator[FakeRunpod]:
    async with FakeRunpod(FakeRunpodSettings(queue_seconds=0.4, run_seconds=0.4)) as server:
        yield server


@pytest.fixture
def service(nats_server: NatsServer, runpod: FakeRunpod, tmp_path: Path) -> Service:
    """``at_work(service())``: with the fake RunPod; ``changes`` are settings."""

    def with_settings(**changes) -> Run:
        settings = {
            "nats_url": nats_server.url,
            "storage_path": tmp_path,
            "host": "127.0.0.1",
            "port": 0,
            "shutdown_grace": 4,
            "coloring_provider": "runpod",
            "runpod_api_key": SecretStr(runpod.settings.api_key),
            "runpod_endpoint_id": "ep1",
            "runpod_base_url": runpod.base_url,
            "runpod_poll_interval": 0.1,
            **changes,
        }
        return functools.partial(run, ColoringSettings(**settings))

    return with_settings


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    """A job of a version of its own, whose photo is stored."""

    def make(**changes) -> ColoringJob:
        version = next(_VERSIONS)
        source = tmp_path / "42" / str(version) / "image_1.jpg"
        source.parent.mkdir(parents=True)
        photo = Image.new("RGB", (1280, 960), "white")
        ImageDraw.Draw(photo).ellipse((200, 200, 900, 800), fill=(200, version * 37 % 256, 40))
        photo.save(source)
        fields = {
            "version_id": version,
            "run": 1,
            "order_number": "1270",
            "image_id": 123,
            "source": f"42/{version}/image_1.jpg",
            "target": f"42/{version}/coloring/v1/image_1.png",
            "options": ColoringOptions(megapixels=1.5, steps=6),
        }
        return ColoringJob(**(fields | changes))

    return make
