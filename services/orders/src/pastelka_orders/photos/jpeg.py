"""Structure of a JPEG (ITU-T T.81, annex B), and whether it is complete."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import simplejpeg
from PIL import Image, JpegImagePlugin

from pastelka_orders.photos.errors import Refusal, cut_off, incomplete, too_complex

MAX_SCANS = 100
"""Each scan makes the decoder process all pixels again; encoders write at most about twenty."""

JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"

_USUAL_SCANS = 20
_USUAL_SEGMENTS = 32  # before the pixels
_USUAL_TABLE_BYTES = 2_200  # of one segment: all eight Huffman tables fit

# The last of several 0xFF, which may pad a marker: a run of them takes linear time.
_MARKER = re.compile(rb"\xff([^\x00\xff])", re.DOTALL)
_MARKER_AFTER_DATA = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
_SOS, _EOI, _COMMENT, _JFIF, _ADOBE = 0xDA, 0xD9, 0xFE, 0xE0, 0xEE
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_APPLICATION = range(0xE0, 0xF0)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_HUFFMAN_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_TABLES = frozenset({0xC4, 0xDB, 0xDD})  # DHT, DQT, DRI
_ARITHMETIC = 0xCC
_CMYK_COMPONENTS = 4
_JFIF_WITHOUT_THUMBNAIL = 14  # bytes, ITU-T T.871
_ADOBE_BYTES = 12
_SCALE = 8  # the smallest scale of the decoder: nearly all of its time is spent on entropy decoding
_DAMAGE = re.compile(r"^(Corrupt JPEG data|Premature end of JPEG)")
_BYTES_LEFT = re.compile(r"(?<!\d)(\d++) extraneous bytes before marker 0xd9")


@dataclass(frozen=True, slots=True)
class _Segment:
    """One marker with its parameters (``data``), and the entropy-coded data after a start of scan."""

    marker: int
    data: bytes
    pixels: bytes | memoryview = b""

    @property
    def parts(self) -> tuple[bytes, bytes | memoryview]:
        """Its bytes, without copying the pixels."""
        return bytes((0xFF, self.marker)) + (len(self.data) + 2).to_bytes(2) + self.data, self.pixels

    @property
    def is_metadata(self) -> bool:
        """Whether it does not affect how pixels are decoded."""
        if self.marker == _JFIF:
            return not (self.data.startswith(b"JFIF\0") and len(self.data) == _JFIF_WITHOUT_THUMBNAIL)
        if self.marker == _ADOBE:
            return not self.data.startswith(b"Adobe")
        return self.marker in _APPLICATION or self.marker == _COMMENT


def _segments(content: bytes) -> Iterator[_Segment]:
    """All segments up to the end marker, read as libjpeg does: bytes between segments are skipped."""
    found = _MARKER.search(content, len(JPEG_START))
    cut = len(content) - content.endswith(b"\xff")  # half an end marker
    while found is not None:
        marker, at = found[1][0], found.end()
        if marker == _EOI:
            yield _Segment(marker, b"")
            return
        if marker in _STANDALONE:
            found = _MARKER.search(content, at)
            continue
        end = at + max(int.from_bytes(content[at : at + 2]), 2)
        found = (_MARKER_AFTER_DATA if marker == _SOS else _MARKER).search(content, end)
        coded = slice(end, found.start() if found else cut) if marker == _SOS else slice(0)
        yield _Segment(marker, content[at + 2 : end], memoryview(content)[coded])


class Jpeg:
    """The segments of one JPEG up to its end marker."""

    def __init__(self, content: bytes) -> None:
        found = list(_segments(content))
        self._segments = [segment for segment in found if segment.marker != _EOI]
        self._has_end = len(self._segments) < len(found)
        self._is_sound = True
        self._scans = [segment for segment in self._segments if segment.marker == _SOS]
        self._frame = next((segment for segment in self._segments if segment.marker in _FRAMES), None)

    def check(self) -> None:
        """Raise :class:`Refusal` if pixels are missing, or if there are too many scans to decode."""
        if len(self._scans) > MAX_SCANS:
            raise too_complex()
        if self._frame is None or not self._scans:
            return  # the decoder reports the error
        if not self._has_all_coefficients(self._frame):
            raise self._incomplete_refusal()
        try:
            simplejpeg.decode_jpeg(self._minimal(), self._check_colors, min_factor=_SCALE, strict=True)
        except ValueError as error:
            if _DAMAGE.search(str(error)) and not self._is_padded(str(error)):
                raise self._incomplete_refusal() from error
            self._is_sound = False

    def without_metadata(self) -> bytes | None:
        """Keep only the coded pixels; ``None`` if the file has unusual parts.

        Unusual parts could hide other data, or be unreadable for a browser.
        """
        kept = [segment for segment in self._segments if not segment.is_metadata]
        first = next((at for at, segment in enumerate(self._segments) if segment.marker == _SOS), 0)
        is_usual = (
            self._is_sound
            and self._frame is not None
            and self._frame.marker in _HUFFMAN_FRAMES
            and len(self._scans) <= _USUAL_SCANS
            and len(kept) - len(self._scans) <= _USUAL_SEGMENTS + 2 * len(self._scans)
            and all(_is_usual(segment) for segment in kept)
            and not any(segment.is_metadata for segment in self._segments[first:])
            and not bytes(self._scans[-1].pixels[-8:]).endswith(bytes(8))
        )
        return _joined(kept) if is_usual else None

    def _incomplete_refusal(self) -> Refusal:
        return incomplete() if self._has_end else cut_off()

    @property
    def _components(self) -> bytes:
        """Identifiers of the color components."""
        return b"" if self._frame is None else self._frame.data[6::3]

    @property
    def _check_colors(self) -> str:
        return "CMYK" if len(self._components) == _CMYK_COMPONENTS else "GRAY"

    def _has_all_coefficients(self, frame: _Segment) -> bool:
        """Whether the scans contain every coefficient of every component to its last bit (annex G.1)."""
        bits: dict[int, dict[int, int]] = defaultdict(dict)
        for scan in self._scans:
            count = scan.data[0] if scan.data else 0
            first, last, precision = _spectrum(scan, frame)
            for component in scan.data[1 : 1 + 2 * count : 2]:
                bits[component].update(dict.fromkeys(range(first, last + 1), precision))
        return all(
            len(bits[component]) == 64 and not any(bits[component].values())  # noqa: PLR2004 - of a block
            for component in self._components
        )

    def _minimal(self) -> bytes:
        """The segments that the decoder needs, so that its warnings concern only the pixels."""
        wanted = _TABLES | _FRAMES | {_ARITHMETIC, _SOS}
        is_progressive = self._frame is not None and self._frame.marker in _PROGRESSIVE
        return _joined(
            segment if is_progressive or segment.marker != _SOS else _with_valid_spectrum(segment)
            for segment in self._segments
            if segment.marker in wanted
        )

    def _is_padded(self, warning: str) -> bool:
        """Whether only zeros follow the pixels, as some cameras write."""
        left = _BYTES_LEFT.search(warning)
        return left is not None and not bytes(self._scans[-1].pixels[-int(left[1]) :]).strip(b"\0")


def _joined(segments: Iterable[_Segment]) -> bytes:
    return b"".join([JPEG_START, *(part for segment in segments for part in segment.parts), JPEG_END])


def _spectrum(scan: _Segment, frame: _Segment) -> tuple[int, int, int]:
    """First and last coefficient of a scan, and its lowest bit; old cameras write invalid values."""
    if frame.marker not in _PROGRESSIVE:
        return 0, 63, 0
    first, last, bits = (*scan.data[-3:], 0, 0, 0)[:3]
    return first, min(last, 63), bits & 0x0F


def _with_valid_spectrum(scan: _Segment) -> _Segment:
    return _Segment(scan.marker, scan.data[:-3] + b"\0\x3f\0", scan.pixels)


def _is_usual(segment: _Segment) -> bool:
    if segment.marker == _ADOBE:
        return len(segment.data) == _ADOBE_BYTES
    if segment.marker in _HUFFMAN_FRAMES:
        return segment.data[:1] == b"\x08" and len(segment.data) <= 6 + 3 * 3  # three components at most
    if segment.marker in _TABLES:
        return len(segment.data) <= _USUAL_TABLE_BYTES
    return segment.marker in {_SOS, _JFIF}


def same_compression(source: Image.Image) -> dict[str, Any] | None:
    """Pillow's settings to compress like ``source``; ``None`` if it is not a usual JPEG.

    The tables are in the order of the components that use them, as Pillow expects.
    """
    if not isinstance(source, JpegImagePlugin.JpegImageFile):
        return None
    numbers = [number for _, _, _, number in source.layer]
    sampling = JpegImagePlugin.get_sampling(source)
    is_usual = len(numbers) == 1 or (len(numbers) == 3 and numbers[1] == numbers[2] and sampling >= 0)  # noqa: PLR2004 - grey, or luminance and two of color
    if not is_usual or not set(numbers) <= source.quantization.keys():
        return None
    return {"qtables": [source.quantization[number] for number in numbers[:2]], "subsampling": sampling}
