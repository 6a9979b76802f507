"""Limits of a photo's size, and of memory and time to decode it."""

from dataclasses import dataclass

LARGE_PIXELS = 25_000_000
"""Photos with more pixels are decoded one at a time."""

_INTERPRETER = 256 * 1024 * 1024
"""Address space of an idle decoder process (100 MB), its threads and a reserve."""
_COPIES_OF_FILE = 3
"""The file, the decoder's copy of it, and the output."""
_BYTES_PER_PIXEL = 16
"""Worst case of a decoded photo: WebP, whose decoder holds two canvases and returns a third."""
_DECODED_PIXELS = 100_000_000
"""Memory limit in pixels: larger JPEGs are scaled while decoded, most others need less per pixel."""


@dataclass(frozen=True, kw_only=True)
class PhotoLimits:
    """Limits of one photo, and of the photos of one order.

    ``max_bytes`` counts the file as sent. ``max_pixels``, ``min_side`` and ``max_side`` (pixels) are compared
    with the size in the file's header, before a single pixel is decoded. A photo of more than
    ``max_output_pixels`` is scaled down.
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

    ``large`` applies to one process at a time, while it decodes a photo of more than :data:`LARGE_PIXELS`.
    """

    usual: int
    large: int
    seconds: float = 60.0

    @classmethod
    def of(cls, limits: PhotoLimits) -> "DecoderBounds":
        """Derive the bounds from the limits of a photo."""
        pixels = min(max(limits.max_pixels, limits.max_output_pixels), _DECODED_PIXELS)
        return cls(
            usual=_memory(limits, min(pixels, LARGE_PIXELS)),
            large=_memory(limits, pixels),
        )

    def of_all(self, workers: int) -> int:
        """Total address space of ``workers`` decoder processes in bytes."""
        return self.large + (workers - 1) * self.usual


def _memory(limits: PhotoLimits, pixels: int) -> int:
    return _INTERPRETER + _COPIES_OF_FILE * limits.max_bytes + _BYTES_PER_PIXEL * pixels
