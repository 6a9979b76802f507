"""Imposition: the sheets of a book, and the elements on them.

The sheets of one copy are set once; ``order`` lists them as the PDF repeats them. Marks and the order's
number are only in the margin that is cut off.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from pastelka_orders.book.description import Book, BookOptions, Layout, OrderBooks, Picture
from pastelka_orders.book.paper import MARGIN, MARK_DISTANCE, MARK_LENGTH, Area, Sheet, grid
from pastelka_orders.book.text_fit import FittedText, fit_text, printable_text

MAX_SHEETS = 5_000
"""Of one PDF; beyond, a note of the number of copies is the better choice."""

_PER_SHEET: dict[Layout, int] = {"auto": 1, "one": 1, "two": 2, "four": 4}
_PHOTOS_ON_A_PAGE = 30
_FRAME = 4.0
"""From the printable area to the text of the cover."""
_TITLE = (44.0, 20.0)
_DEDICATION = (34.0, 16.0)
_SMALL = 8.0


class TooManySheetsError(ValueError):
    """More than ``MAX_SHEETS``."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a sheet; ``values`` depend on its kind in ``template.typ``."""

    kind: str
    area: Area
    values: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The element as the template reads it."""
        return {"kind": self.kind, **asdict(self.area), **self.values}


@dataclass(slots=True)
class Imposition:
    """``sheets`` of one copy each, and the ``order`` in which the PDF has them."""

    sheets: list[list[Element]] = field(default_factory=list)
    order: list[int] = field(default_factory=list)

    def add(self, sheets: Sequence[list[Element]], copies: int) -> None:
        """Add ``copies`` of ``sheets``."""
        if len(self.order) + len(sheets) * copies > MAX_SHEETS:
            raise TooManySheetsError(f"more than {MAX_SHEETS} sheets")
        first = len(self.sheets)
        self.sheets.extend(sheets)
        self.order.extend(list(range(first, first + len(sheets))) * copies)


def fit_dedication(text: str, options: BookOptions, *, has_photo: bool) -> FittedText:
    """The dedication, fitted to the cover."""
    area = _cover_areas(options, has_photo=has_photo, has_dedication=True)[2]
    return _fitted(text, area, _DEDICATION, options)


def cells_of(layout: Layout, options: BookOptions) -> list[Area]:
    """Areas of the pictures on a sheet of this layout."""
    return Sheet(options).cells(_PER_SHEET[layout], is_even=False)


def impose(order: OrderBooks, options: BookOptions) -> Imposition:
    """All sheets of an order's books. Raises ``TooManySheetsError``."""
    found = Imposition()
    books = _Books(options, order)
    if order.has_separator:
        found.add(list(books.padded([books.separator()])), 1)
    for book in order.books:
        copies = book.quantity if options.copies == "repeat" else 1
        found.add(list(books.padded(books.sheets(book))), copies)
    number = printable_text(order.order_number)[0]
    if options.has_crop_marks:
        for position, sheet in enumerate(found.sheets, start=1):
            sheet.extend(_marks(options, f"{number} · {position}"))
    return found


def impose_separator(order: OrderBooks, options: BookOptions) -> Imposition:
    """The separator sheet alone."""
    found = Imposition()
    books = _Books(options, order)
    found.add(list(books.padded([books.separator()])), 1)
    return found


@dataclass(frozen=True, slots=True)
class _Books:
    options: BookOptions
    order: OrderBooks

    @property
    def sheet(self) -> Sheet:
        return Sheet(self.options)

    def sheets(self, book: Book) -> list[list[Element]]:
        """The sheets of one copy, without blank ones at its end."""
        sheets: list[list[Element]] = [_cover(book, self.options)]
        pictures, per_sheet = list(book.pictures), _PER_SHEET[book.layout]
        for first in range(0, len(pictures), per_sheet):
            self._turn_over(sheets)
            sheets.append(self._page(pictures[first : first + per_sheet], per_sheet, first, len(sheets)))
        if self.options.has_photo_page:
            photos = [picture.photo for picture in pictures if picture.photo is not None]
            for first in range(0, len(photos), _PHOTOS_ON_A_PAGE):
                self._turn_over(sheets)
                sheets.append(self._photos(photos[first : first + _PHOTOS_ON_A_PAGE], len(sheets)))
        return sheets

    @staticmethod
    def padded(sheets: list[list[Element]]) -> Iterator[list[Element]]:
        """The sheets, and a blank back if needed: printed on both sides, the next ones begin on a front."""
        yield from sheets
        if len(sheets) % 2:
            yield []

    def _turn_over(self, sheets: list[list[Element]]) -> None:
        if self.options.backs == "blank":
            sheets.append([])

    def _page(self, pictures: list[Picture], per_sheet: int, first: int, before: int) -> list[Element]:
        is_even = before % 2 == 1
        cells = self.sheet.cells(per_sheet, is_even=is_even)
        elements = [
            Element("picture", cell, {"file": str(picture.art), "turn": self.sheet.can_turn})
            for cell, picture in zip(cells, pictures, strict=False)
        ]
        if self.options.has_numbers:
            elements.append(self._number(first // per_sheet + 1, is_even=is_even))
        return elements

    def _number(self, number: int, *, is_even: bool) -> Element:
        area = self.sheet.printable(is_even=is_even)
        below = Area(area.x, self.sheet.trim[1] - MARGIN - 5, area.width, 5)
        return _text(FittedText((str(number),), 11), below)

    def _photos(self, photos: list[Path], before: int) -> list[Element]:
        area = self.sheet.printable(is_even=before % 2 == 1)
        columns = next(columns for columns in count(3) if columns * _rows(area, columns) >= len(photos))
        cells = grid(area, columns, _rows(area, columns), gap=4.0)
        return [
            Element("picture", cell, {"file": str(photo), "turn": False})
            for cell, photo in zip(cells, photos, strict=False)
        ]

    def separator(self) -> list[Element]:
        """Order, customer, and copies of each book that follows."""
        area = self.sheet.printable(is_even=False)
        copies = "\n".join(f"{book.quantity} \u00d7 {book.title}" for book in self.order.books)
        parts = (
            (self.order.order_number, 0.0, 0.25, (72.0, 20.0)),
            (self.order.customer, 0.25, 0.2, (32.0, 12.0)),
            (copies, 0.5, 0.5, (24.0, 9.0)),
        )
        return [
            _text(_fitted(text, part, sizes, self.options), part)
            for text, top, height, sizes in parts
            for part in [Area(area.x, area.y + top * area.height, area.width, height * area.height)]
        ]


def _cover(book: Book, options: BookOptions) -> list[Element]:
    photo = book.pictures[0].photo if options.has_cover_photo and book.pictures else None
    title, picture, dedication = _cover_areas(
        options, has_photo=photo is not None, has_dedication=bool(book.dedication.strip())
    )
    elements = [Element("frame", Sheet(options).printable(is_even=False))]
    elements.append(_text(_fitted(book.title, title, _TITLE, options), title))
    if photo is not None:
        elements.append(Element("picture", picture, {"file": str(photo), "turn": False}))
    elements.append(_text(_fitted(book.dedication, dedication, _DEDICATION, options), dedication))
    return elements


# Shares of the cover's height for title, photo, dedication, by (has photo, has dedication).
_COVERS = {
    (False, False): (1.0, 0.0, 0.0),
    (False, True): (0.4, 0.0, 0.6),
    (True, False): (0.3, 0.7, 0.0),
    (True, True): (0.22, 0.43, 0.35),
}


def _cover_areas(options: BookOptions, *, has_photo: bool, has_dedication: bool) -> tuple[Area, Area, Area]:
    """Title, photo and dedication, one below the other."""
    area = Sheet(options).printable(is_even=False)
    inside = Area(area.x + 2 * _FRAME, area.y + 2 * _FRAME, area.width - 4 * _FRAME, area.height - 4 * _FRAME)
    areas, top = [], inside.y
    for part in _COVERS[has_photo, has_dedication]:
        height = part * inside.height
        areas.append(Area(inside.x, top + _FRAME / 2, inside.width, max(0.0, height - _FRAME)))
        top += height
    return areas[0], areas[1], areas[2]


def _rows(area: Area, columns: int) -> int:
    """Number of rows for roughly square cells."""
    return max(1, round(columns * area.height / area.width))


def _fitted(text: str, area: Area, sizes: tuple[float, float], options: BookOptions) -> FittedText:
    largest, smallest = sizes
    return fit_text(
        text,
        width=area.width,
        height=area.height,
        largest=largest,
        smallest=smallest,
        font=options.font,
    )


def _text(text: FittedText, area: Area) -> Element:
    """Lines centered in an area."""
    values = {"lines": list(text.lines), "size": text.size, "line_height": text.line_height}
    return Element("text", area, values)


def _marks(options: BookOptions, label: str) -> Iterator[Element]:
    """Crop marks at the corners and a label of the sheet, outside the bleed."""
    width, height = Sheet(options).trim
    distance = max(MARK_DISTANCE, options.bleed_mm)
    reach = distance + MARK_LENGTH
    for x in (0.0, width):
        yield Element("line", Area(x, -reach, 0.0, MARK_LENGTH))
        yield Element("line", Area(x, height + distance, 0.0, MARK_LENGTH))
    for y in (0.0, height):
        yield Element("line", Area(-reach, y, MARK_LENGTH, 0.0))
        yield Element("line", Area(width + distance, y, MARK_LENGTH, 0.0))
    line = FittedText((label,), _SMALL)
    yield _text(line, Area(MARGIN, -reach, width - 2 * MARGIN, line.line_height))
