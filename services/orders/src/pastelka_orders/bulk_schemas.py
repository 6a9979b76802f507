"""Request and response bodies about several orders, or about everything in one."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_orders.api.field_limits import MAX_ESTIMATED, MAX_JOINED, ORDER_NUMBER_LENGTH
from pastelka_orders.handlers.estimates import Action
from pastelka_orders.repository.exports import What

_Number = Annotated[str, Field(min_length=1, max_length=ORDER_NUMBER_LENGTH, pattern=r"^[^/\x00]+$")]


def _unique(numbers: list[str]) -> list[str]:
    seen: set[str] = set()
    for number in numbers:
        if number in seen:
            raise ValueError(f"the order {number} is given twice; give each order once")
        seen.add(number)
    return numbers


_Numbers = Annotated[list[_Number], AfterValidator(_unique)]

OrderNumbers = Annotated[
    _Numbers, Field(min_length=1, max_length=MAX_JOINED, json_schema_extra={"uniqueItems": True})
]
"""Orders whose files become one."""


class DownloadRequest(BaseModel):
    """Orders whose files become one ZIP, in this order."""

    model_config = ConfigDict(extra="forbid")

    order_numbers: OrderNumbers
    what: What = "coloring"


class EstimateRequest(BaseModel):
    """An action for several orders, with the options that it would be requested with."""

    model_config = ConfigDict(extra="forbid")

    order_numbers: Annotated[
        _Numbers, Field(min_length=1, max_length=MAX_ESTIMATED, json_schema_extra={"uniqueItems": True})
    ]
    action: Annotated[
        Action,
        Field(description="`generate-coloring`, `generate-svg` or `retry-failed` of each of these orders"),
    ]
    coloring_options: ColoringOptions = ColoringOptions()
    svg_options: SvgOptions = SvgOptions()


class EstimateResponse(BaseModel):
    """What the action would start now; orders that are unknown or cancelled count nothing."""

    pages: int
    svgs: int
    cost: Decimal | None = Field(description="Of all of them; null if a price is not set")
    currency: str = Field(description="An ISO 4217 code", examples=["USD"])


class ApprovedResponse(BaseModel):
    """What was approved."""

    approved: int = Field(description="Pages that were not approved before")


class RetriedResponse(BaseModel):
    """What was started again."""

    pages: int
    svgs: int
