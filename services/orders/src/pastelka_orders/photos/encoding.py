"""What is written to storage: pixels and nothing else, without loss where the file allows it.

A phone's photo says where and when a child was photographed; a file can also carry a second file behind
its last byte. Neither may reach the public storage.
"""

import re
import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Literal

from PIL import Image, JpegImagePlugin

Suffix = Literal["jpg", "png"]

_QUALITY = 95
_PNG_COMPRESS_LEVEL = 4  # a third of the default level's time for a few percent more bytes
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"gAMA", b"cHRM", b"sRGB", b"pHYs"}
_JPEG_START_OF_SCAN = 0xDA
_JPEG_COMMENT = 0xFE
_JPEG_APPLICATION = range(0xE0, 0xF0)
_JPEG_ADOBE = 0xEE
_JPEG_END = b"\xff\xd9"
_JPEG_MOST_SEGMENTS = 32  # before the pixels; tables that nobody needs are somebody's luggage
_JPEG_LATE_METADATA = re.compile(rb"\xff[\xe0-\xef\xfe]")
_JFIF_WITHOUT_THUMBNAIL = 14  # bytes of the segment, ITU-T T.871


def suffix_for(image_format: str | None) -> Suffix:
    """Drawings stay lossless (PNG, GIF), photos become JPEG."""
    return "png" if image_format in {"PNG", "GIF"} else "jpg"


def encode(image: Image.Image, *, suffix: Suffix, source: Image.Image) -> bytes:
    """``image`` (``L`` or ``RGB``) as a file without metadata; ``source`` is the photo it was made from.

    A JPEG's own quantization tables are used again, so that turning a photo neither bloats nor blurs it.
    """
    image.info = {}  # Pillow would write comments and profiles found there
    file = BytesIO()
    if suffix == "png":
        image.save(file, "PNG", compress_level=_PNG_COMPRESS_LEVEL)
    else:
        image.save(file, "JPEG", **_jpeg_settings(image, source))
    return file.getvalue()


def _jpeg_settings(image: Image.Image, source: Image.Image) -> dict[str, Any]:
    if source.mode == image.mode and isinstance(source, JpegImagePlugin.JpegImageFile):
        return {"qtables": source.quantization, "subsampling": JpegImagePlugin.get_sampling(source)}
    return {"quality": _QUALITY, "subsampling": 0}


def without_metadata(content: bytes, image_format: str | None) -> bytes | None:
    """The same compressed pixels without metadata and trailing bytes, or ``None`` where that is not simple.

    ``content`` itself is answered where there is nothing to take away.
    """
    try:
        if image_format == "PNG":
            return _join(content, [_PNG_SIGNATURE, *_png_chunks_kept(content)])
        if image_format in {"JPEG", "MPO"}:
            return _jpeg_without_metadata(content)
    except (struct.error, ValueError):
        return None
    return None


def _join(content: bytes, parts: list[bytes]) -> bytes:
    joined = b"".join(parts)
    return content if joined == content else joined


def _png_chunks_kept(content: bytes) -> Iterator[bytes]:
    offset, kind = len(_PNG_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, offset)
        end = offset + 12 + length
        if end > len(content):
            raise ValueError("chunk reaches beyond the end")
        if kind in _PNG_CHUNKS_KEPT:
            yield content[offset:end]
        offset = end


def _jpeg_without_metadata(content: bytes) -> bytes | None:
    parts = [content[:2]]
    offset, marker = 2, 0
    while marker != _JPEG_START_OF_SCAN:
        start, marker, length = struct.unpack_from(">BBH", content, offset)
        segment = content[offset : offset + 2 + length]
        if start != 0xFF or len(segment) < 4:  # noqa: PLR2004 - marker and length, ITU-T T.81 B.1.1
            return None
        if not _is_metadata(marker, segment):
            parts.append(segment)
        offset += len(segment)
    if len(parts) > _JPEG_MOST_SEGMENTS or _JPEG_LATE_METADATA.search(content, offset):
        return None
    # Anything behind the first end marker is a second file (a video, an archive): then pixels only.
    if content.find(_JPEG_END, offset) != len(content) - len(_JPEG_END):
        return None
    return _join(content, [*parts, content[offset:]])


def _is_metadata(marker: int, segment: bytes) -> bool:
    if marker not in _JPEG_APPLICATION:
        return marker == _JPEG_COMMENT
    data = segment[4:]
    is_jfif = data.startswith(b"JFIF\0") and len(data) == _JFIF_WITHOUT_THUMBNAIL
    return not is_jfif and not (marker == _JPEG_ADOBE and data.startswith(b"Adobe"))
