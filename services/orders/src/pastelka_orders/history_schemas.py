"""Request and response bodies of an order's history and timeline, and of what operators write about it."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from pastelka_common.contracts.statuses import StatusType
from pastelka_orders.actors import ActorKind
from pastelka_orders.api.field_limits import ASSIGNEE_LENGTH, CUSTOMER_NAME_LENGTH, NOTE_LENGTH
from pastelka_orders.book_schemas import not_empty
from pastelka_orders.domain import text
from pastelka_orders.schemas import (
    OrderShopChangedFields,
    OrderShopValuesOrNone,
    RetryOrNone,
    omitted_if_none,
)


def _line(value: str | None) -> str | None:
    return text.single_line(value or "") or None


def _lines(value: str | None) -> str | None:
    return text.lines(value or "") or None


class OrderDetailsResponse(BaseModel):
    """What operators write about an order."""

    customer_name: str | None
    note: str | None
    assignee: str | None
    shop_values: OrderShopValuesOrNone
    shop_changed_fields: OrderShopChangedFields


class OrderDetailsPatch(BaseModel):
    """New values; absent fields stay, and `null` clears a field."""

    model_config = ConfigDict(extra="forbid")

    customer_name: Annotated[str | None, Field(max_length=CUSTOMER_NAME_LENGTH), AfterValidator(_line)] = None
    note: Annotated[str | None, Field(max_length=NOTE_LENGTH), AfterValidator(_lines)] = None
    assignee: Annotated[
        str | None,
        Field(max_length=ASSIGNEE_LENGTH, description="A name, usually one of `GET /assignees`"),
        AfterValidator(_line),
    ] = None


class AssigneesResponse(BaseModel):
    """Who an order can be assigned to; any other name is accepted, too."""

    names: list[str] = Field(description="The users who are not disabled")


class NoteRequest(BaseModel):
    """A note on an order."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[
        str,
        Field(min_length=1, max_length=NOTE_LENGTH),
        AfterValidator(text.lines),
        AfterValidator(not_empty),
    ]


class ActorResponse(BaseModel):
    """Who did it."""

    kind: ActorKind = Field(
        description="`user`, `proxy` and `open`: a person; `token`: a program; `shop`: an event of the shop;"
        " `system`: the services themselves"
    )
    name: Annotated[str | None, omitted_if_none("Of the person or token, or the topic of the shop's webhook")]


class HistoryEntry(BaseModel):
    """One thing that was done to an order, or the end of a version."""

    source: Literal["order", "version"] = Field(description="`id` is unique within its source")
    id: int
    at: AwareDatetime
    actor: ActorResponse
    action: str = Field(description="What was done, such as `approved`", examples=["approved"])
    line_item_id: Annotated[int | None, omitted_if_none("Which line item; it may be gone by now")]
    image_id: Annotated[int | None, omitted_if_none("Which image; it may be gone by now")]
    position: Annotated[int | None, omitted_if_none("The present position of the image")]
    details: Annotated[
        dict[str, Any],
        Field(
            default_factory=dict,
            exclude_if=lambda details: not details,
            description="By action: `fields` that changed (`from`, `to`, 200 characters each), `text`,"
            " `reason`, `count`, `options`, `version`, `error_code`, `title`; only present if there are any",
        ),
    ]


class HistoryResponse(BaseModel):
    """One page of an order's history, newest first."""

    items: list[HistoryEntry]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null on the last")


class TimelineEntry(BaseModel):
    """One status change of one version."""

    image_id: int
    status_type: StatusType
    version_id: int
    version: int
    run: int
    attempt: int
    status: str
    error_code: str | None
    at: AwareDatetime
    seconds: float | None = Field(description="Duration of the status; null while it lasts")
    retry: RetryOrNone


class TimelineResponse(BaseModel):
    """Every status change of an order, oldest first."""

    order_number: str
    entries: list[TimelineEntry]
