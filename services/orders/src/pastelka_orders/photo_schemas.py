"""Request and response bodies about the photos of an order, one by one."""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from pastelka_orders.api.field_limits import CUSTOMER_NAME_LENGTH, MAX_ID, NOTE_LENGTH
from pastelka_orders.book_schemas import LineItemPatch, optional_line, optional_lines


class PhotoState(BaseModel):
    """The photo of an image and its place."""

    image_id: int
    order_number: str
    line_item_id: int
    position: Annotated[int, Field(description="From 1 within the line item; may have gaps")]
    version: Annotated[int, Field(description="A replacement has a higher one")]
    url: str | None
    width: int | None
    height: int | None
    downloaded_at: AwareDatetime | None


class PhotoPlacePatch(BaseModel):
    """Where a photo is moved."""

    model_config = ConfigDict(extra="forbid")

    position: Annotated[int, Field(ge=1, le=MAX_ID, description="From 1; a larger one is the last")]
    line_item_id: Annotated[
        int | None, Field(ge=0, le=MAX_ID, description="Of the same order; the present one if left out")
    ] = None


class NewLineItemRequest(LineItemPatch):
    """A line item of a manual order; the title has a default."""


class ManualOrderRequest(NewLineItemRequest):
    """A manual order whose photos follow, with its first line item."""

    customer_name: Annotated[
        str | None, Field(max_length=CUSTOMER_NAME_LENGTH), AfterValidator(optional_line)
    ] = None
    note: Annotated[str | None, Field(max_length=NOTE_LENGTH), AfterValidator(optional_lines)] = None
