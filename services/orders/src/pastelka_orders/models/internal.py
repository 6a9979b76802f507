"""Internal tables: outbox, webhooks, leases, erasures, jobs."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from pastelka_common.contracts.statuses import StatusType
from pastelka_orders.models.base import Base, RowJob
from pastelka_orders.models.orders import ErasureReason


class ShopifyWebhook(Base):
    """An applied webhook, so that a repeated delivery is ignored."""

    __tablename__ = "shopify_webhooks"
    __table_args__ = (
        Index("ix_shopify_webhooks_received_at", "received_at"),
        Index("ix_shopify_webhooks_body_digest", "body_digest", unique=True),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    """``X-Shopify-Webhook-Id``; the digest of the body where the header is missing."""
    topic: Mapped[str | None] = mapped_column(Text)
    body_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    """SHA-256. The signature covers only the body, so the same body under another id is a repetition."""
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class UnreadWebhook(Base):
    """A webhook with unparsable fields (:mod:`pastelka_orders.repository.unread_webhooks`)."""

    __tablename__ = "unread_webhooks"
    __table_args__ = (UniqueConstraint("order_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    """``None`` if the body identifies no order."""
    topic: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    """As received; truncated at 256 KiB."""
    body_digest: Mapped[bytes] = mapped_column(LargeBinary)
    problems: Mapped[list[str]] = mapped_column(JSONB)
    """Which fields were ignored, and why."""
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class DeletedShopOrder(Base):
    """A deleted order of the shop, which webhooks must not recreate."""

    __tablename__ = "deleted_shop_orders"

    shopify_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    is_final: Mapped[bool] = mapped_column(server_default=text("false"))
    """Erased at its customer's request: a manual fetch must not recreate it either."""
    deleted_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class OutboxMessage(Base):
    """A message to publish, written in the transaction that causes it; deleted once published.

    The ``queues_*`` columns name the version (kind, id, run) that becomes ``queued`` once
    JetStream has acknowledged this message; all null for any other message.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_subject", "subject"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    subject: Mapped[str] = mapped_column(Text)
    msg_id: Mapped[str] = mapped_column(Text)
    """The ``Nats-Msg-Id``."""
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    headers: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    queues_kind: Mapped[StatusType | None] = mapped_column(Text)
    queues_version_id: Mapped[int | None] = mapped_column(Integer)
    queues_run: Mapped[int | None] = mapped_column(Integer)
    refused: Mapped[str | None] = mapped_column(Text)
    """Why the broker permanently refuses it; such a message is skipped and blocks no other."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Lease(Base):
    """The right to do one kind of work, held by one replica at a time (:mod:`pastelka_orders.leases`)."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    """``outbox``, ``reconciler`` or ``retention``."""
    holder: Mapped[str] = mapped_column(Text)
    """Host, process and a random part."""
    taken_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]
    """When it expires unless renewed."""


class ReconcilerState(Base):
    """Result of the reconciler's last pass, and until when all events were delivered: one row."""

    __tablename__ = "reconciler"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    ran_at: Mapped[datetime]
    seconds: Mapped[float]
    """How long the pass took."""
    examined: Mapped[int]
    """Active versions that it examined."""
    repaired: Mapped[int]
    repaired_total: Mapped[int] = mapped_column(BigInteger)
    last_repaired_at: Mapped[datetime | None]
    events_mark: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Position in ``EVENTS``, to detect a lost or older stream."""
    events_good_at: Mapped[datetime | None]
    """All events committed before were pushed to the browsers."""


class Erasure(RowJob, Base):
    """Record of an order's erasure, in progress or finished; kept permanently.

    The job is to erase it, then to check for files that a worker wrote late. It contains no personal data:
    ids, the order number, counts and times.
    """

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint("reason IN ('retention', 'customer', 'operator')", name="reason"),
        Index("ix_erasures_open", "order_id", postgresql_where=text("erased_at IS NULL")),
        Index("ix_erasures_deleted_at", "deleted_at"),
        Index("ix_erasures_order_number", "order_number"),
        Index("ix_erasures_due", "next_attempt_at", postgresql_where=text("next_attempt_at IS NOT NULL")),
    )

    order_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    order_number: Mapped[str] = mapped_column(Text)
    reason: Mapped[ErasureReason] = mapped_column(Text, server_default="operator")
    asked_by: Mapped[str | None] = mapped_column(Text)
    """Who requested it: an account, a command, ``shopify``; ``None`` for the retention."""
    asked_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    photos: Mapped[int | None]
    pages: Mapped[int | None]
    """Versions that had a file, colorings and SVGs."""
    files: Mapped[int | None]
    """Files in the storage, including thumbnails and markers; ``None`` until counted."""
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    deleted_at: Mapped[datetime | None] = mapped_column(server_default=func.clock_timestamp())
    """When the rows were deleted."""
    is_watched: Mapped[bool] = mapped_column(server_default=text("true"))
    """Whether a worker may still write a file; checked for seven days."""
    looks: Mapped[int] = mapped_column(server_default="0")
    """Consecutive checks that found no file."""
    erased_at: Mapped[datetime | None]
    """When files and rows were deleted."""


class RetentionState(Base):
    """Result of the last retention pass: one row."""

    __tablename__ = "retention"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    ran_at: Mapped[datetime]
    days: Mapped[int | None]
    """``RETENTION_DAYS`` at the last pass; ``None`` while orders are kept for ever."""
    since: Mapped[datetime]
    """Start of the count in ``erased``."""
    erased: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Orders erased by the retention."""
    last_erased_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    """Why the last pass failed; ``None`` if it succeeded."""


class ShopJob(RowJob, Base):
    """A pending request to the shop."""

    __tablename__ = "shop_jobs"
    __table_args__ = (Index("ix_shop_jobs_next_attempt_at", "next_attempt_at"),)

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    """The request: ``sync.<shopify_id>``, or ``fetch.shopify`` with its start time."""
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """``SyncOrder`` or ``FetchOrders`` of :mod:`pastelka_orders.domain.shop_jobs`."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class PendingUpload(Base):
    """A manual order whose photos are being stored; its row is inserted afterwards.

    An abandoned upload cannot be completed; its files are deleted.
    """

    __tablename__ = "uploads"

    order_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line_item_id: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    is_abandoned: Mapped[bool] = mapped_column(server_default=text("false"))


class PhotoUpload(Base):
    """A stored photo that a client sent under its own key, so that the same key stores nothing again."""

    __tablename__ = "photo_uploads"
    __table_args__ = (Index("ix_photo_uploads_image_id", "image_id"),)

    order_id: Mapped[int] = mapped_column(
        ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    idempotency_key: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the file as it was sent."""
    image_id: Mapped[int | None] = mapped_column(ForeignKey("images.id", ondelete="SET NULL"))
    """``None`` once it is deleted."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class PhotoOverride(Base):
    """An operator deleted or replaced the shop's photo at this place; the shop does not undo that."""

    __tablename__ = "photo_overrides"

    line_item_id: Mapped[int] = mapped_column(
        ForeignKey("line_items.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """In the shop."""
    url: Mapped[str | None] = mapped_column(Text)
    """The shop's photo, as last seen."""


class RemovedPhoto(Base):
    """A deleted photo whose files are deleted, also those that a worker writes late."""

    __tablename__ = "removed_photos"
    __table_args__ = (
        Index("ix_removed_photos_order_id", "order_id"),
        Index("ix_removed_photos_next_check_at", "next_check_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    file_line_item_id: Mapped[int]
    file_position: Mapped[int]
    """See ``Image``."""
    paths: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The files that its rows named."""
    checks: Mapped[int] = mapped_column(server_default="0")
    """How often its files were deleted; checked for about six days."""
    next_check_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class FileCheck(Base):
    """Progress of the current round of file checks: one row per kind."""

    __tablename__ = "file_checks"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    after: Mapped[int]
    """Id of the last row whose file was checked."""


class PausedQueue(Base):
    """A queue of jobs that an operator paused."""

    __tablename__ = "queue_pauses"
    __table_args__ = (CheckConstraint("kind IN ('coloring', 'svg')", name="kind"),)

    kind: Mapped[StatusType] = mapped_column(Text, primary_key=True)
    paused_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    paused_by: Mapped[str] = mapped_column(Text)
