"""Content and print options of a book: plain data, serialized as JSON."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pastelka_orders.book.paper import MIN_PRINTABLE, Sheet

PaperName = Literal["A5", "A4", "A3", "Letter", "custom"]
Orientation = Literal["auto", "portrait", "landscape"]
Backs = Literal["printed", "blank"]
Layout = Literal["auto", "one", "two", "four"]
"""Pictures on a sheet; ``auto`` is one."""
FontName = Literal["Nunito", "DejaVu Sans"]

PaperSide = Annotated[float, Field(ge=50, le=1200, allow_inf_nan=False)]


class BookOptions(BaseModel):
    """Print options of a book. Lengths are in millimeters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paper: PaperName = "A4"
    width_mm: Annotated[
        PaperSide | None, Field(description="Required for custom paper, forbidden otherwise")
    ] = None
    height_mm: PaperSide | None = None
    orientation: Annotated[
        Orientation,
        Field(description="Of every sheet. `auto`: portrait sheets, pictures rotated where that is larger"),
    ] = "auto"
    bleed_mm: Annotated[float, Field(ge=0, le=5)] = 0.0
    has_crop_marks: bool = False
    inner_margin_mm: Annotated[
        float, Field(ge=0, le=40, description="For binding; on the opposite side of even pages")
    ] = 0.0
    backs: Annotated[Backs, Field(description="`blank`: colors cannot bleed through to a picture")] = (
        "printed"
    )
    has_numbers: bool = False
    has_cover_photo: Annotated[bool, Field(description="The first page's photo on the cover")] = False
    has_photo_page: Annotated[bool, Field(description="A last page with small copies of all photos")] = False
    copies: Annotated[
        Literal["repeat", "note"],
        Field(description="Several copies: repeat all sheets, or note the number before the books"),
    ] = "repeat"
    font: FontName = "Nunito"

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        sizes = (self.width_mm, self.height_mm)
        if self.paper == "custom" and None in sizes:
            raise ValueError("custom paper needs width_mm and height_mm")
        if self.paper != "custom" and sizes != (None, None):
            raise ValueError("width_mm and height_mm go with custom paper only")
        return self

    @model_validator(mode="after")
    def _has_a_printable_area(self) -> Self:
        area = Sheet(self).printable(is_even=False)
        if min(area.width, area.height) < MIN_PRINTABLE:
            raise ValueError(
                f"the printable area would be {area.width:g} x {area.height:g} mm, and must be"
                f" {MIN_PRINTABLE:g} x {MIN_PRINTABLE:g} mm at least; choose larger paper or a smaller"
                " inner_margin_mm"
            )
        return self

    @property
    def has_photos(self) -> bool:
        """Whether the book shows photos."""
        return self.has_cover_photo or self.has_photo_page


class Picture(BaseModel):
    """One page: its vectors (SVG) or pixels (PNG), and the photo it was made from.

    Paths are relative to the storage in a stored version, and of the file system in a composer's job.
    """

    model_config = ConfigDict(frozen=True)

    label: str
    """Its name in error messages, such as ``1270-2``."""
    art: Path
    photo: Path | None = None


class Book(BaseModel):
    """One line item."""

    model_config = ConfigDict(frozen=True)

    title: str
    dedication: str = ""
    layout: Layout = "auto"
    quantity: Annotated[int, Field(ge=1)] = 1
    pictures: tuple[Picture, ...]
    line_item_id: int | None = None


class OrderBooks(BaseModel):
    """The books of one order."""

    model_config = ConfigDict(frozen=True)

    order_number: str
    customer: str = ""
    books: tuple[Book, ...]
    has_separator: bool = False
    """Whether a sheet before the books names order and customer."""


class ComposedBook(BaseModel):
    """A composed book: number of ``sheets`` with all copies, of ``previews`` without."""

    sheets: int
    previews: int


class BookRefusal(BaseModel):
    """Why a book cannot be composed."""

    code: str
    message: str


class BookFault(BaseModel):
    """A file could not be written or read; a later attempt may succeed."""

    error_number: int
    reason: str
