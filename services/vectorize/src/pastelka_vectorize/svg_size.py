"""The drawing's ``viewBox``, or one derived from ``width`` and ``height``."""

import math
import re

MAX_LENGTH = 1e7
"""Maximum side or offset (user units)."""

_LENGTH = re.compile(r"\A\s*\+?(\d+(?:\.\d*)?|\.\d+)(px|pt|pc|mm|cm|in)?\s*\Z")
_PER_UNIT = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
"""User units per unit (CSS Values 3: 96 px are one inch)."""


def view_box(value: str | None, width: str | None, height: str | None) -> str | None:
    """``x y width height`` with single spaces, or ``None`` if there is no valid size."""
    return _valid(value or "") or _from_size(width or "", height or "")


def _valid(value: str) -> str | None:
    parts = [part for part in re.split(r"[\s,]+", value.strip()) if part]
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    if len(numbers) != 4 or not all(math.isfinite(n) and abs(n) <= MAX_LENGTH for n in numbers):  # noqa: PLR2004
        return None
    return _written(numbers) if min(numbers[2:]) > 0 else None


def _from_size(width: str, height: str) -> str | None:
    sides = (_length(width), _length(height))
    if any(side is None for side in sides):
        return None
    return _written([0.0, 0.0, *(side for side in sides if side is not None)])


def _length(value: str) -> float | None:
    match = _LENGTH.match(value)
    if match is None:
        return None
    length = float(match[1]) * _PER_UNIT[match[2] or ""]
    return length if 0 < length <= MAX_LENGTH else None


def _written(numbers: list[float]) -> str:
    return " ".join(f"{number:.10g}" for number in numbers)
