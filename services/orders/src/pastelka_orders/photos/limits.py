"""How big a photo may be, in every sense that costs memory, disk or time."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PhotoLimits:
    """Bounds of one photo and of one order's set of photos.

    ``max_bytes`` counts the file as sent. ``max_pixels``, ``min_side`` and ``max_side`` (pixels) are
    compared with the size in the file's header, before a single pixel is decoded. A photo of more than
    ``max_output_pixels`` is accepted and stored smaller.
    """

    max_bytes: int = 50_000_000
    max_pixels: int = 100_000_000
    max_output_pixels: int = 25_000_000
    min_side: int = 64
    max_side: int = 30_000
    max_photos: int = 100
