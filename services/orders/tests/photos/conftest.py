"""Photos of every kind, made on the spot."""

import struct
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import pytest
import pytest_asyncio
from PIL import Image

from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.normalise import prepare_decoders
from pastelka_orders.photos.photo_limits import PhotoLimits
from pastelka_orders.photos.urls import UrlRules
from services.orders.tests.photos.photo_site import Site, running_site
from services.orders.tests.photos.recorder import Recorder, listening

# Top left, top right, bottom left, bottom right.
CORNERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))


def _file(image: Image.Image, image_format: str, **settings: Any) -> bytes:
    file = BytesIO()
    image.save(file, image_format, **settings)
    return file.getvalue()


def _png(size: tuple[int, int], *, color_type: int, depth: int, rows: Iterable[bytes]) -> bytes:
    """A PNG by hand (W3C PNG 3rd edition, 5.3); header and rows may disagree."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", *size, depth, color_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture(scope="session", autouse=True)
def formats() -> None:
    """What the service can read, the tests can write."""
    prepare_decoders(threads=1)


@pytest.fixture(scope="session")
def encoded() -> Callable[..., bytes]:
    """``encoded(image, format, **settings)`` is the file's content."""
    return _file


@pytest.fixture(scope="session")
def png_by_hand() -> Callable[..., bytes]:
    """``png_by_hand(size, color_type=, depth=, rows=)`` is the file's content."""
    return _png


@pytest.fixture(scope="session")
def corners() -> Image.Image:
    """160 x 96 pixels, a color in each quarter: whatever is turned or mirrored shows."""
    image = Image.new("RGB", (160, 96))
    for index, color in enumerate(CORNERS):
        x, y = index % 2 * 80, index // 2 * 48
        image.paste(color, (x, y, x + 80, y + 48))
    return image


@pytest.fixture(scope="session")
def noise() -> Image.Image:
    """Pixels that compress badly, so that a file has a middle to be cut in."""
    return Image.effect_noise((200, 150), 80).convert("RGB")


@pytest.fixture(scope="session")
def jpeg(noise) -> bytes:
    """A plain JPEG without metadata."""
    return _file(noise, "JPEG", quality=90)


@pytest.fixture(scope="session")
def intake() -> Iterator[PhotoIntake]:
    found = PhotoIntake(PhotoLimits())
    yield found
    anyio.run(found.aclose)


@pytest.fixture
def colors_seen() -> Callable[[bytes], tuple[tuple[int, ...], ...]]:
    """The colors in the middle of the four quarters, each channel rounded to 0, 128 or 255."""

    def see(content: bytes) -> tuple[tuple[int, ...], ...]:
        with Image.open(BytesIO(content)) as image:
            rgb = image.convert("RGB")
            xs, ys = (rgb.width // 4, rgb.width * 3 // 4), (rgb.height // 4, rgb.height * 3 // 4)
            return tuple(_rounded(rgb.getpixel((x, y))) for y in ys for x in xs)

    return see


def _rounded(color: Any) -> tuple[int, ...]:
    return tuple(min((0, 128, 255), key=lambda level: abs(level - channel)) for channel in color)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A site that ``downloader`` may contact."""
    async with running_site() as running:
        yield running


@pytest.fixture
async def internal_site() -> AsyncIterator[Site]:
    """A site at an internal address."""
    async with running_site() as running:
        yield running


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
async def downloader(site: Site, intake: PhotoIntake, temporary: Path) -> AsyncIterator[PhotoDownloader]:
    """Downloads from ``site``."""
    rules = UrlRules(allowed_hosts=[f"127.0.0.1:{site.port}"])
    async with PhotoDownloader(intake, rules=rules) as running:
        yield running
    assert not any(temporary.iterdir())  # noqa: ASYNC240 - a folder of this test


@pytest_asyncio.fixture(loop_scope="session")
async def recorders() -> AsyncIterator[Any]:
    """Starts recorders."""
    async with AsyncExitStack() as stack:

        async def start() -> Recorder:
            return await stack.enter_async_context(listening(Recorder()))

        yield start


@pytest_asyncio.fixture(loop_scope="session")
async def inside(recorders: Any) -> Recorder:
    """The server that must not be contacted."""
    found: Recorder = await recorders()
    return found
