"""How big a photo may be, and how much memory and time decoding one may take."""

from dataclasses import dataclass

LARGE_PIXELS = 25_000_000
"""A photo of more pixels than this is decoded while no other large photo is."""

_INTERPRETER = 256 * 1024 * 1024
"""Address space of an idle decoder process (100 MB) with its threads and some reserve."""
_COPIES_OF_FILE = 3
"""The file, the decoder's copy of it, and the output."""
_BYTES_PER_PIXEL = 16
"""Of the decoded photo at its worst: WebP, whose decoder has two canvases and hands over a third."""
_DECODED_PIXELS = 100_000_000
"""Memory is for so many at most: larger JPEGs are scaled while decoded, most others need less a pixel."""


@dataclass(frozen=True, kw_only=True)
class PhotoLimits:
    """Bounds of one photo and of one order's set of photos.

    ``max_bytes`` counts the file as sent. ``max_pixels``, ``min_side`` and ``max_side`` (pixels) are
    compared with the size in the file's header, before a single pixel is decoded. A photo of more than
    ``max_output_pixels`` is accepted and stored smaller.
    """

    max_bytes: int = 50_000_000
    max_pixels: int = 250_000_000
    max_output_pixels: int = 25_000_000
    min_side: int = 64
    max_side: int = 30_000
    max_photos: int = 100


@dataclass(frozen=True, slots=True)
class DecoderBounds:
    """Address space of one decoder process in bytes, and the processor time of one photo in seconds.

    ``large`` is allowed to one process at a time, and to it only while it holds a photo of more than
    :data:`LARGE_PIXELS`.
    """

    usual: int
    large: int
    seconds: float = 60.0

    @classmethod
    def of(cls, limits: PhotoLimits) -> "DecoderBounds":
        """The bounds that follow from the limits of a photo."""
        pixels = min(max(limits.max_pixels, limits.max_output_pixels), _DECODED_PIXELS)
        return cls(
            usual=_memory(limits, min(pixels, LARGE_PIXELS)),
            large=_memory(limits, pixels),
        )

    def of_all(self, workers: int) -> int:
        """Address space of ``workers`` decoder processes together, in bytes."""
        return self.large + (workers - 1) * self.usual


def _memory(limits: PhotoLimits, pixels: int) -> int:
    return _INTERPRETER + _COPIES_OF_FILE * limits.max_bytes + _BYTES_PER_PIXEL * pixels
