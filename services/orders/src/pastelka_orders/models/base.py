"""Base class and shared columns of all tables.

Constraint names follow PostgreSQL's defaults, so that those of the system we replace need no renaming. Times
are timezone-aware.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import DateTime, Index, MetaData, Text, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}


# Settings of the transaction (:mod:`pastelka_orders.actors`).
ACTOR_KIND_SQL = "COALESCE(NULLIF(current_setting('pastelka.actor_kind', true), ''), 'system')"
ACTOR_NAME_SQL = "COALESCE(current_setting('pastelka.actor_name', true), '')"


class Base(DeclarativeBase):
    """Metadata and column types of all tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - SQLAlchemy's own declaration


def labels(enum: type[StrEnum]) -> list[str]:
    """The values of an enum, which are the labels of its PostgreSQL type."""
    return [member.value for member in enum]


def changed_index(table: str, moment: str, name: str | None = None) -> Index:
    """Index for recent changes: BRIN, because it does not prevent HOT updates."""
    return Index(
        f"ix_{table}_{name or moment}",
        text(moment),
        postgresql_using="brin",
        postgresql_with={"pages_per_range": "32", "autosummarize": "on"},
    )


class RowJob:
    """Columns of a row that is itself a job of the worker (:mod:`pastelka_orders.row_jobs`)."""

    attempts: Mapped[int] = mapped_column(server_default="0")
    """Failed attempts; postponed ones and those ended by a crash are not counted."""
    lost_claims: Mapped[int] = mapped_column(server_default="0")
    """Consecutive claims that expired without an outcome."""
    next_attempt_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    """When it is due."""
    claimed_until: Mapped[datetime | None]
    """Expiry of a worker's claim unless extended; ``None``: not claimed."""
    last_error: Mapped[str | None] = mapped_column(Text)
    """Why the last attempt failed or was postponed."""
