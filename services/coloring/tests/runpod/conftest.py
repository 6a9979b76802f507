"""The provider against a fake RunPod over real HTTP, and photos of every kind."""

import base64
import io
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from httpx_aiohttp import HttpxAiohttpClient
from PIL import Image, ImageDraw
from pydantic import SecretStr

from pastelka_coloring.providers import ColoringRequest
from pastelka_coloring.providers.runpod import RunpodLimits, RunpodProvider, WatchTimeouts
from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings
from pastelka_common.testing.sources import local_source

KEY = "a-secret-key"


@dataclass
class Recorder:
    """A ``Progress`` that records its calls, in order."""

    calls: list[str] = field(default_factory=list)

    async def status(self, status):
        self.calls.append(status.value)

    async def submitting(self, status):
        await self.status(status)

    async def submitted(self, provider_job_id):
        self.calls.append(f"id:{provider_job_id}")
        return provider_job_id

    async def withdrawing(self):
        self.calls.append("withdrawing")

    async def withdrawn(self, provider_job_id):
        self.calls.append(f"withdrawn:{provider_job_id}")
        return sum(word.startswith("withdrawn:") for word in self.calls)

    async def ensure_ownership(self):
        """No other worker exists."""

    @property
    def job_id(self):
        return next(word.removeprefix("id:") for word in self.calls if word.startswith("id:"))


@pytest.fixture
async def fake() -> AsyncIterator[FakeRunpod]:
    async with FakeRunpod(FakeRunpodSettings(api_key=KEY, endpoint_id="ep1", keep_photos=True)) as server:
        yield server


@pytest.fixture
async def make_provider(fake) -> AsyncIterator[Callable[..., RunpodProvider]]:
    made = []

    def make(**changes) -> RunpodProvider:
        settings = {
            "base_url": fake.base_url,
            "endpoint_id": "ep1",
            "api_key": SecretStr(KEY),
            "poll_interval": 0.02,
            "timeouts": WatchTimeouts(queue=20.0, run=20.0, unknown=0.0),
        }
        made.append(RunpodProvider(**(settings | changes)))
        return made[-1]

    yield make
    for provider in made:
        await provider.aclose()


@pytest.fixture
def progress() -> Recorder:
    return Recorder()


@pytest.fixture
def drawing() -> Callable[..., Image.Image]:
    """A picture whose left third is red, so that turning it shows."""

    def draw(width=1600, height=1200, mode="RGB") -> Image.Image:
        image = Image.new("RGB", (width, height), "white")
        ImageDraw.Draw(image).rectangle((0, 0, width // 3, height), fill=(220, 20, 20))
        return image if mode == "RGB" else image.convert(mode)

    return draw


@pytest.fixture
def save(tmp_path) -> Callable[..., Path]:
    def write(image: Image.Image, name="photo.jpg", **options) -> Path:
        path = tmp_path / name
        image.save(path, **options)
        return path

    return write


@pytest.fixture
def request_for(save, drawing) -> Callable[..., ColoringRequest]:
    """A request for a photo; an acceptable JPEG if none is given."""

    def make(photo: Path | None = None, job_id: str | None = None) -> ColoringRequest:
        return ColoringRequest(
            local_source(photo or save(drawing())), megapixels=1.5, steps=4, provider_job_id=job_id
        )

    return make


@pytest.fixture
def sent(fake) -> Callable[[], Image.Image]:
    """The photo the fake got last, decoded."""

    def last() -> Image.Image:
        job = list(fake.jobs.by_id.values())[-1]
        image = Image.open(io.BytesIO(fake.jobs.photo(job)))
        image.load()
        return image

    return last


@pytest.fixture
def encoded() -> Callable[..., str]:
    """Base64, broken into lines of ``every`` characters if given."""

    def encode(content: bytes, every: int | None = None) -> str:
        text = base64.b64encode(content).decode()
        return "\n".join(text[at : at + every] for at in range(0, len(text), every)) if every else text

    return encode


@pytest.fixture
def color(make_provider, request_for, progress) -> Callable[..., Awaitable[bytes]]:
    """Color a photo, or go on with a job, by a provider with the settings given."""

    async def run(photo: Path | None = None, job_id: str | None = None, **settings) -> bytes:
        return await make_provider(**settings).color(request_for(photo, job_id), progress)

    return run


@pytest.fixture
async def impatient() -> AsyncIterator[HttpxAiohttpClient]:
    """A client that waits 0.3 s for an answer."""
    async with HttpxAiohttpClient(timeout=0.3) as client:
        yield client


@pytest.fixture
async def patient() -> AsyncIterator[HttpxAiohttpClient]:
    """A client that waits as long as a busy machine takes to answer."""
    async with HttpxAiohttpClient(timeout=None) as client:
        yield client


@pytest.fixture
def small_answers() -> RunpodLimits:
    return RunpodLimits(response_bytes=10_000)


@pytest.fixture
def sixteen_bit_png() -> Callable[..., bytes]:
    """A PNG of one color with 16 bits a sample, which Pillow reads but cannot write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    def make(width: int, height: int, samples: tuple[int, int, int]) -> bytes:
        head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
        rows = (b"\0" + struct.pack(">HHH", *samples) * width) * height
        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b"")
        )

    return make


@pytest.fixture
def turned(save, drawing) -> Callable[[int, int, int], Path]:
    """A JPEG whose EXIF says how it is to be turned."""

    def make(width: int, height: int, orientation: int) -> Path:
        exif = Image.Exif()
        exif[0x0112] = orientation
        return save(drawing(width, height), exif=exif)

    return make


@pytest.fixture
def saved(drawing, encoded) -> Callable[[str, str], str]:
    """The drawing (640 x 480) in a format and mode, as base64 in lines."""

    def make(kind: str, mode: str) -> str:
        buffer = io.BytesIO()
        drawing(640, 480, mode).save(buffer, kind)
        return encoded(buffer.getvalue(), every=76)

    return make


@pytest.fixture
def recorders() -> Callable[[int], list[Recorder]]:
    """So many recorders of progress."""
    return lambda count: [Recorder() for _ in range(count)]
