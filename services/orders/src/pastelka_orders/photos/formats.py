"""Supported file formats, descriptions of the rejected ones, and the form in which a photo is stored."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from pastelka_orders.photos.errors import Refusal

Suffix = Literal["jpg", "png"]

# Pillow's names; "JPEG" includes multi-picture files. Only these decoders read untrusted files: no
# PostScript, no rarely used ones.
READABLE = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "HEIF", "AVIF")

_ADVICE = "send a JPEG, PNG, HEIC, WebP, AVIF, TIFF, GIF or BMP photo"
# Brands that identify the codec of a HEIF file (ISO/IEC 23008-12 annex B, AVIF 1.2 section 8), and the major
# brand by which Pillow selects the decoder. ``mif1`` and similar identify the container only.
_CODING_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), b"avif"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), b"heic"),
}
_CONTAINER_BRANDS = (b"mif1", b"mif2", b"msf1", b"miaf")
_MAX_BRANDS = 64
_WEBP_HEAD = 30  # bytes up to the end of the dimensions, in all three variants
_READABLE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"II*\0", b"MM\0*", b"BM")


class _Kind(NamedTuple):
    start: bytes
    what: str
    is_image: bool


_KNOWN_KINDS = (
    _Kind(b"%PDF", "a PDF document", False),
    _Kind(b"%!PS", "a PostScript document", False),
    _Kind(b"PK\x03\x04", "a ZIP archive or office document", False),
    _Kind(b"\x1f\x8b", "a gzip archive", False),
    _Kind(b"8BPS", "a Photoshop file", True),
    _Kind(b"\xff\x0a", "a JPEG XL image", True),
    _Kind(b"\0\0\0\x0cJXL ", "a JPEG XL image", True),
    _Kind(b"\0\0\0\x0cjP  ", "a JPEG 2000 image", True),
    _Kind(b"\0\0\1\0", "an icon", True),
    _Kind(b"<svg", "an SVG drawing", True),
    _Kind(b"<!doctype html", "a web page", False),
    _Kind(b"<html", "a web page", False),
    _Kind(b"<?xml", "an XML document", False),
)


def unreadable(content: bytes) -> Refusal:
    """The refusal for a file that none of the decoders recognised."""
    head = content[:512]
    if claims_to_be_readable(head):
        return Refusal(
            "photo_damaged", "The beginning of the file is damaged; export or copy the photo again."
        )
    what, is_image = _describe(head)
    if is_image:
        return Refusal("photo_unsupported_format", f"This is {what}, which cannot be read; {_ADVICE}.")
    return Refusal("photo_not_an_image", f"This is {what}, not a photo; {_ADVICE}.")


def camera_raw() -> Refusal:
    """The refusal for a camera's raw file, of which decoders would read only the small preview."""
    return Refusal(
        "photo_unsupported_format", f"This is a camera's raw file, which cannot be read; {_ADVICE}."
    )


def webp_canvas(content: bytes) -> tuple[int, int] | None:
    """Width and height that a WebP file declares (RFC 9649, 2.5 to 2.7); ``None`` for other files."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or len(content) < _WEBP_HEAD:
        return None
    match content[12:16]:
        case b"VP8X":
            return _little(content[24:27]) + 1, _little(content[27:30]) + 1
        case b"VP8L":
            sides = _little(content[21:25])
            return (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return _little(content[26:28]) & 0x3FFF, _little(content[28:30]) & 0x3FFF
    return None


def with_known_brand(content: bytes) -> bytes:
    """``content`` with the codec's brand as major brand, if it is a HEIF file with such a brand."""
    coding = next((brand for brand in _brands(content) if brand in _CODING_BRANDS), None)
    if coding is None or content[8:12] in _CODING_BRANDS:
        return content
    return content[:8] + _CODING_BRANDS[coding] + content[12:]


def _brands(content: bytes) -> list[bytes]:
    """Major and compatible brands (ISO/IEC 14496-12, 4.3)."""
    if content[4:8] != b"ftyp":
        return []
    box = content[8 : min(int.from_bytes(content[:4]), 16 + 4 * _MAX_BRANDS)]
    brands = [box[at : at + 4] for at in range(0, len(box), 4)]
    return [*brands[:1], *brands[2:]]  # a version is between them


def _little(digits: bytes) -> int:
    return int.from_bytes(digits, "little")


def claims_to_be_readable(head: bytes) -> bool:
    """Whether ``head``, a file's first bytes, has the signature of a supported format."""
    if head[4:8] == b"ftyp":
        return any(brand in _CODING_BRANDS for brand in _brands(head))
    return head.startswith(_READABLE_STARTS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def _describe(head: bytes) -> tuple[str, bool]:
    if head[4:8] == b"ftyp":
        return _describe_container(head)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<?xml") and b"<svg" in start:
        return "an SVG drawing", True
    for kind in _KNOWN_KINDS:
        if head.startswith(kind.start) or start.lower().startswith(kind.start):
            return kind.what, kind.is_image
    return ("a text file", False) if _is_text(head) else ("a file of an unknown kind", False)


def _describe_container(head: bytes) -> tuple[str, bool]:
    if head[8:11] == b"crx":
        return "a camera's raw file", True
    if any(brand in _CONTAINER_BRANDS for brand in _brands(head)):
        return "a HEIF image with a codec other than HEVC and AV1", True
    return "a video", False


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and bool(head.decode("utf-8", errors="ignore").strip()) and head[:1].isascii()


@dataclass(frozen=True, slots=True)
class NormalisedPhoto:
    """A photo as it is stored: upright, 8-bit grey or RGB (sRGB), without metadata; size in pixels.

    ``thumbnail`` is a small WebP of it; ``None`` if its creation failed.
    """

    content: bytes
    suffix: Suffix
    width: int
    height: int
    thumbnail: bytes | None = None
