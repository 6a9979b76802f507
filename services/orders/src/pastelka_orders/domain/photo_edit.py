"""Edits of a photo: which part of the original they show, and how bright. Pure.

The photo is turned by quarter turns, then straightened: rotated around its center behind a frame of its own
proportions, the largest without an empty corner. The crop is a part of that frame, so whatever the parameters
are, every pixel comes from inside the original. Brightness and contrast are the CSS filter functions
(https://www.w3.org/TR/filter-effects-1/#supported-filter-functions), which browsers preview with.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import cos, radians, sin
from typing import Any

MAX_STRAIGHTEN = 15.0
"""Degrees, either way."""
MAX_TONE = 50
"""Percent that brightness and contrast are changed by, either way."""
MIN_CROP = 0.02
"""Of a side of the frame."""
_LEVELS = 256

Size = tuple[int, int]
"""Width and height in pixels."""
Affine = tuple[float, float, float, float, float, float]
"""From a point of the output to one of the input: ``x = a * x + b * y + c``, ``y = d * x + e * y + f``."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of the frame; all values are fractions of its sides."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0


WHOLE = Crop()


@dataclass(frozen=True, slots=True)
class PhotoEdit:
    """Parameters of an edit: clockwise quarter turns (0..3), clockwise degrees, crop, percent of tones."""

    quarter_turns: int = 0
    straighten: float = 0.0
    crop: Crop = field(default=WHOLE)
    brightness: int = 0
    contrast: int = 0

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> "PhotoEdit":
        """The edit with these parameters, as in the database and in requests; ``None`` is no edit."""
        crop = (values or {}).get("crop")
        return cls(**{**(values or {}), "crop": Crop(**crop) if crop else WHOLE})

    def changed(self, values: Mapping[str, Any]) -> "PhotoEdit":
        """The edit with new ``values``; the parameters that are not among them stay."""
        return PhotoEdit.of({**asdict(self), **values})

    @property
    def is_none(self) -> bool:
        """Whether it leaves the photo as it is."""
        return self == PhotoEdit()

    @property
    def document(self) -> dict[str, Any]:
        """All parameters as JSON."""
        return asdict(self)

    def digest(self) -> str:
        """Differs for each edit; part of the name of the edited photo."""
        content = json.dumps(self.document, sort_keys=True).encode()
        return hashlib.blake2b(content, digest_size=8).hexdigest()

    def tones(self) -> list[int]:
        """The new level of each of the 256 levels of a channel."""
        bright, contrast = 1 + self.brightness / 100, 1 + self.contrast / 100
        return [_level((min(level / 255 * bright, 1.0) - 0.5) * contrast + 0.5) for level in range(_LEVELS)]

    def turned(self, original: Size) -> Size:
        """Size of the photo after the quarter turns."""
        width, height = original
        return (height, width) if self.quarter_turns % 2 else (width, height)

    def size(self, original: Size) -> Size:
        """Size of the edited photo; ``original`` is the size of the original."""
        _, _, width, height = self._region(self.turned(original))
        return max(round(width), 1), max(round(height), 1)

    def box(self, original: Size) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the crop in the turned photo, if it is not straightened."""
        full = self.turned(original)
        left, top, _, _ = self._region(full)
        width, height = self.size(original)
        left, top = min(round(left), full[0] - width), min(round(top), full[1] - height)
        return left, top, left + width, top + height

    def affine(self, original: Size) -> Affine:
        """From the edited photo to the turned one; the coordinates of a pixel's center end in a half."""
        full = self.turned(original)
        left, top, width, height = self._region(full)
        size = self.size(original)
        across, down = width / size[0], height / size[1]
        angle = radians(self.straighten)
        turn, lean = cos(angle), sin(angle)
        scale = frame_scale(full, self.straighten)
        # From the center of the frame, rotated back, to the center of the turned photo.
        x, y = left - scale * full[0] / 2, top - scale * full[1] / 2
        return (
            turn * across,
            lean * down,
            turn * x + lean * y + full[0] / 2,
            -lean * across,
            turn * down,
            -lean * x + turn * y + full[1] / 2,
        )

    def _region(self, full: Size) -> tuple[float, float, float, float]:
        """Left, top, width and height of the crop in pixels of the frame."""
        scale = frame_scale(full, self.straighten)
        width, height = scale * full[0], scale * full[1]
        crop = self.crop
        return crop.left * width, crop.top * height, crop.width * width, crop.height * height


def frame_scale(size: Size, degrees: float) -> float:
    """The size of the largest frame of the same proportions inside a rotated photo, as a fraction of it."""
    width, height = size
    turn, lean = cos(radians(degrees)), abs(sin(radians(degrees)))
    return min(width / (width * turn + height * lean), height / (width * lean + height * turn))


def _level(value: float) -> int:
    return round(min(max(value, 0.0), 1.0) * 255)
