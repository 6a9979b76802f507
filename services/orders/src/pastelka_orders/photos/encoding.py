"""Encoding of stored photos: pixels only, lossless where the format allows it.

A phone's photo reveals where and when a child was photographed, and a file can carry another one after its
end. Neither may reach the public storage.
"""

import struct
import zlib
from io import BytesIO

from PIL import Image

from pastelka_orders.photos.colors import png_chunks
from pastelka_orders.photos.formats import Suffix
from pastelka_orders.photos.jpeg import same_compression

_QUALITY = 95
_PNG_COMPRESS_LEVEL = 4  # a third of the default level's time, a few percent larger
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS_KEPT = {b"IHDR": 13, b"IDAT": None, b"IEND": 0, b"sRGB": 1, b"pHYs": 9}
"""Chunks that are kept, with their standard length."""
_PNG_CHANNELS = {(8, 0, 0, 0, 0): 1, (8, 2, 0, 0, 0): 3}
"""Bytes per pixel by depth, color type and methods: 8-bit grey and RGB, not interlaced."""
_INFLATE_CHUNK = 1 << 20


def suffix_for(image_format: str | None) -> Suffix:
    """``png`` for lossless formats (PNG, GIF), else ``jpg``."""
    return "png" if image_format in {"PNG", "GIF"} else "jpg"


def encode(image: Image.Image, *, suffix: Suffix, source: Image.Image) -> bytes:
    """Encode ``image`` (``L`` or ``RGB``) without metadata; ``source`` is the original photo.

    A JPEG's quantization tables are reused, so that rotating a photo neither enlarges nor blurs it.
    """
    image.info = {}  # Pillow would write comments and profiles found there
    file = BytesIO()
    if suffix == "png":
        image.save(file, "PNG", compress_level=_PNG_COMPRESS_LEVEL)
    else:
        usual = {"quality": _QUALITY, "subsampling": 0}
        same = same_compression(source) if source.mode == image.mode else None
        image.save(file, "JPEG", **(same or usual))
    return file.getvalue()


def png_without_metadata(content: bytes) -> bytes | None:
    """Keep only the compressed pixels; ``None`` unless they are complete 8-bit rows in one stream.

    Extra rows, bytes after the stream, or chunks of non-standard length could hide other data.
    """
    try:
        chunks = [(kind, data) for kind, data in png_chunks(content) if kind in _PNG_CHUNKS_KEPT]
        width, height, *coding = struct.unpack(">IIBBBBB", chunks[0][1])
    except (struct.error, IndexError):
        return None
    pixels = [data for kind, data in chunks if kind == b"IDAT"]
    size = height * (1 + width * _PNG_CHANNELS.get(tuple(coding), 0))
    is_usual = (
        tuple(coding) in _PNG_CHANNELS
        and chunks[-1][0] == b"IEND"
        and all(len(data) == _PNG_CHUNKS_KEPT[kind] for kind, data in chunks if kind != b"IDAT")
        and _inflates_to(pixels, size)
    )
    return _PNG_SIGNATURE + b"".join(_png_chunk(*chunk) for chunk in chunks) if is_usual else None


def _png_chunk(kind: bytes, data: memoryview) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join([struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)])


def _inflates_to(parts: list[memoryview], size: int) -> bool:
    """Whether ``parts`` are exactly one zlib stream of ``size`` bytes."""
    inflater, rest = zlib.decompressobj(), size + 1
    try:
        for part in parts:
            pending: bytes | memoryview = part
            while pending and rest > 0 and not inflater.eof:
                rest -= len(inflater.decompress(pending, min(rest, _INFLATE_CHUNK)))
                pending = inflater.unconsumed_tail
            if pending and inflater.eof:
                return False
    except zlib.error:  # such as a wrong checksum, which not every decoder verifies
        return False
    return inflater.eof and not inflater.unused_data and rest == 1
