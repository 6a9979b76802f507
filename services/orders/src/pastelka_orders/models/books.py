"""Tables of printed books."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from pastelka_orders.models.base import Base, RowJob


class BookVersion(RowJob, Base):
    """The books of one order as one PDF, composed or being composed. The job is to compose it."""

    __tablename__ = "book_versions"
    __table_args__ = (
        UniqueConstraint("order_id", "version"),
        CheckConstraint("status IN ('queued', 'composing', 'completed', 'error')", name="status"),
        CheckConstraint("status <> 'completed' OR path IS NOT NULL", name="completed_has_path"),
        CheckConstraint("status <> 'error' OR error_code IS NOT NULL", name="error_has_code"),
        Index(
            "ix_book_versions_due",
            "next_attempt_at",
            postgresql_where=text("status IN ('queued', 'composing')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    version: Mapped[int]
    """From 1 within the order."""
    status: Mapped[str] = mapped_column(Text, server_default="queued")
    progress: Mapped[int] = mapped_column(server_default="0")
    """Percent."""
    options: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """``BookOptions`` as JSON."""
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """``OrderBooks`` as JSON, fixed when the book is requested; paths are relative to the storage root."""
    fingerprint: Mapped[str] = mapped_column(Text)
    """Of the order's content at that time; it differs from the present one if the order was changed."""
    is_forced: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether it was requested in spite of errors in the preflight."""
    path: Mapped[str | None] = mapped_column(Text)
    """Of the PDF, relative to the storage root; the previews are beside it."""
    sheets: Mapped[int | None]
    previews: Mapped[int | None]
    """Number of preview images: sheets without copies."""
    error_code: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]
    printed_at: Mapped[datetime | None]
    """When a person marked it as printed."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
