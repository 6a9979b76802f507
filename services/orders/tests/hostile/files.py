"""Handmade files, as an attacker would make them: false sizes, false tables."""

import struct
import zlib
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image

PNG_START = b"\x89PNG\r\n\x1a\n"
_MEGABYTE = 1 << 20


def encoded(
    image_format: str, size: tuple[int, int] = (100, 100), mode: str = "RGB", **settings: Any
) -> bytes:
    """An empty picture in a real file."""
    file = BytesIO()
    Image.new(mode, size).save(file, image_format, **settings)
    return file.getvalue()


def noise(image_format: str, size: tuple[int, int] = (200, 150), **settings: Any) -> bytes:
    """A picture that does not compress, so that its file has a middle."""
    file = BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(file, image_format, **settings)
    return file.getvalue()


@cache
def deflated(size: int) -> bytes:
    """``size`` zero bytes, a thousandth as long."""
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(piece) for piece in _zeros(size)), packer.flush()])


@cache
def gzipped(size: int) -> bytes:
    """The same as a gzip file."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(piece) for piece in _zeros(size)), packer.flush()])


def _zeros(size: int) -> Iterator[bytes]:
    whole, rest = divmod(size, _MEGABYTE)
    yield from [bytes(_MEGABYTE)] * whole
    yield bytes(rest)


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG (W3C PNG, 5.3)."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    size: tuple[int, int], *more: bytes, kind: int = 2, depth: int = 8, pixels: bytes | None = None
) -> bytes:
    """A PNG of zeros with ``more`` chunks before its pixels; ``pixels`` are other ones, packed."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    row = (size[0] * channels * depth + 7) // 8 + 1
    header = struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0)
    packed = deflated(row * size[1]) if pixels is None else pixels
    return b"".join([PNG_START, chunk(b"IHDR", header), *more, chunk(b"IDAT", packed), chunk(b"IEND", b"")])


def tiff(*entries: tuple[int, int, int, int], data: bytes = b"", following: int = 0) -> bytes:
    """A TIFF of one directory (tag, type, count, value); ``data`` begins at :func:`tiff_data`."""
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    return head + directory + struct.pack("<I", following) + data


def tiff_data(entries: int) -> int:
    """Where the data of a TIFF with so many entries begins."""
    return 8 + 2 + 12 * entries + 4


def tiff_tile(side: int) -> bytes:
    """A TIFF of 100 x 100 pixels in one tile of ``side`` x ``side``."""
    at, packed = tiff_data(11), deflated(side * side * 3)
    return tiff(
        *((256, 4, 1, 100), (257, 4, 1, 100), (258, 3, 3, at), (259, 3, 1, 8), (262, 3, 1, 2)),
        *((277, 3, 1, 3), (284, 3, 1, 1), (322, 4, 1, side), (323, 4, 1, side)),
        *((324, 4, 1, at + 6), (325, 4, 1, len(packed))),
        data=struct.pack("<HHH", 8, 8, 8) + packed,
    )


def tiff_of_many_tags(count: int = 60_000) -> bytes:
    """A TIFF whose directory is a bomb: each entry claims a gigabyte."""
    return tiff((256, 4, 1, 100), (257, 4, 1, 100), *[(40_000 + n % 9000, 4, 2**28, 8) for n in range(count)])


def webp(canvas: tuple[int, int]) -> bytes:
    """An animated WebP of 100 x 100 pixels that claims another canvas (RFC 9649, 2.7)."""
    still = encoded("WEBP", lossless=True)
    size = struct.unpack("<I", still[16:20])[0]
    picture = b"VP8L" + struct.pack("<I", size) + still[20 : 20 + size] + bytes(size % 2)
    frame = bytes(6) + _three(99) + _three(99) + _three(10) + b"\0" + picture
    parts = [
        (b"VP8X", b"\2\0\0\0" + _three(canvas[0] - 1) + _three(canvas[1] - 1)),
        (b"ANIM", bytes(6)),
        (b"ANMF", frame),
    ]
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in parts
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _three(number: int) -> bytes:
    return struct.pack("<I", number)[:3]


def claiming(content: bytes, size: tuple[int, int]) -> bytes:
    """A HEIC or AVIF file that claims another size (ISO/IEC 23008-12, ``ispe``)."""
    changed, at = bytearray(content), content.index(b"ispe")
    changed[at + 8 : at + 16] = struct.pack(">II", *size)
    return bytes(changed)


def gif_of_frames(count: int) -> bytes:
    """A GIF of one frame, so many times."""
    one = encoded("GIF", mode="P")
    at = one.index(b"\x2c\0\0\0\0d")
    return one[:-1] + (b"\x21\xf9\x04\0\1\0\0\0" + one[at:-1]) * count + b";"


def segment(marker: int, data: bytes) -> bytes:
    """One segment of a JPEG (ITU-T T.81, B.1.1)."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg_with(*segments: bytes) -> bytes:
    """A JPEG with these segments at its start."""
    plain = encoded("JPEG")
    return plain[:2] + b"".join(segments) + plain[2:]


def jpeg_of_scans(count: int, size: tuple[int, int]) -> bytes:
    """A JPEG whose last scan is repeated: each goes over all pixels again."""
    plain = encoded("JPEG", size, "L", progressive=True)
    last = plain[plain.rindex(b"\xff\xda") : -2]
    return plain[:-2] + last * count + b"\xff\xd9"
