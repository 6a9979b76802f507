"""What decoding one photo may cost: memory and time that no file can exceed, whatever is in it."""

from dataclasses import dataclass

from pastelka_orders.photos.limits import PhotoLimits

LARGE_PIXELS = 25_000_000
"""A photo of more pixels than this is decoded alone."""

_INTERPRETER = 256 * 1024 * 1024
"""Address space of a decoder process that does nothing (70 MB), with its threads and some air."""
_COPIES_OF_FILE = 3
"""The file, what a decoder keeps of it, and what is written."""
_BYTES_PER_PIXEL = 16
"""Of the decoded photo at its worst: WebP, whose decoder has two canvases and hands over a third."""


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
        pixels = max(limits.max_pixels, limits.max_output_pixels)
        return cls(
            usual=_memory(limits, min(pixels, LARGE_PIXELS)),
            large=_memory(limits, pixels),
        )

    def of_all(self, workers: int) -> int:
        """Address space of ``workers`` decoder processes together, in bytes."""
        return self.large + (workers - 1) * self.usual


def _memory(limits: PhotoLimits, pixels: int) -> int:
    return _INTERPRETER + _COPIES_OF_FILE * limits.max_bytes + _BYTES_PER_PIXEL * pixels
