"""What the API takes about reviewing pages."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pastelka_orders.api.field_limits import MAX_ID, REASON_LENGTH
from pastelka_orders.book_schemas import not_empty
from pastelka_orders.domain import text
from pastelka_orders.models.orders import OrderStage

Reason = Annotated[
    str,
    Field(min_length=1, max_length=REASON_LENGTH),
    AfterValidator(text.single_line),
    AfterValidator(not_empty),
]


class ApproveRequest(BaseModel):
    """Which coloring is approved."""

    model_config = ConfigDict(extra="forbid")

    coloring_version_id: Annotated[
        int | None,
        Field(ge=0, le=MAX_ID, description="It becomes the chosen one; the chosen one if left out"),
    ] = None


class ReworkRequest(BaseModel):
    """Why a page is sent back."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    coloring_version_id: Annotated[
        int | None, Field(ge=0, le=MAX_ID, description="409 if another one is chosen by now")
    ] = None


class OrderPatch(BaseModel):
    """What an operator notes on an order; a field that is not sent stays."""

    model_config = ConfigDict(extra="forbid")

    on_hold_reason: Annotated[
        Reason | None, Field(description="Puts the order on hold; null takes it up again")
    ] = None
    is_printed: bool = False
    is_shipped: bool = False
    is_attention_seen: Annotated[
        Literal[True],
        Field(description="What was possibly paid twice, and the shop's change, need no attention any more"),
    ] = True


class StageCountsResponse(BaseModel):
    """How many orders have which stage."""

    counts: dict[OrderStage, int] = Field(description="Exact up to 999; 1000 stands for more")
