"""Request and response bodies. Field names and their order are the specification's."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
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
from pastelka_common.contracts.statuses import ColoringProcessingStatus, SvgProcessingStatus
from pastelka_orders.domain.coloring_options import PresetName
from pastelka_orders.models.orders import OrderSource, OrderStage, OrderStatus


def omitted_if_none(description: str | None = None) -> Any:
    """A field that is omitted if it is ``None``."""
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
    omitted_if_none("Only present after an error"),
]


class RetryResponse(BaseModel):
    """An attempt failed transiently, and will be retried."""

    attempt: int = Field(description="Number of failed attempts, from 1")
    of: int = Field(description="Number of failed attempts that end the version in error")
    next_at: AwareDatetime = Field(description="Earliest start of the next attempt")
    code: str
    message: str


RetryOrNone = Annotated[
    RetryResponse | None,
    omitted_if_none("Only present while a retry is pending"),
]
PossiblyPaidTwice = Annotated[
    Literal[True] | None,
    omitted_if_none(
        "Only present if the job was resubmitted because the provider's response to the "
        "first submission was lost: the provider may charge for both"
    ),
]


class ColoringOptionsResponse(BaseModel):
    """Size, detail and style of a coloring page; style options only if not the default."""

    megapixels: float
    steps: int
    frame: Annotated[
        Literal[False] | None,
        omitted_if_none("Only present if there is no frame"),
    ]
    background: Annotated[
        Literal["keep", "none"] | None,
        omitted_if_none("Only present if not `quiet`"),
    ]
    line_weight: Annotated[
        Literal["thin", "bold"] | None,
        omitted_if_none("Only present if not `normal`"),
    ]


class PresetResponse(BaseModel):
    """Named coloring options."""

    name: PresetName
    options: ColoringOptionsResponse
    seconds: float | None = Field(
        description="Recent median time from start to completion of a page with these options;"
        " null if there are too few"
    )
    cost: Decimal | None = Field(description="Price of a page; null if unknown")


class PresetsResponse(BaseModel):
    """The presets, and the coloring options that the active provider supports."""

    provider: ColoringProviderName
    options: list[str] = Field(description="Names of the supported options; others are rejected")
    items: list[PresetResponse]
    svg_cost: Decimal | None = Field(description="Price of an SVG; null if unknown")
    currency: str = Field(description="Of all prices: an ISO 4217 code", examples=["USD"])


class SvgOptionsResponse(BaseModel):
    """Structure of an SVG."""

    shape_stacking: str
    group_by: str


class ColoringVersionResponse(BaseModel):
    """One coloring page, completed or in progress."""

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
    """One SVG of the coloring ``coloring_version_id``, completed or in progress."""

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
    """One photo with its versions."""

    id: int
    position: int
    url: str | None = Field(description="The photo, served as a file")
    downloaded_at: AwareDatetime | None
    selected_version_ids: SelectedVersionIdsResponse
    versions: VersionsResponse
    error: Error
    approved_at: Annotated[
        AwareDatetime | None,
        omitted_if_none("Only present if a person approved the chosen coloring: the choice is frozen"),
    ]
    approved_by: Annotated[str | None, omitted_if_none("Who approved it; only present if it is approved")]
    rework_reason: Annotated[
        str | None,
        omitted_if_none("Why a person sent the page back; only present until another is chosen or approved"),
    ]


class ShopValues(BaseModel):
    """The shop's values of edited fields; the others are omitted."""

    title: str | None = None
    quantity: int | None = None
    dedication: str | None = None
    layout: str | None = None

    @model_serializer(mode="wrap")
    def _omit_unset(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: value for name, value in serialize(self).items() if name in self.model_fields_set}


ShopValuesOrNone = Annotated[
    ShopValues | None,
    omitted_if_none("Only present if fields were edited"),
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
        omitted_if_none("Only present if the shop removed the item: it is not processed or printed"),
    ]
    shop_values: ShopValuesOrNone
    shop_changed_at: Annotated[
        AwareDatetime | None,
        omitted_if_none("Only present if the shop changed one of `shop_values` after the edit"),
    ]
    shop_changed_fields: Annotated[
        list[str] | None, omitted_if_none("Which of `shop_values` the shop changed after the edit")
    ]


Attention = Literal["failed", "paid_twice", "shop_changed"]
"""Why an order needs attention: a photo or page failed, the provider may have charged twice, the shop changed
the order after an approval or the print."""


class OrderHead(BaseModel):
    """An order without its items."""

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
        omitted_if_none("What needs attention; only present if something does, whatever the stage"),
    ]
    on_hold_reason: Annotated[str | None, omitted_if_none("Only present if an operator put it on hold")]
    printed_at: Annotated[AwareDatetime | None, omitted_if_none("Only present if it is printed")]
    shipped_at: Annotated[AwareDatetime | None, omitted_if_none("Only present if it is shipped")]
    note: Annotated[str | None, omitted_if_none("Only present if there is one")]
    assignee: Annotated[
        str | None, omitted_if_none("Who is responsible for it; only present if there is someone")
    ]
    created_at: AwareDatetime
    updated_at: AwareDatetime
    cancelled_at: Annotated[
        AwareDatetime | None,
        omitted_if_none("Only present if the shop cancelled the order: it is not processed or printed"),
    ]
    shop_url: Annotated[
        str | None,
        omitted_if_none("The order in the shop's administration; only present if the shop is known"),
    ]
    unread_fields: Annotated[
        list[str] | None,
        omitted_if_none(
            "Fields of the shop's last webhook that could not be parsed, a sentence each; "
            "only present if there are any"
        ),
    ]


class OrderShopValues(BaseModel):
    """The shop's values of edited fields of an order."""

    customer_name: str | None = None


OrderShopValuesOrNone = Annotated[
    OrderShopValues | None, omitted_if_none("Only present if the order was edited")
]
OrderShopChangedFields = Annotated[
    list[str] | None, omitted_if_none("Which of `shop_values` the shop changed after the edit")
]


class OrderResponse(OrderHead):
    """One order with its line items, images and versions."""

    shop_values: OrderShopValuesOrNone
    shop_changed_fields: OrderShopChangedFields
    line_items: list[LineItemResponse]


class RefusedPhoto(BaseModel):
    """A file of an upload that is not a usable photo; it was not stored."""

    position: int = Field(description="Position of the file in the upload, from 1")
    name: str = Field(description="The file's name, safe for display")
    code: str = Field(examples=["photo_truncated"])
    detail: str = Field(description="Cause and remedy")


class CreatedOrderResponse(OrderResponse):
    """The order created from an upload."""

    refused_photos: Annotated[
        list[RefusedPhoto],
        Field(
            default_factory=list,
            exclude_if=lambda refused: not refused,
            description="Files that are not photos; only present if there are any",
        ),
    ]


class OrderListItem(OrderHead):
    """One order in the list."""

    item_count: int = Field(description="Line items that the shop did not remove")
    image_count: int
    coloring_completed: int = Field(description="Images with a completed coloring")
    svg_completed: int = Field(description="Images with a completed SVG")
    thumbnails: list[str] = Field(description="URLs of thumbnails of up to four photos")


class OrderListResponse(BaseModel):
    """One page of orders, newest first."""

    items: list[OrderListItem]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null on the last")
    total: int | None = Field(
        description="Orders with this status or stage: exact up to 999, 1000 stands for more; null with `q`"
    )
    shop_configured: bool = Field(description="Whether orders can be fetched from the shop")


class FetchFromShopRequest(BaseModel):
    """Start of the period to fetch."""

    model_config = ConfigDict(extra="forbid")

    since: Since | None = Field(
        default=None,
        description="A date, or a timestamp with offset, not in the future; default: 30 days ago",
        examples=["2026-11-01"],
    )


class QueuedResponse(BaseModel):
    """The request was accepted; events report its progress."""

    status: Literal["queued"] = "queued"
    message: str


class SelectedResponse(BaseModel):
    """The version is now the chosen one."""

    status: Literal["ok"] = "ok"
    message: str


class InvalidField(BaseModel):
    """One invalid field."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """A problem document, RFC 9457 (``application/problem+json``)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="A stable identifier, as a URN", examples=["urn:pastelka:not_found"])
    title: str
    status: int
    detail: str
    code: str
    errors: Annotated[list[InvalidField], Field(default_factory=list)]
