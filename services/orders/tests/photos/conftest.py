"""Photos of every kind, made on the spot."""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any

import anyio
import pytest
from PIL import Image

from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.normalise import prepare_decoders
from pastelka_orders.photos.photo_limits import PhotoLimits

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
