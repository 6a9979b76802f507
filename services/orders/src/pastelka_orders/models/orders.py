"""The tables of head, as the migrations build them (a test compares the two).

Names of constraints follow PostgreSQL's own defaults, so that those an installation of the
system we replace already has need no renaming. Times are timezone-aware. No relationship loads by
itself: a repository says what it wants (``selectinload``), anything else raises.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    Sequence,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from pastelka_common.contracts.options import GroupBy, ShapeStacking
from pastelka_common.contracts.statuses import ColoringProcessingStatus, StatusType, SvgProcessingStatus

NAMING = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}

OrderSource = Literal["shopify", "manual"]
"""Where an order came from."""

StoredKind = Literal["coloring", "svg", "photo"]
"""What a stored file is."""

MANY_FILES = 20
"""Files of which none is in the storage say more of the storage than of the files."""

ErasureReason = Literal["retention", "customer", "operator"]
"""Why an order was erased: its age, its customer's request, a deletion by an operator."""


class OrderStatus(StrEnum):
    """Status of an order until its photos are here; PostgreSQL type ``orderstatus``."""

    PENDING = "pending"
    """Known; its line items are not."""
    DOWNLOADING = "downloading"
    """Its photos are being fetched."""
    PROCESSING = "processing"
    """Its line items are being read from the shop."""
    READY_FOR_REVIEW = "ready_for_review"
    """All photos are stored."""
    ERROR = "error"
    """At least one photo, or the order itself, could not be fetched."""


class Base(DeclarativeBase):
    """Shared metadata and column types."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - SQLAlchemy's own declaration


def _labels(enum: type[StrEnum]) -> list[str]:
    return [member.value for member in enum]


def _now() -> datetime:
    return datetime.now(UTC)


def _changed_index(table: str, moment: str, name: str | None = None) -> Index:
    """Finds what changed lately. A summary of blocks, as it takes the cheap update away from no row."""
    return Index(
        f"ix_{table}_{name or moment}",
        text(moment),
        postgresql_using="brin",
        postgresql_with={"pages_per_range": "32", "autosummarize": "on"},
    )


manual_order_numbers = Sequence("manual_order_number_seq", start=1000, metadata=Base.metadata)
"""Numbers of orders made by hand: ``M1000``, ``M1001``, ..."""


class Order(Base):
    """One order of the shop, or one made by hand from uploaded photos."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("order_number"),
        CheckConstraint("source IN ('shopify', 'manual')", name="source"),
        Index("ix_orders_shopify_id", "shopify_id", unique=True),
        Index("ix_orders_shopify_order_number", "shopify_order_number"),
        # ``repository/order_search.py`` says what these two and the last two are for.
        Index("ix_orders_created_at_id", text("created_at DESC"), text("id DESC")),
        Index(
            "ix_orders_status_created_at_id",
            "status",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_include=["search"],
        ),
        Index("ix_orders_customer_email", text("lower(customer_email)")),
        _changed_index("orders", "updated_at"),
        Index(
            "ix_orders_search_keys",
            text("order_search_keys(search)"),
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
        Index(
            "ix_orders_number_digit",
            text("\"left\"(ltrim(search, 'abcdefghijklmnopqrstuvwxyz'), 1)"),
            text("created_at DESC"),
            text("id DESC"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_number: Mapped[str] = mapped_column(Text)
    """Unique, without ``#``; part of URLs, topics and subjects."""
    source: Mapped[OrderSource] = mapped_column(Text)
    shopify_id: Mapped[int | None] = mapped_column(BigInteger)
    shopify_order_number: Mapped[str | None]
    """As the shop writes it (``#1270``)."""
    shopify_updated_at: Mapped[datetime | None]
    """``updated_at`` of what was last read from the shop; what is older changes nothing."""
    cancelled_at: Mapped[datetime | None]
    """When the shop cancelled it; nothing starts by itself from then on."""
    customer_email: Mapped[str | None]
    customer_name: Mapped[str | None]
    payment_status: Mapped[str | None]
    shipping_method: Mapped[str | None]
    note: Mapped[str | None] = mapped_column(Text)
    search: Mapped[str] = mapped_column(Text, server_default="")
    """Words of number, customer and e-mail in lower case without accents, one space between two of them."""
    status: Mapped[OrderStatus] = mapped_column(
        Enum(OrderStatus, name="orderstatus", values_callable=_labels),
        server_default=OrderStatus.PENDING.value,
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=_now)

    line_items: Mapped[list["LineItem"]] = relationship(
        back_populates="order", lazy="raise", order_by="LineItem.position", passive_deletes=True
    )


class LineItem(Base):
    """One coloring book within an order."""

    __tablename__ = "line_items"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        UniqueConstraint("order_id", "shopify_line_item_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    position: Mapped[int]
    """From 1, in the shop's order."""
    shopify_line_item_id: Mapped[int | None] = mapped_column(BigInteger)
    title: Mapped[str]
    quantity: Mapped[int] = mapped_column(server_default="1")
    dedication: Mapped[str | None]
    layout: Mapped[str | None]

    order: Mapped[Order] = relationship(back_populates="line_items", lazy="raise")
    images: Mapped[list["Image"]] = relationship(
        back_populates="line_item", lazy="raise", order_by="Image.position", passive_deletes=True
    )


class RowJob:
    """Columns of a row that is itself a job of the worker (:mod:`pastelka_orders.row_jobs`)."""

    attempts: Mapped[int] = mapped_column(server_default="0")
    """Attempts that failed; what was postponed, or ended with its worker, is not counted."""
    lost_claims: Mapped[int] = mapped_column(server_default="0")
    """Claims that ended without an outcome since the last one that had any."""
    next_attempt_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    """When it is due."""
    claimed_until: Mapped[datetime | None]
    """A worker has it until then, unless it extends its claim; ``None``: no worker has it."""
    last_error: Mapped[str | None] = mapped_column(Text)
    """Why the last attempt failed or was postponed."""


class Image(RowJob, Base):
    """One source photo, and which of its versions are chosen. The job is to download the photo."""

    __tablename__ = "images"
    __table_args__ = (
        UniqueConstraint("line_item_id", "position"),
        Index(
            "ix_images_awaited",
            "next_attempt_at",
            postgresql_where=text(
                "path IS NULL AND download_error_code IS NULL AND original_url IS NOT NULL"
            ),
        ),
        _changed_index("images", "GREATEST(coloring_chosen_at, svg_chosen_at)", "chosen_at"),
        # A chosen version is one of this very image's; losing it clears the choice only.
        ForeignKeyConstraint(
            ["id", "selected_coloring_id"],
            ["coloring_versions.image_id", "coloring_versions.id"],
            ondelete="SET NULL (selected_coloring_id)",
            use_alter=True,
        ),
        ForeignKeyConstraint(
            ["id", "selected_svg_id"],
            ["svg_versions.image_id", "svg_versions.id"],
            ondelete="SET NULL (selected_svg_id)",
            use_alter=True,
        ),
    )

    # Part of a foreign key as well, so SQLAlchemy has to be told that it counts up by itself.
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    line_item_id: Mapped[int] = mapped_column(ForeignKey("line_items.id", ondelete="CASCADE"))
    position: Mapped[int]
    original_url: Mapped[str | None]
    path: Mapped[str | None]
    """Relative to the storage root; ``None`` until the photo is stored."""
    photo_version: Mapped[int] = mapped_column(server_default="1")
    """Which photo this is: the one that replaces the first is the second."""
    photo_replaced_at: Mapped[datetime | None]
    """When the photo was last replaced; versions asked for before show the one before."""
    width: Mapped[int | None]
    height: Mapped[int | None]
    downloaded_at: Mapped[datetime | None]
    download_error_code: Mapped[str | None] = mapped_column(Text)
    download_error_message: Mapped[str | None] = mapped_column(Text)
    selected_coloring_id: Mapped[int | None]
    selected_svg_id: Mapped[int | None]
    coloring_chosen_at: Mapped[datetime | None]
    """When a person last chose the coloring."""
    svg_chosen_at: Mapped[datetime | None]
    """When a person last chose the SVG."""

    line_item: Mapped[LineItem] = relationship(back_populates="images", lazy="raise")
    coloring_versions: Mapped[list["ColoringVersion"]] = relationship(
        back_populates="image",
        lazy="raise",
        primaryjoin="Image.id == ColoringVersion.image_id",
        foreign_keys="ColoringVersion.image_id",
        order_by="ColoringVersion.version",
        passive_deletes=True,
    )
    svg_versions: Mapped[list["SvgVersion"]] = relationship(
        back_populates="image",
        lazy="raise",
        primaryjoin="Image.id == SvgVersion.image_id",
        foreign_keys="SvgVersion.image_id",
        order_by="SvgVersion.version",
        passive_deletes=True,
    )


class _Progress:
    """Columns both kinds of version have.

    ``(run, attempt, step)`` is the position of the last fact applied; a fact is applied only if
    its own is greater.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    version: Mapped[int]
    """From 1 within the image and kind."""
    path: Mapped[str | None]
    """Relative to the storage root; never null when ``completed``."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    run: Mapped[int] = mapped_column(server_default="1")
    """How often a person asked for this version; retry adds one."""
    attempt: Mapped[int] = mapped_column(server_default="0")
    step: Mapped[int] = mapped_column(server_default="0")
    error_code: Mapped[str | None] = mapped_column(Text)
    """Never null when ``error``."""
    error_message: Mapped[str | None] = mapped_column(Text)
    provider_job_id: Mapped[str | None] = mapped_column(Text)
    retry: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """``{attempt, of, next_at, code, message}`` between an attempt that failed and the next."""
    possibly_paid_twice: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether a job was submitted again whose first submission may have reached the provider."""
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When this run was asked for."""
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=_now)


def _is_active(status_type: str) -> Mapped[bool]:
    """Whether the run has not ended, for the reconciler's index.

    A column of its own, because an index whose predicate names ``status`` would take the cheap
    (heap-only) update away from every status change. Not loaded with the row: ask ``status``.
    """
    final = f"ARRAY['completed'::{status_type}, 'error'::{status_type}]"
    computed = Computed(f"status <> ALL ({final})", persisted=True)
    return mapped_column(computed, deferred=True, deferred_raiseload=True)


class ColoringVersion(_Progress, Base):
    """One coloring page made, or being made, from a photo."""

    __tablename__ = "coloring_versions"
    __table_args__ = (
        UniqueConstraint("image_id", "version"),
        UniqueConstraint("image_id", "id"),
        CheckConstraint("status <> 'completed' OR path IS NOT NULL", name="completed_has_path"),
        CheckConstraint("status <> 'error' OR error_code IS NOT NULL", name="error_has_code"),
        Index("ix_coloring_versions_is_active", "id", postgresql_where=text("is_active")),
        _changed_index("coloring_versions", "updated_at"),
    )

    status: Mapped[ColoringProcessingStatus] = mapped_column(
        Enum(ColoringProcessingStatus, name="coloringprocessingstatus", values_callable=_labels),
        server_default=ColoringProcessingStatus.PENDING.value,
    )
    megapixels: Mapped[float] = mapped_column(Float, server_default=text("1.0"))
    steps: Mapped[int] = mapped_column(server_default="4")
    then_svg: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Options of the SVG to make by itself once this is completed; ``None`` for no SVG."""
    is_active: Mapped[bool] = _is_active("coloringprocessingstatus")

    image: Mapped[Image] = relationship(
        back_populates="coloring_versions",
        lazy="raise",
        primaryjoin="Image.id == ColoringVersion.image_id",
        foreign_keys="ColoringVersion.image_id",
    )


class SvgVersion(_Progress, Base):
    """One SVG made, or being made, from a coloring page of the same image."""

    __tablename__ = "svg_versions"
    __table_args__ = (
        UniqueConstraint("image_id", "version"),
        UniqueConstraint("image_id", "id"),
        ForeignKeyConstraint(
            ["image_id", "coloring_version_id"],
            ["coloring_versions.image_id", "coloring_versions.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("status <> 'completed' OR path IS NOT NULL", name="completed_has_path"),
        CheckConstraint("status <> 'error' OR error_code IS NOT NULL", name="error_has_code"),
        Index("ix_svg_versions_coloring_version_id", "coloring_version_id"),
        Index("ix_svg_versions_is_active", "id", postgresql_where=text("is_active")),
        _changed_index("svg_versions", "updated_at"),
    )

    coloring_version_id: Mapped[int]
    status: Mapped[SvgProcessingStatus] = mapped_column(
        Enum(SvgProcessingStatus, name="svgprocessingstatus", values_callable=_labels),
        server_default=SvgProcessingStatus.PENDING.value,
    )
    shape_stacking: Mapped[str] = mapped_column(server_default=ShapeStacking.STACKED.value)
    group_by: Mapped[str] = mapped_column(server_default=GroupBy.COLOR.value)
    is_active: Mapped[bool] = _is_active("svgprocessingstatus")

    image: Mapped[Image] = relationship(
        back_populates="svg_versions",
        lazy="raise",
        primaryjoin="Image.id == SvgVersion.image_id",
        foreign_keys="SvgVersion.image_id",
    )


class StatusChange(Base):
    """One committed status change of a version: a line of the timeline."""

    __tablename__ = "status_changes"
    __table_args__ = (
        CheckConstraint("kind IN ('coloring', 'svg')", name="kind"),
        Index("ix_status_changes_image_id_id", "image_id", "id"),
        Index(
            "ix_status_changes_ended",
            "committed_at",
            postgresql_include=["kind", "status", "error_code"],
            postgresql_where=text("status IN ('completed', 'error')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    kind: Mapped[StatusType] = mapped_column(Text)
    version_id: Mapped[int]
    run: Mapped[int]
    attempt: Mapped[int]
    status: Mapped[str] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(Text)
    retry: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Not a change: the attempt failed, and there will be another."""
    at: Mapped[datetime]
    """When it happened, by the clock of the process that reported it."""
    committed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
