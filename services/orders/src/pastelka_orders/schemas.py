"""What the API answers and takes. Field names and their order are the specification's."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from pastelka_common.contracts.options import ColoringProviderName
from pastelka_common.contracts.statuses import ColoringProcessingStatus, StatusType, SvgProcessingStatus
from pastelka_orders.domain.coloring_options import PresetName
from pastelka_orders.models.orders import OrderSource, OrderStage, OrderStatus


def left_out_if_none(description: str | None = None) -> Any:
    """A field that is left out when there is nothing to say."""
    return Field(default=None, exclude_if=lambda value: value is None, description=description)


class ErrorResponse(BaseModel):
    """Why something ended in ``error``."""

    code: str
    message: str


_FIRST_DAY = date(2000, 1, 1)


def _in_the_past(since: date | datetime) -> date | datetime:
    day = since.date() if isinstance(since, datetime) else since
    if day < _FIRST_DAY or day > datetime.now(UTC).date() + timedelta(days=1):
        raise ValueError("must be a day from 2000 until today")
    return since


Since = Annotated[AwareDatetime | date, AfterValidator(_in_the_past)]

Error = Annotated[
    ErrorResponse | None,
    left_out_if_none("Only there when something went wrong"),
]


class RetryResponse(BaseModel):
    """An attempt failed for a reason that may pass, and there will be another."""

    attempt: int = Field(description="How many attempts have failed, from 1")
    of: int = Field(description="With as many the version ends in error")
    next_at: AwareDatetime = Field(description="When the next attempt begins, at the earliest")
    code: str
    message: str


RetryOrNone = Annotated[
    RetryResponse | None,
    left_out_if_none("Only there while the next attempt is waited for"),
]
PossiblyPaidTwice = Annotated[
    Literal[True] | None,
    left_out_if_none(
        "Only there when the job was submitted again because the provider's answer to the "
        "first submission was lost: the provider may charge for both"
    ),
]


class ColoringOptionsResponse(BaseModel):
    """Size, detail and style of a coloring page; an option of style only where it is not the default."""

    megapixels: float
    steps: int
    frame: Annotated[
        Literal[False] | None,
        left_out_if_none("Only there when there is no frame"),
    ]
    background: Annotated[
        Literal["keep", "none"] | None,
        left_out_if_none("Only there when it is not `quiet`"),
    ]
    line_weight: Annotated[
        Literal["thin", "bold"] | None,
        left_out_if_none("Only there when it is not `normal`"),
    ]


class PresetResponse(BaseModel):
    """Coloring options with a name."""

    name: PresetName
    options: ColoringOptionsResponse
    seconds: float | None = Field(
        description="Median time that a page with these options took lately, from the begin of its work;"
        " null where too few were made"
    )
    cost: float | None = Field(description="Price of a page; null where it is not known")


class PresetsResponse(BaseModel):
    """The presets, and the coloring options that the active provider takes."""

    provider: ColoringProviderName
    options: list[str] = Field(description="Names of the options that the provider takes; others are refused")
    items: list[PresetResponse]


class SvgOptionsResponse(BaseModel):
    """How an SVG is built up."""

    shape_stacking: str
    group_by: str


class ColoringVersionResponse(BaseModel):
    """One coloring page, made or being made."""

    id: int
    version: int
    url: str | None
    status: ColoringProcessingStatus
    options: ColoringOptionsResponse
    created_at: AwareDatetime
    error: Error
    retry: RetryOrNone
    possibly_paid_twice: PossiblyPaidTwice


class SvgVersionResponse(BaseModel):
    """One SVG, made or being made from the coloring ``coloring_version_id``."""

    id: int
    version: int
    url: str | None
    status: SvgProcessingStatus
    coloring_version_id: int
    options: SvgOptionsResponse
    created_at: AwareDatetime
    error: Error
    retry: RetryOrNone
    possibly_paid_twice: PossiblyPaidTwice


class VersionsResponse(BaseModel):
    """All versions of one image, oldest first."""

    coloring: list[ColoringVersionResponse]
    svg: list[SvgVersionResponse]


class SelectedVersionIdsResponse(BaseModel):
    """The chosen versions of one image."""

    coloring: int | None
    svg: int | None


class ImageResponse(BaseModel):
    """One photo with everything made from it."""

    id: int
    position: int
    url: str | None = Field(description="The photo, served as a file")
    downloaded_at: AwareDatetime | None
    selected_version_ids: SelectedVersionIdsResponse
    versions: VersionsResponse
    error: Error
    approved_at: Annotated[
        AwareDatetime | None,
        left_out_if_none("Only there when a person approved the chosen coloring: the choice is frozen"),
    ]
    approved_by: Annotated[str | None, left_out_if_none("Who approved it; only there when it is approved")]
    rework_reason: Annotated[
        str | None,
        left_out_if_none("Why a person sent the page back; only there until another is chosen or approved"),
    ]


class ShopValues(BaseModel):
    """What the shop says of fields that a person changed here; the others are left out."""

    title: str | None = None
    quantity: int | None = None
    dedication: str | None = None
    layout: str | None = None

    @model_serializer(mode="wrap")
    def _only_given(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: value for name, value in serialize(self).items() if name in self.model_fields_set}


ShopValuesOrNone = Annotated[
    ShopValues | None,
    left_out_if_none("Only there when a person changed what the shop says"),
]


class LineItemResponse(BaseModel):
    """One coloring book within an order."""

    id: int
    title: str
    quantity: int
    dedication: str | None
    layout: str | None
    images: list[ImageResponse]
    removed: Annotated[
        Literal[True] | None,
        left_out_if_none("Only there when the shop removed the item: nothing is made or printed for it"),
    ]
    shop_values: ShopValuesOrNone
    shop_changed_at: Annotated[
        AwareDatetime | None,
        left_out_if_none("Only there when the shop changed one of `shop_values` after a person had"),
    ]


Attention = Literal["failed", "paid_twice", "shop_changed"]
"""Why an order needs attention: a photo or page failed, the provider may have charged twice, the shop changed
the order after an approval or the print."""


class OrderHead(BaseModel):
    """What an order is apart from its items."""

    id: int
    order_number: str
    source: OrderSource
    shopify_id: int | None
    customer_name: str | None
    customer_email: str | None
    payment_status: str | None
    shipping_method: str | None
    status: OrderStatus
    stage: OrderStage = Field(description="What an operator has to do")
    failed: int = Field(description="Images whose photo or newest page failed, and that have no chosen page")
    in_progress: int = Field(description="Images of which a page or an SVG is being made")
    to_review: int = Field(description="Images with a chosen page that is not approved")
    attention: Annotated[
        list[Attention] | None,
        left_out_if_none("What needs attention; only there when something does, whatever the stage"),
    ]
    on_hold_reason: Annotated[str | None, left_out_if_none("Only there when an operator put it on hold")]
    printed_at: Annotated[AwareDatetime | None, left_out_if_none("Only there when it is printed")]
    shipped_at: Annotated[AwareDatetime | None, left_out_if_none("Only there when it is shipped")]
    note: Annotated[str | None, left_out_if_none("Only there when there is one")]
    created_at: AwareDatetime
    updated_at: AwareDatetime
    cancelled_at: Annotated[
        AwareDatetime | None,
        left_out_if_none("Only there when the shop cancelled the order: nothing is made or printed for it"),
    ]
    shop_url: Annotated[
        str | None,
        left_out_if_none("The order in the shop's administration; only there for an order of a known shop"),
    ]
    unread_fields: Annotated[
        list[str] | None,
        left_out_if_none(
            "What could not be read of the shop's last webhook about the order, a sentence each; "
            "only there if something could not"
        ),
    ]


class OrderResponse(OrderHead):
    """One order with everything in it."""

    line_items: list[LineItemResponse]


class RefusedPhoto(BaseModel):
    """A file of an upload that is no photo, or none that can be worked with; it was not stored."""

    position: int = Field(description="Its place among the files sent, from 1")
    name: str = Field(description="The file's name as it may be shown")
    code: str = Field(examples=["photo_truncated"])
    detail: str = Field(description="What is wrong, and what would be right")


class CreatedOrderResponse(OrderResponse):
    """The order that was made of an upload."""

    refused_photos: Annotated[
        list[RefusedPhoto],
        Field(
            default_factory=list,
            exclude_if=lambda refused: not refused,
            description="Files that are no photos; only there when some of several files were refused",
        ),
    ]


class OrderListItem(OrderHead):
    """One order in the list."""

    item_count: int = Field(description="Line items that the shop did not remove")
    image_count: int
    coloring_completed: int = Field(description="Images with a completed coloring")
    svg_completed: int = Field(description="Images with a completed SVG")
    thumbnails: list[str] = Field(description="URLs of small pictures of up to four photos")


class OrderListResponse(BaseModel):
    """One page of orders, newest first."""

    items: list[OrderListItem]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null on the last")
    total: int | None = Field(
        description="Orders with this status or stage: exact up to 999, 1000 stands for more; null with `q`"
    )
    shop_configured: bool = Field(description="Whether orders can be fetched from the shop")


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
    seconds: float | None = Field(description="How long the status lasted; null while it lasts")
    retry: RetryOrNone


class TimelineResponse(BaseModel):
    """Every status change of an order, oldest first."""

    order_number: str
    entries: list[TimelineEntry]


class FetchFromShopRequest(BaseModel):
    """From when on orders are fetched."""

    model_config = ConfigDict(extra="forbid")

    since: Since | None = Field(
        default=None,
        description="A day, or a moment with its offset, not in the future; 30 days ago if it is not given",
        examples=["2026-11-01"],
    )


class QueuedResponse(BaseModel):
    """It is being done; what comes of it is told by events."""

    status: Literal["queued"] = "queued"
    message: str


class SelectedResponse(BaseModel):
    """Another version is the chosen one."""

    status: Literal["ok"] = "ok"
    message: str


class InvalidField(BaseModel):
    """One field that is wrong: where, and what would be right."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """An error by RFC 9457 (``application/problem+json``)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="A stable word for programs, as a URN", examples=["urn:pastelka:not_found"])
    title: str
    status: int
    detail: str
    code: str
    errors: Annotated[list[InvalidField], Field(default_factory=list)]
