"""Sizes of paper, and the areas of a sheet. All lengths in millimeters, from the top left corner."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pastelka_orders.book.description import BookOptions

POINTS = 72 / 25.4
"""Points per millimeter."""

MARGIN = 10.0
"""Printers cannot print some millimeters at each edge."""
MARK_LENGTH = 5.0
MARK_DISTANCE = 3.0
"""Between the corner and its crop marks, unless the bleed is wider."""
_SLUG = 12.0
_NUMBER_SPACE = 6.0
_GAP = 8.0
MIN_PRINTABLE = 30.0
"""Width and height of the printable area: what is on a sheet has its own margins and gaps within."""

# ISO 216; ANSI/ASME Y14.1 for Letter.
_SIZES = {"A5": (148.0, 210.0), "A4": (210.0, 297.0), "A3": (297.0, 420.0), "Letter": (215.9, 279.4)}


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, by: float) -> "Area":
        """The area, shifted right and down."""
        return Area(self.x + by, self.y + by, self.width, self.height)

    def fitted(self, size: tuple[float, float], *, can_turn: bool) -> float:
        """Factor that scales ``size`` to fit this area; ``can_turn`` allows a quarter turn."""
        width, height = size
        upright = min(self.width / width, self.height / height)
        return max(upright, min(self.width / height, self.height / width)) if can_turn else upright


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet for ``options``; areas are relative to the trimmed sheet."""

    options: "BookOptions"

    @property
    def trim(self) -> tuple[float, float]:
        """Width and height of the sheet once it is trimmed."""
        if self.options.width_mm is not None and self.options.height_mm is not None:
            sides = (self.options.width_mm, self.options.height_mm)
        else:
            sides = _SIZES[self.options.paper]
        if self.options.orientation == "landscape":
            return max(sides), min(sides)
        return min(sides), max(sides)

    @property
    def edge(self) -> float:
        """Width of the frame around the trimmed sheet: bleed and space for marks."""
        return self.options.bleed_mm + (_SLUG if self.options.has_crop_marks else 0.0)

    @property
    def media(self) -> tuple[float, float]:
        """Width and height of the PDF's page."""
        return self.trim[0] + 2 * self.edge, self.trim[1] + 2 * self.edge

    @property
    def can_turn(self) -> bool:
        """Whether a picture may be rotated to print it larger."""
        return self.options.orientation == "auto"

    def printable(self, *, is_even: bool) -> Area:
        """Area for pictures; the inner margin is on the right of an even page."""
        width, height = self.trim
        inner = self.options.inner_margin_mm
        left = MARGIN + (0.0 if is_even else inner)
        bottom = MARGIN + (_NUMBER_SPACE if self.options.has_numbers else 0.0)
        return Area(left, MARGIN, width - 2 * MARGIN - inner, height - MARGIN - bottom)

    def cells(self, count: int, *, is_even: bool) -> list[Area]:
        """Areas of ``count`` (1, 2 or 4) pictures of one sheet, in reading order."""
        area = self.printable(is_even=is_even)
        is_upright = self.trim[1] >= self.trim[0]
        columns, rows = {1: (1, 1), 2: (1, 2) if is_upright else (2, 1), 4: (2, 2)}[count]
        return grid(area, columns, rows)


def grid(area: Area, columns: int, rows: int, gap: float = _GAP) -> list[Area]:
    """Equal cells with gaps between them."""
    width = (area.width - gap * (columns - 1)) / columns
    height = (area.height - gap * (rows - 1)) / rows
    return [
        Area(area.x + column * (width + gap), area.y + row * (height + gap), width, height)
        for row in range(rows)
        for column in range(columns)
    ]
