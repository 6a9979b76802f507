"""Fitting of text: the largest size that fits, by the typeface's advance widths."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil
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
    clean = _BREAK.sub("\n", unicodedata.normalize("NFC", text)).replace("\t", " ")
    found = set(clean)
    missing = {one for one in found if not _is_invisible(one) and not _has_glyph(one)}
    kept = clean.translate({ord(one): None for one in found if one in missing or _is_left_out(one)})
    return kept, "".join(one for one in dict.fromkeys(clean) if one in missing)


def fit_text(
    text: str, *, width: float, height: float, largest: float, smallest: float, font: FontName
) -> FittedText:
    """Fit ``text`` into an area (millimeters), in sizes from ``largest`` to ``smallest`` (points).

    Text that does not fit even then is cut off with an ellipsis.
    """
    clean = _PREPOSITION.sub("\\1\u00a0", printable_text(text)[0].strip())
    if not clean:
        return FittedText((), largest)
    paragraphs = _measured(clean, font)

    def filled(size: float) -> tuple[list[str], int]:
        room = max(1, int(height / (size * LINE_HEIGHT / POINTS) + 1e-6))
        return _lines(paragraphs, width * POINTS / size / _SLACK, font), room

    lines, room = filled(smallest)
    if len(lines) > room:
        left_out = sum(map(len, lines[room:])) + len(lines) - room
        return FittedText((*lines[: room - 1], lines[room - 1].rstrip() + ELLIPSIS), smallest, left_out)

    def is_fitting(size: float) -> bool:
        lines, room = filled(size)
        return len(lines) <= room

    # Text that fits in one size fits in every smaller one.
    sizes = _sizes(largest, smallest)
    size = sizes[bisect_left(sizes, True, hi=len(sizes) - 1, key=is_fitting)]
    return FittedText(tuple(filled(size)[0]), size)


def _sizes(largest: float, smallest: float) -> list[float]:
    """All sizes, largest first."""
    whole = [largest - step for step in range(ceil(largest - smallest))]
    return [*whole, smallest]


_Word = tuple[str, float]
"""With its width in font sizes."""


def _measured(text: str, font: FontName) -> list[list[_Word]]:
    """The words of each paragraph."""
    widths = _widths(font)
    return [
        [(word, sum(widths.get(one, 0.0) for one in word)) for word in paragraph.split(" ") if word]
        for paragraph in text.split("\n")
    ]


def _lines(paragraphs: list[list[_Word]], width: float, font: FontName) -> list[str]:
    """Filled lines; ``width`` in font sizes."""
    space = _widths(font)[" "]
    lines: list[str] = []
    for words in paragraphs:
        line: list[str] = []
        used = 0.0
        for word, length in _breakable(words, width, font):
            if line and used + space + length > width:
                lines.append(" ".join(line))
                line, used = [], 0.0
            used += length + (space if line else 0.0)
            line.append(word)
        lines.append(" ".join(line))
    return lines


def _breakable(words: list[_Word], width: float, font: FontName) -> Iterator[_Word]:
    """The words; one that is wider than a line in pieces."""
    widths = _widths(font)
    for word, length in words:
        if length <= width:
            yield word, length
            continue
        first, used = 0, 0.0
        for place, character in enumerate(word):
            wide = widths.get(character, 0.0)
            if place > first and used + wide > width:
                yield word[first:place], used
                first, used = place, 0.0
            used += wide
        yield word[first:], used


@cache
def _widths(font: FontName) -> Mapping[str, float]:
    """Width of each character in font sizes."""
    return {chr(code): width for code, width in {**_advances(FALLBACK), **_advances(font)}.items()}


def _is_invisible(character: str) -> bool:
    """Controls, directional marks, joiners, and selectors of variants that the typeface lacks."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"} or "\ufe00" <= character <= "\ufe0f"


def _is_left_out(character: str) -> bool:
    return character != "\n" and _is_invisible(character)


def _has_glyph(character: str) -> bool:
    return any(ord(character) in _advances(font) for font in _FILES)


@cache
def _advances(font: FontName) -> Mapping[int, float]:
    """Advance width of each character of the typeface, in font sizes."""
    with TTFont(FONTS / _FILES[font], lazy=True) as file:
        unit = file["head"].unitsPerEm
        metrics = file["hmtx"].metrics
        return {code: metrics[name][0] / unit for code, name in file.getBestCmap().items()}
