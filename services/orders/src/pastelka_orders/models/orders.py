"""Tables of orders, their line items and photos.

The migrations create the tables; these models describe them at head (a test compares both).
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Sequence,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from pastelka_orders.models.base import (
    ACTOR_KIND_SQL,
    ACTOR_NAME_SQL,
    Base,
    RowJob,
    changed_index,
    labels,
)

OrderSource = Literal["shopify", "manual"]
"""Where an order came from."""

StoredKind = Literal["coloring", "svg", "photo", "edited_photo", "book"]
"""Kinds of stored files."""

MANY_FILES = 20
"""If none of this many files is in the storage, the wrong storage is mounted."""

ErasureReason = Literal["retention", "customer", "operator"]
"""Why an order was erased: its age, its customer's request, a deletion by an operator."""


class OrderStatus(StrEnum):
    """Status of an order until its photos are stored; PostgreSQL type ``orderstatus``."""

    PENDING = "pending"
    """Received, without its line items."""
    DOWNLOADING = "downloading"
    """Its photos are being downloaded."""
    PROCESSING = "processing"
    """Its line items are being fetched from the shop."""
    READY_FOR_REVIEW = "ready_for_review"
    """All photos are stored."""
    ERROR = "error"
    """At least one download, or the fetch of the order, failed."""


class OrderStage(StrEnum):
    """What an operator has to do about an order; triggers of the database keep it (revision 039)."""

    INTAKE = "intake"
    """A photo is not here yet, or there is none."""
    ATTENTION = "attention"
    """A photo or its newest page failed and no page is chosen, a page was possibly paid for twice, or the
    shop changed the order after a page was approved or the book printed."""
    TO_GENERATE = "to_generate"
    """A photo has no page, and none is being made."""
    GENERATING = "generating"
    """A page is being made of a photo that has none yet."""
    TO_REVIEW = "to_review"
    """Every photo has a chosen page; not all are approved."""
    APPROVED = "approved"
    PRINTED = "printed"
    SHIPPED = "shipped"
    ON_HOLD = "on_hold"
    """An operator put it aside, for a reason."""
    CANCELLED = "cancelled"
    """By the shop."""


manual_order_numbers = Sequence("manual_order_number_seq", start=1000, metadata=Base.metadata)
"""Numbers of manual orders: ``M1000``, ``M1001``, ..."""


class Order(Base):
    """An order of the shop, or a manual one from uploaded photos."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("order_number"),
        CheckConstraint("source IN ('shopify', 'manual')", name="source"),
        CheckConstraint(f"stage IN {tuple(map(str, OrderStage))}", name="stage"),
        Index("ix_orders_shopify_id", "shopify_id", unique=True),
        Index("ix_orders_shopify_order_number", "shopify_order_number"),
        # ``repository/order_search.py`` explains these three and the last two.
        Index("ix_orders_created_at_id", text("created_at DESC"), text("id DESC")),
        Index(
            "ix_orders_status_created_at_id",
            "status",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_include=["search"],
        ),
        Index(
            "ix_orders_stage_created_at_id",
            "stage",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_include=["search"],
        ),
        Index("ix_orders_customer_email", text("lower(customer_email)")),
        Index(
            "ix_orders_idempotency_key",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
        changed_index("orders", "updated_at"),
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
    """``updated_at`` of the last data from the shop; older data is ignored."""
    cancelled_at: Mapped[datetime | None]
    """When the shop cancelled it; automatic processing stops from then on."""
    customer_email: Mapped[str | None]
    customer_name: Mapped[str | None]
    payment_status: Mapped[str | None]
    shipping_method: Mapped[str | None]
    note: Mapped[str | None] = mapped_column(Text)
    assignee: Mapped[str | None] = mapped_column(Text)
    """Who is responsible for the order: a name, usually of a user."""
    shop_values: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The shop's values of fields edited here; ``None`` if there are none."""
    shop_changed_fields: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """Those that the shop changed and that were not edited since."""
    search: Mapped[str] = mapped_column(Text, server_default="")
    """Words of number, customer and e-mail, lower case, without accents, separated by single spaces."""
    status: Mapped[OrderStatus] = mapped_column(
        Enum(OrderStatus, name="orderstatus", values_callable=labels),
        server_default=OrderStatus.PENDING.value,
    )
    stage: Mapped[str] = mapped_column(Text, server_default=OrderStage.INTAKE.value)
    """An ``OrderStage``; written by triggers only."""
    on_hold_reason: Mapped[str | None] = mapped_column(Text)
    """Why an operator put it aside; ``None``: it is not on hold."""
    printed_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    shop_changed_at: Mapped[datetime | None]
    """When the shop changed it after an approval or the print, until an operator has seen that."""
    attention_seen_at: Mapped[datetime | None]
    """When an operator last saw what needed attention; what was paid twice before does not any more."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    idempotency_key: Mapped[str | None] = mapped_column(Text)
    """The client's key of the request that created it, so that a repeated one does not create another."""


class OrderHistoryEntry(Base):
    """One thing that was done to an order, and by whom; triggers write it (revision 040)."""

    __tablename__ = "order_history"
    __table_args__ = (Index("ix_order_history_order_id_id", "order_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    actor_kind: Mapped[str] = mapped_column(Text, server_default=text(ACTOR_KIND_SQL))
    """An ``ActorKind``."""
    actor_name: Mapped[str] = mapped_column(Text, server_default=text(ACTOR_NAME_SQL))
    """Of the person or API token, or the topic of the shop's webhook; empty for the system."""
    action: Mapped[str] = mapped_column(Text)
    line_item_id: Mapped[int | None]
    """The line item may be gone by now; so may the image."""
    image_id: Mapped[int | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))


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
    shop_values: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The shop's values of fields edited here; ``None`` if there are none."""
    shop_changed_at: Mapped[datetime | None]
    """When the shop last changed one of these."""
    shop_changed_fields: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """Those that the shop changed and that were not edited since."""
    last_file_position: Mapped[int | None]
    """The highest number in names of its photos' files that was used; ``None`` while it is the highest
    position."""


class Image(RowJob, Base):
    """One photo, and its chosen versions. The job is to download the photo."""

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
        Index("ix_images_edited", "id", postgresql_where=text("edited_photo_path IS NOT NULL")),
        changed_index("images", "GREATEST(coloring_chosen_at, svg_chosen_at)", "chosen_at"),
        # A chosen version belongs to this image; deleting it only clears the choice.
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

    # Also part of a foreign key, so SQLAlchemy needs the explicit autoincrement.
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    line_item_id: Mapped[int] = mapped_column(ForeignKey("line_items.id", ondelete="CASCADE"))
    position: Mapped[int]
    """From 1 within the line item; with gaps after a deletion."""
    file_line_item_id: Mapped[int | None]
    file_position: Mapped[int | None]
    """The line item and position in the paths of its files, and in the shop; they stay when it is moved.
    ``None``: as ``line_item_id`` and ``position``."""
    original_url: Mapped[str | None]
    """Where the shop has it; ``None`` if an operator added or replaced it."""
    path: Mapped[str | None]
    """Relative to the storage root; ``None`` until the photo is stored."""
    photo_version: Mapped[int] = mapped_column(server_default="1")
    """Number of the photo, from 1; a replacement has a higher one."""
    last_photo_version: Mapped[int | None]
    """The highest number that a replacement reserved."""
    photo_replaced_at: Mapped[datetime | None]
    """When the photo was last replaced; versions requested before show the previous one."""
    width: Mapped[int | None]
    height: Mapped[int | None]
    photo_edit: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Parameters of a ``PhotoEdit``; ``None``: the photo is used as it was stored."""
    edited_photo_path: Mapped[str | None]
    """Of the edited photo, which replaces the original everywhere; not null if ``photo_edit`` is not."""
    photo_edited_at: Mapped[datetime | None]
    """When the edit was last changed."""
    downloaded_at: Mapped[datetime | None]
    download_error_code: Mapped[str | None] = mapped_column(Text)
    download_error_message: Mapped[str | None] = mapped_column(Text)
    selected_coloring_id: Mapped[int | None]
    selected_svg_id: Mapped[int | None]
    coloring_chosen_at: Mapped[datetime | None]
    """When the coloring was last chosen."""
    svg_chosen_at: Mapped[datetime | None]
    """When the SVG was last chosen."""
    approved_at: Mapped[datetime | None]
    """When a person approved the chosen coloring; the choice is frozen until that is lifted."""
    approved_by: Mapped[str | None] = mapped_column(Text)
    rework_reason: Mapped[str | None] = mapped_column(Text)
    """Why a person sent the page back; ``None`` once another is chosen by a person or approved."""
