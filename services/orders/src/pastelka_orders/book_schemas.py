"""Request and response bodies of printed books."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from pastelka_orders.api.field_limits import (
    DEDICATION_LENGTH,
    LAYOUT_LENGTH,
    MAX_COPIES,
    TITLE_LENGTH,
)
from pastelka_orders.book.description import BookOptions
from pastelka_orders.bulk_schemas import OrderNumbers
from pastelka_orders.domain import text
from pastelka_orders.schemas import Error, ShopValuesOrNone, omitted_if_none

BookStatus = Literal["queued", "composing", "completed", "error"]
MAX_JOINED_BYTES = 512 * 2**20
"""Of the books that become one PDF: copies of a bucket's files and the PDF are temporary files."""


def not_empty(value: str) -> str:
    """Validate text that is required. Raises ``ValueError``."""
    if not value:
        raise ValueError("must not be empty")
    return value


def optional_lines(value: str | None) -> str | None:
    """Clean text of several lines; ``None`` if nothing is left."""
    return text.lines(value or "") or None


def optional_line(value: str | None) -> str | None:
    """Clean text of one line; ``None`` if nothing is left."""
    return text.single_line(value or "") or None


class BookResponse(BaseModel):
    """One version of an order's book."""

    version: int
    status: BookStatus
    progress: Annotated[int, Field(ge=0, le=100, description="Percent")]
    options: BookOptions
    sheets: Annotated[int | None, Field(description="Pages of the PDF, with all copies")]
    created_at: AwareDatetime
    completed_at: AwareDatetime | None
    printed_at: Annotated[AwareDatetime | None, Field(description="When it was marked as printed")]
    is_forced: Annotated[bool, Field(description="Composed although the preflight found errors")]
    is_outdated: Annotated[
        bool,
        Field(description="The order contains something else: it was changed since, or files were left out"),
    ]
    url: Annotated[str | None, Field(description="The PDF, once it is completed")]
    previews: Annotated[list[str], Field(description="A picture of each sheet, without copies")]
    error: Error


class BookPatch(BaseModel):
    """Editable fields of a version."""

    model_config = ConfigDict(extra="forbid")

    is_printed: bool


class FindingResponse(BaseModel):
    """One finding of the preflight."""

    severity: Annotated[Literal["error", "warning"], Field(description="An error blocks the book")]
    code: str
    message: str
    line_item_id: int | None
    image_id: int | None
    values: Annotated[
        dict[str, str | int], Field(description="What the sentence names, for one in another language")
    ]


class PreflightResponse(BaseModel):
    """Result of the preflight of a book."""

    can_print: Annotated[bool, Field(description="Whether there are no errors")]
    findings: list[FindingResponse]


class LineItemState(BaseModel):
    """The editable fields of a line item."""

    id: int
    title: str
    quantity: int
    dedication: str | None
    layout: str | None
    shop_values: ShopValuesOrNone
    shop_changed_at: Annotated[AwareDatetime | None, omitted_if_none()]
    shop_changed_fields: Annotated[list[str] | None, omitted_if_none()]


class LineItemPatch(BaseModel):
    """New values; absent fields stay, and `null` clears a field."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[
        str, Field(max_length=TITLE_LENGTH), AfterValidator(text.single_line), AfterValidator(not_empty)
    ] = ""
    quantity: Annotated[int, Field(ge=1, le=MAX_COPIES)] = 1
    dedication: Annotated[str | None, Field(max_length=DEDICATION_LENGTH), AfterValidator(optional_lines)] = (
        None
    )
    layout: Annotated[str | None, Field(max_length=LAYOUT_LENGTH), AfterValidator(optional_line)] = None


class BooksRequest(BaseModel):
    """Orders whose newest finished books become one PDF, in this order."""

    model_config = ConfigDict(extra="forbid")

    order_numbers: OrderNumbers
