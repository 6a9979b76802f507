"""Fitting of text: the largest size that fits, by the typeface's advance widths."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont

from pastelka_orders.book.description import FontName
from pastelka_orders.book.paper import POINTS

FONTS = Path(__file__).with_name("fonts")
_FILES: Mapping[FontName, str] = {"Nunito": "Nunito-Bold.ttf", "DejaVu Sans": "DejaVuSans-Bold.ttf"}
FALLBACK: FontName = "DejaVu Sans"
"""For characters that the chosen typeface lacks: other scripts, symbols."""

LINE_HEIGHT = 1.364
"""In font sizes: ascender plus descender of Nunito."""
_SLACK = 1.02
"""Shaping may make a line a little wider than the sum of its characters."""
ELLIPSIS = "…"

_BREAK = re.compile("\r\n|[\n\r\u2028\u2029]")
# Czech typography: a preposition of one letter does not end a line (ČSN 01 6910).
_PREPOSITION = re.compile(r"(?<![^\W\d_])([ksvzouaiKSVZOUAI]) (?=\S)")


@dataclass(frozen=True, slots=True)
class FittedText:
    """Lines of one size (points). ``left_out`` is the number of characters that did not fit."""

    lines: tuple[str, ...]
    size: float
    left_out: int = 0

    @property
    def line_height(self) -> float:
        """In millimeters."""
        return self.size * LINE_HEIGHT / POINTS

    @property
    def height(self) -> float:
        """Of all lines, in millimeters."""
        return self.line_height * len(self.lines)


def printable_text(text: str) -> tuple[str, str]:
    """``text`` without the characters that no typeface has, and these, each once."""
    missing: dict[str, None] = {}
    kept: list[str] = []
    for character in _BREAK.sub("\n", unicodedata.normalize("NFC", text)).replace("\t", " "):
        if character == "\n" or (not _is_invisible(character) and _has_glyph(character)):
            kept.append(character)
        elif not _is_invisible(character):
            missing[character] = None
    return "".join(kept), "".join(missing)


def fit_text(
    text: str, *, width: float, height: float, largest: float, smallest: float, font: FontName
) -> FittedText:
    """Fit ``text`` into an area (millimeters), in sizes from ``largest`` to ``smallest`` (points).

    Text that does not fit even then is cut off with an ellipsis.
    """
    clean = _PREPOSITION.sub("\\1\u00a0", printable_text(text)[0].strip())
    if not clean:
        return FittedText((), largest)
    size = largest
    while True:
        lines = _lines(clean, width * POINTS / size / _SLACK, font)
        room = max(1, int(height / (size * LINE_HEIGHT / POINTS) + 1e-6))
        if len(lines) <= room:
            return FittedText(tuple(lines), size)
        if size <= smallest:
            break
        size = max(smallest, size - 1)
    left_out = sum(map(len, lines[room:])) + len(lines) - room
    return FittedText((*lines[: room - 1], lines[room - 1].rstrip() + ELLIPSIS), size, left_out)


def _lines(text: str, width: float, font: FontName) -> list[str]:
    """Filled lines; ``width`` in font sizes."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in _breakable(paragraph.split(" "), width, font):
            longer = f"{line} {word}" if line else word
            if line and _width(longer, font) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return lines


def _breakable(words: list[str], width: float, font: FontName) -> list[str]:
    """The words; one that is wider than a line is split."""
    found: list[str] = []
    for word in filter(None, words):
        piece = ""
        for character in word:
            if piece and _width(piece + character, font) > width:
                found.append(piece)
                piece = ""
            piece += character
        found.append(piece)
    return found


def _width(text: str, font: FontName) -> float:
    own, other = _advances(font), _advances(FALLBACK)
    return sum(own.get(ord(one), other.get(ord(one), 0.0)) for one in text)


def _is_invisible(character: str) -> bool:
    """Controls, directional marks, joiners, and selectors of variants that the typeface lacks."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"} or "\ufe00" <= character <= "\ufe0f"


def _has_glyph(character: str) -> bool:
    return any(ord(character) in _advances(font) for font in _FILES)


@cache
def _advances(font: FontName) -> Mapping[int, float]:
    """Advance width of each character of the typeface, in font sizes."""
    with TTFont(FONTS / _FILES[font], lazy=True) as file:
        unit = file["head"].unitsPerEm
        metrics = file["hmtx"].metrics
        return {code: metrics[name][0] / unit for code, name in file.getBestCmap().items()}
