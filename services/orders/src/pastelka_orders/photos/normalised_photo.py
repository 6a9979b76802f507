"""A photo as it is stored. Apart from :mod:`.normalise`, so that services need not import the decoders."""

from dataclasses import dataclass
from typing import Literal

Suffix = Literal["jpg", "png"]


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
