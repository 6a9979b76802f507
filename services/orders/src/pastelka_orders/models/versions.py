"""Tables of colorings, SVGs and their timeline."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Enum,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from pastelka_common.contracts.options import Background, GroupBy, LineWeight, ShapeStacking
from pastelka_common.contracts.statuses import ColoringProcessingStatus, StatusType, SvgProcessingStatus
from pastelka_orders.models.base import ACTOR_KIND_SQL, ACTOR_NAME_SQL, Base, changed_index, labels


class _Progress:
    """Columns of both kinds of version.

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
    """Number of the run, from 1; a retry by a user adds one."""
    attempt: Mapped[int] = mapped_column(server_default="0")
    step: Mapped[int] = mapped_column(server_default="0")
    error_code: Mapped[str | None] = mapped_column(Text)
    """Never null when ``error``."""
    error_message: Mapped[str | None] = mapped_column(Text)
    provider_job_id: Mapped[str | None] = mapped_column(Text)
    retry: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """``{attempt, of, next_at, code, message}`` between a failed attempt and the next."""
    possibly_paid_twice: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether a job was resubmitted although the first submission may have reached the provider."""
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When this run was requested."""
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


def _is_active(status_type: str) -> Mapped[bool]:
    """Whether the run has not ended, for the reconciler's index.

    A separate column, because an index predicate on ``status`` would prevent HOT updates at every status
    change.
    """
    final = f"ARRAY['completed'::{status_type}, 'error'::{status_type}]"
    return mapped_column(Computed(f"status <> ALL ({final})", persisted=True))


class ColoringVersion(_Progress, Base):
    """A coloring page generated, or being generated, from a photo."""

    __tablename__ = "coloring_versions"
    __table_args__ = (
        UniqueConstraint("image_id", "version"),
        UniqueConstraint("image_id", "id"),
        CheckConstraint("status <> 'completed' OR path IS NOT NULL", name="completed_has_path"),
        CheckConstraint("status <> 'error' OR error_code IS NOT NULL", name="error_has_code"),
        CheckConstraint("background IN ('keep', 'quiet', 'none')", name="background"),
        CheckConstraint("line_weight IN ('thin', 'normal', 'bold')", name="line_weight"),
        Index("ix_coloring_versions_is_active", "id", postgresql_where=text("is_active")),
        changed_index("coloring_versions", "updated_at"),
    )

    status: Mapped[ColoringProcessingStatus] = mapped_column(
        Enum(ColoringProcessingStatus, name="coloringprocessingstatus", values_callable=labels),
        server_default=ColoringProcessingStatus.PENDING.value,
    )
    megapixels: Mapped[float] = mapped_column(Float, server_default=text("1.0"))
    steps: Mapped[int] = mapped_column(server_default="4")
    has_frame: Mapped[bool] = mapped_column(server_default=text("true"))
    background: Mapped[str] = mapped_column(Text, server_default=Background.QUIET.value)
    line_weight: Mapped[str] = mapped_column(Text, server_default=LineWeight.NORMAL.value)
    edited_photo_path: Mapped[str | None]
    """The edited photo that it is made from; ``None``: the original."""
    then_svg: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Options of the SVG to generate automatically on completion; ``None`` for no SVG."""
    is_active: Mapped[bool] = _is_active("coloringprocessingstatus")


class SvgVersion(_Progress, Base):
    """An SVG generated, or being generated, from a coloring page of the same image."""

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
        changed_index("svg_versions", "updated_at"),
    )

    coloring_version_id: Mapped[int]
    status: Mapped[SvgProcessingStatus] = mapped_column(
        Enum(SvgProcessingStatus, name="svgprocessingstatus", values_callable=labels),
        server_default=SvgProcessingStatus.PENDING.value,
    )
    shape_stacking: Mapped[str] = mapped_column(server_default=ShapeStacking.STACKED.value)
    group_by: Mapped[str] = mapped_column(server_default=GroupBy.COLOR.value)
    is_active: Mapped[bool] = _is_active("svgprocessingstatus")


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
    """Set if the entry is an announced retry instead of a status change."""
    at: Mapped[datetime]
    """When it happened, by the clock of the process that reported it."""
    committed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    actor_kind: Mapped[str | None] = mapped_column(Text, server_default=text(ACTOR_KIND_SQL))
    """Of who caused it, as in ``OrderHistoryEntry``; ``None`` before revision 040."""
    actor_name: Mapped[str | None] = mapped_column(Text, server_default=text(ACTOR_NAME_SQL))
