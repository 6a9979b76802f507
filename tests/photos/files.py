"""Photos as phones, cameras and programs write them, beyond Pillow's own capabilities."""

import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from itertools import product
from typing import Any

from PIL import Image

XMP_TURNED = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
SRGB_XYZ = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
P3_XYZ = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
"""Red, green and blue in CIE XYZ, adapted to D50 as profiles have them."""
ADOBE_XYZ = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
_D50 = (0.9642, 1.0, 0.8249)
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def encoded(image: Image.Image, image_format: str, **settings: Any) -> bytes:
    """``image`` as Pillow writes it."""
    file = BytesIO()
    image.save(file, image_format, **settings)
    return file.getvalue()


def with_xmp(image: Image.Image, image_format: str, xmp: bytes = XMP_TURNED) -> bytes:
    """``image`` as JPEG, PNG, WebP or AVIF with XMP (Pillow writes none into PNG)."""
    content = encoded(image, image_format, xmp=xmp)
    if image_format.upper() == "PNG":
        content = with_chunks(content, (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    return content


def plain(color: Any, mode: str = "RGB", size: tuple[int, int] = (96, 80)) -> Image.Image:
    """An image of one color."""
    return Image.new(mode, size, color)


# Color profiles (ICC.1:2010, 7 to 10)


def profile(
    name: str, colorants: Sequence[Sequence[float]] = SRGB_XYZ, curve: float | tuple[float, ...] = _SRGB_CURVE
) -> bytes:
    """An RGB profile; ``curve`` is an exponent or the five numbers of a parametric curve."""
    tags = {b"desc": _text(name), b"wtpt": _xyz(_D50)}
    for letter, colorant in zip(b"rgb", colorants, strict=True):
        tags[bytes([letter]) + b"XYZ"] = _xyz(colorant)
        tags[bytes([letter]) + b"TRC"] = _curve(curve)
    return _profile(b"RGB ", tags)


def grey_profile(curve: float | tuple[float, ...], name: str = "Grey") -> bytes:
    """A grey profile."""
    return _profile(b"GRAY", {b"desc": _text(name), b"wtpt": _xyz(_D50), b"kTRC": _curve(curve)})


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    offset, table, data = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for kind, content in tags.items():
        table += struct.pack(">4sII", kind, offset + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = offset + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x04300000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + _xyz(_D50)[8:] + bytes(48)
    return head + table + data


def _xyz(value: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(number * 65536) for number in value))


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(data), 28) + data


def _curve(curve: float | tuple[float, ...]) -> bytes:
    numbers = curve if isinstance(curve, tuple) else (curve,)
    kind = 3 if isinstance(curve, tuple) else 0
    return (
        b"para"
        + struct.pack(">IHH", 0, kind, 0)
        + b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)
    )


# JPEG (ITU-T T.81, annex B)


def segment(marker: int, data: bytes) -> bytes:
    """One segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def segments(content: bytes) -> list[tuple[int, bytes]]:
    """Marker and data of each segment before the first scan."""
    found, at = [], 2
    while content[at + 1] != 0xDA:
        length = int.from_bytes(content[at + 2 : at + 4])
        found.append((content[at + 1], content[at + 4 : at + 2 + length]))
        at += 2 + length
    return found


def _with_segments(content: bytes, new: Sequence[tuple[int, bytes]]) -> bytes:
    return content[:2] + b"".join(segment(*one) for one in new) + content[content.index(b"\xff\xda") :]


def with_segment(content: bytes, marker: int, data: bytes) -> bytes:
    """A JPEG with an additional segment at its start."""
    return content[:2] + segment(marker, data) + content[2:]


def without_segments(content: bytes, *markers: int) -> bytes:
    """A JPEG without these."""
    return _with_segments(content, [one for one in segments(content) if one[0] not in markers])


def with_table_numbers(content: bytes, numbers: dict[int, int]) -> bytes:
    """A JPEG whose quantization tables have other numbers, in DQT and SOF alike."""
    new = []
    for marker, data in segments(content):
        changed = bytearray(data)
        if marker == 0xDB:
            for at in range(0, len(data), 65):
                changed[at] = numbers.get(data[at], data[at])
        elif marker in {0xC0, 0xC1, 0xC2}:
            for at in range(8, len(data), 3):
                changed[at] = numbers.get(data[at], data[at])
        new.append((marker, bytes(changed)))
    return _with_segments(content, new)


def with_scans(content: bytes, count: int) -> bytes:
    """A progressive JPEG with ``count`` repetitions of its last scan."""
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * count + b"\xff\xd9"


def scans(content: bytes) -> list[int]:
    """Offset of each scan."""
    return [at for at in range(len(content)) if content.startswith(b"\xff\xda", at)]


def half_with_an_end(content: bytes) -> bytes:
    """Half of the coded pixels, and the end marker."""
    start = content.index(b"\xff\xda")
    return content[: (start + len(content)) // 2] + b"\xff\xd9"


def zeroed(content: bytes, start: int, count: int = 4096) -> bytes:
    """A block of zeros in the pixel data, as an interrupted transfer leaves it."""
    middle = (start + len(content)) // 2
    return content[: middle - count // 2] + bytes(count) + content[middle + count - count // 2 :]


# PNG (W3C PNG 3rd edition)

PNG_START = b"\x89PNG\r\n\x1a\n"
_ADAM7 = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and data of all chunks."""
    found, at = [], 8
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        found.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def with_chunks(content: bytes, *new: tuple[bytes, bytes], before: bytes = b"IDAT") -> bytes:
    """A PNG with chunks before the first of a kind."""
    old = chunks(content)
    at = [kind for kind, _ in old].index(before)
    return PNG_START + b"".join(chunk(*one) for one in [*old[:at], *new, *old[at:]])


def png(
    size: tuple[int, int], rows: Sequence[bytes], *, kind: int, depth: int = 8, is_interlaced: bool = False
) -> bytes:
    """A PNG of whole pixels; interlaced ones have 8 or 16 bits a sample."""
    bits = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind] * depth
    data = b"".join(b"\0" + row for row in (_interlaced(size, rows, bits // 8) if is_interlaced else rows))
    head = struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, int(is_interlaced))
    return PNG_START + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def _interlaced(size: tuple[int, int], rows: Sequence[bytes], step: int) -> list[bytes]:
    return [
        b"".join(rows[y][x * step : (x + 1) * step] for x in range(left, size[0], across))
        for top, down, left, across in _ADAM7
        for y in range(top, size[1], down)
        if left < size[0]
    ]


# ISO base media files: HEIC and AVIF (ISO/IEC 14496-12, 23008-12)


def with_brand(content: bytes, major: bytes, *compatible: bytes) -> bytes:
    """A HEIC or AVIF with another ``ftyp`` brand of the same length: boxes contain file offsets."""
    size = int.from_bytes(content[:4])
    brands = b"".join(compatible)[: size - 16] or content[16:size]
    brands += b"".join([b"miaf"] * ((size - 16 - len(brands)) // 4))
    return content[:8] + major + content[12:16] + brands + content[size:]


def with_code_points(content: bytes, primaries: int, transfer: int) -> bytes:
    """A HEIC or AVIF whose ``colr`` boxes of kind ``nclx`` have other primaries and another curve."""
    changed, at = bytearray(content), content.find(b"colrnclx")
    assert at > 0, "no nclx to be changed"
    while at > 0:
        changed[at + 8 : at + 12] = struct.pack(">HH", primaries, transfer)
        at = content.find(b"colrnclx", at + 1)
    return bytes(changed)


def pq(nits: float) -> int:
    """The 8-bit level of a luminance (ITU-R BT.2100)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = (nits / 10_000) ** m1
    return round(255 * ((c1 + c2 * root) / (1 + c3 * root)) ** m2)


# BMP


def bmp(
    image: Image.Image, *, header: int, masks: Sequence[int], alpha: int | None = None, bits: int = 32
) -> bytes:
    """BITFIELDS of an ``RGB`` image: red, green and blue by their masks, and ``alpha`` by the fourth."""
    rows = []
    for y in reversed(range(image.height)):
        row = b"".join(
            _field(image.getpixel((x, y)), masks, alpha).to_bytes(bits // 8, "little")
            for x in range(image.width)
        )
        rows.append(row + bytes(-len(row) % 4))
    pixels = b"".join(rows)
    info = struct.pack("<IiiHHIIiiII", header, *image.size, 1, bits, 3, len(pixels), 2835, 2835, 0, 0)
    info += b"".join(struct.pack("<I", mask) for mask in masks)
    info += bytes(header - len(info)) if header > len(info) else b""
    offset = 14 + len(info)
    return b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + info + pixels


def _field(color: Any, masks: Sequence[int], alpha: int | None) -> int:
    value = 0
    for level, mask in zip((*color, alpha or 0), masks, strict=False):
        shift = (mask & -mask).bit_length() - 1 if mask else 0
        value |= (level * (mask >> shift) // 255) << shift
    return value


# TIFF (TIFF 6.0, sections 2 and 16)

_SHORT, _LONG = 3, 4


def tiff(
    size: tuple[int, int],
    pixels: bytes,
    *,
    photometric: int,
    bits: Sequence[int],
    big_endian: bool = False,
    extra: dict[int, Sequence[int]] | None = None,
) -> bytes:
    """An uncompressed TIFF of one strip; ``pixels`` are already in its byte order."""
    tags = {
        256: (_LONG, [size[0]]),
        257: (_LONG, [size[1]]),
        258: (_SHORT, bits),
        259: (_SHORT, [1]),
        262: (_SHORT, [photometric]),
        273: (_LONG, [8]),
        277: (_SHORT, [len(bits)]),
        278: (_LONG, [size[1]]),
        279: (_LONG, [len(pixels)]),
        **{tag: (_SHORT, values) for tag, values in (extra or {}).items()},
    }
    order = ">" if big_endian else "<"
    at = 8 + len(pixels) + len(pixels) % 2
    entries, rest = b"", b""
    behind = at + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}{'H' if kind == _SHORT else 'I'}", *values)
        if len(packed) > 4:
            packed, rest = struct.pack(f"{order}I", behind + len(rest)), rest + packed
        entries += struct.pack(f"{order}HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    head = (b"MM" if big_endian else b"II") + struct.pack(f"{order}HI", 42, at)
    directory = struct.pack(f"{order}H", len(tags)) + entries + bytes(4)
    return head + pixels + bytes(len(pixels) % 2) + directory + rest


def corners(size: tuple[int, int] = (96, 64)) -> Image.Image:
    """A color in each quarter, which reveals rotation and mirroring."""
    image, (width, height) = Image.new("RGB", size), size
    colors = ((224, 48, 40), (48, 176, 72), (40, 64, 200), (232, 200, 56))
    for (y, x), color in zip(product((0, 1), (0, 1)), colors, strict=True):
        image.paste(color, (x * width // 2, y * height // 2, (x + 1) * width // 2, (y + 1) * height // 2))
    return image


def noise(size: tuple[int, int] = (320, 240), deviation: float = 60) -> Image.Image:
    """Colored noise that compresses badly, so that damage hits pixel data."""
    bands = [Image.effect_noise(size, deviation) for _ in range(3)]
    return Image.merge("RGB", bands)
