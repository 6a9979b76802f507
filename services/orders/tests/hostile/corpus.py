"""The corpus: what a stranger sends instead of a photo, and what is said to it.

``LIMITS`` are those the processes under test run with: small enough that a bomb near them takes seconds.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from pastelka_orders.photos.photo_limits import PhotoLimits

from . import files

LIMITS = PhotoLimits(max_bytes=10_000_000, max_pixels=30_000_000)
NEAR = (5470, 5480)
"""Just under the limit of pixels."""

_HTML = b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>"
_SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(document.cookie)</script></svg>"
_DAMAGED = frozenset({"photo_damaged", "photo_truncated"})


@dataclass(frozen=True)
class Hostile:
    """One file: how it is called, what is in it, and the codes it may be refused with."""

    name: str
    make: Callable[[], bytes]
    codes: frozenset[str]
    said: str = ""


def _one(name: str, make: Callable[[], bytes] | bytes, codes: str | Iterable[str], said: str = "") -> Hostile:
    made = cache(make) if callable(make) else lambda: make
    return Hostile(name, made, frozenset({codes} if isinstance(codes, str) else codes), said)


def _cut(image_format: str) -> Hostile:
    def make() -> bytes:
        content = files.noise(image_format)
        return content[: len(content) // 2]

    return _one(f"cut.{image_format.lower()}", make, _DAMAGED)


BOMBS = (
    _one(
        "50000.png",
        lambda: files.png((50_000, 50_000), pixels=files.deflated(10_000_000)),
        "photo_side_too_long",
    ),
    _one("above.png", lambda: files.png((5480, 5480)), "photo_too_many_pixels", "5480 x 5480"),
    _one(
        "rgba16.png",
        lambda: files.png((29_000, 29_000), kind=6, depth=16, pixels=b""),
        "photo_too_many_pixels",
    ),
    _one("claim.webp", lambda: files.webp((16_383, 16_383)), "photo_too_many_pixels", "16383 x 16383"),
    _one("claim2.webp", lambda: files.webp((1 << 24, 200)), "photo_side_too_long"),
    _one(
        "claim.heic",
        lambda: files.claiming(files.encoded("HEIF", (2000, 2000)), (100, 100)),
        {"photo_too_complex", "photo_damaged"},
    ),
    _one(
        "claims-more.heic",
        lambda: files.claiming(files.encoded("HEIF"), (29_000, 29_000)),
        "photo_too_many_pixels",
    ),
    _one(
        "claims-more.avif",
        lambda: files.claiming(files.encoded("AVIF"), (29_000, 29_000)),
        {"photo_too_many_pixels", "photo_damaged"},
    ),
    _one("tile.tif", lambda: files.tiff_tile(16_000), {"photo_too_complex", "photo_damaged"}),
    _one("loop.tif", lambda: files.tiff((256, 4, 1, 100), following=8), "photo_damaged"),
    _one("tags.tif", files.tiff_of_many_tags, "photo_damaged"),
    _one(
        "strip.tif",
        lambda: files.tiff(
            (256, 4, 1, 100), (257, 4, 1, 100), (273, 4, 0x3FFFFFFF, 8), (279, 4, 0x3FFFFFFF, 8)
        ),
        "photo_damaged",
    ),
    _one(
        "ztxt.png",
        lambda: files.png((100, 100), files.chunk(b"zTXt", b"k\0\0" + files.deflated(1 << 29))),
        {"photo_too_complex", "photo_damaged"},
    ),
    _one(
        "itxt.png",
        lambda: files.png(
            (100, 100),
            *[files.chunk(b"iTXt", b"k%d\0\1\0\0\0" % n + files.deflated(1 << 20)) for n in range(200)],
        ),
        {"photo_too_complex", "photo_damaged"},
    ),
    _one(
        "iccp.png",
        lambda: files.png((100, 100), files.chunk(b"iCCP", b"k\0\0" + files.deflated(1 << 29))),
        {"photo_too_complex", "photo_damaged"},
    ),
)
"""Small files that would become large ones."""

NO_PHOTOS = (
    _one("empty.jpg", b"", "photo_empty", "0 bytes"),
    _one("byte.jpg", b"\xff", "photo_not_an_image"),
    _one("page.jpg", _HTML, "photo_not_an_image", "a web page"),
    _one("drawing.jpg", _SVG, "photo_unsupported_format", "an SVG drawing"),
    _one("drawing.svg", b"<?xml version='1.0'?>" + _SVG, "photo_unsupported_format", "an SVG drawing"),
    _one("archive.jpg", b"PK\3\4" + bytes(60), "photo_not_an_image", "a ZIP archive"),
    _one("packed.jpg", lambda: files.gzipped(1 << 28), "photo_not_an_image", "a gzip archive"),
    _one("document.png", lambda: b"%PDF-1.7\n" + files.encoded("PNG"), "photo_not_an_image", "a PDF"),
    _one("script.gif", b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)", "photo_damaged"),
    _one("program.jpg", b"MZ" + bytes(200), "photo_not_an_image"),
    _one("large.jpg", lambda: b"\xff\xd8\xff" + bytes(10_000_001), "photo_too_large", "10 MB"),
    *(_cut(name) for name in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "HEIF", "AVIF")),
)
"""What is no photo, whatever it is called."""

NAMES = (
    ("../../../etc/passwd.jpg", "passwd.jpg"),
    ("/etc/cron.d/photo.jpg", "photo.jpg"),
    ("C:\\Windows\\photo.jpg", "photo.jpg"),
    ("photo.jpg\0.png", "photo.jpg.png"),
    ("x" * 10_000 + ".jpg", "x" * 120),
    ("gpj.\u202eexe", "gpj.exe"),
    ("..", "photo"),
)
"""How a file may be called, and what it is called when it is refused."""

_TAMED: tuple[tuple[str, Callable[[], bytes], bytes | None], ...] = (
    ("script.gif", lambda: files.encoded("GIF", mode="P") + b"/*alert(1)*/", b"alert"),
    ("archive.jpg", lambda: files.noise("JPEG") + b"PK\3\4alert(1)", b"alert"),
    ("comment.jpg", lambda: files.jpeg_with(files.segment(0xFE, b"<script>alert(1)</script>")), b"alert"),
    ("late.jpg", lambda: _late_comment(b"<script>alert(1)</script>"), b"alert"),
    ("document.png", lambda: files.encoded("PNG") + b"%PDF-1.7 alert(1)", b"alert"),
    ("text.png", lambda: files.png((100, 100), files.chunk(b"tEXt", b"k\0alert(1)")), b"alert"),
    (
        "profile.jpg",
        lambda: files.jpeg_with(
            *[
                files.segment(0xE2, b"ICC_PROFILE\0" + bytes([n + 1, 150]) + b"alert" * 12_000)
                for n in range(150)
            ]
        ),
        b"alert",
    ),
    (
        "exif.jpg",
        lambda: files.jpeg_with(*[files.segment(0xE1, b"Exif\0\0" + b"alert" * 12_000)] * 150),
        b"alert",
    ),
    (
        "tables.jpg",
        lambda: files.jpeg_with(*[files.segment(0xDB, b"\3" + b"alert123" * 8)] * 90_000),
        b"alert",
    ),
    ("chunks.png", lambda: files.png((100, 100), *[files.chunk(b"aLer", b"")] * 600_000), b"aLer"),
    ("pixels.png", lambda: files.png((100, 100), pixels=files.deflated(1 << 28)), None),
    ("claim.avif", lambda: files.claiming(files.encoded("AVIF", (6000, 6000), speed=10), (100, 100)), None),
    ("frames.gif", lambda: files.gif_of_frames(5000), None),
    ("near.png", lambda: files.png(NEAR, kind=6, depth=16), None),
    (
        "near-palette.png",
        lambda: files.png(NEAR, files.chunk(b"PLTE", bytes(768)), files.chunk(b"tRNS", bytes(256)), kind=3),
        None,
    ),
    ("near.jpg", lambda: files.encoded("JPEG", NEAR, "CMYK", progressive=True), None),
    ("near.webp", lambda: files.encoded("WEBP", NEAR, lossless=True, quality=1, method=0), None),
    ("scans.jpg", lambda: files.jpeg_of_scans(20, (4000, 4000)), None),
)
TAMED = tuple((name, cache(make), unwanted) for name, make, unwanted in _TAMED)
"""Photos that carry or cost more than they should: taken, without what may not be in what is stored."""


def _late_comment(text: bytes) -> bytes:
    """A JPEG with a comment between two scans."""
    plain = files.encoded("JPEG", progressive=True)
    at = plain.rindex(b"\xff\xda")
    return plain[:at] + files.segment(0xFE, text) + plain[at:]
