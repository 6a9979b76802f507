"""Separate status enums for coloring and SVG processing.

Every old value keeps its name. The downgrade maps provider statuses to ``processing``.

Revision ID: 004
Revises: 003
"""

from alembic import op

revision = "004"
down_revision = "003"
branch_labels = None
depends_on = None

OLD_TYPE = "imageprocessingstatus"
OLD = ("pending", "queued", "processing", "completed", "error")
COLORING = (
    "pending",
    "queued",
    "processing",
    "runpod_submitting",
    "runpod_submitted",
    "runpod_queued",
    "runpod_processing",
    "completed",
    "error",
)
SVG = ("pending", "queued", "processing", "vectorizer_processing", "completed", "error")
NEW_TYPES = {
    "coloring_versions": ("coloringprocessingstatus", COLORING),
    "svg_versions": ("svgprocessingstatus", SVG),
}


def upgrade() -> None:
    """Convert each table to its own type; the values keep their names."""
    for table, (name, values) in NEW_TYPES.items():
        _create_type(name, values)
        _retype(table, name, "status::text")
    op.execute(f"DROP TYPE {OLD_TYPE}")


def downgrade() -> None:
    """Convert both tables to the shared type; a value that it lacks becomes ``processing``."""
    _create_type(OLD_TYPE, OLD)
    kept = ", ".join(f"'{value}'" for value in OLD)
    for table, (name, _) in NEW_TYPES.items():
        _retype(
            table, OLD_TYPE, f"CASE WHEN status::text IN ({kept}) THEN status::text ELSE 'processing' END"
        )
        op.execute(f"DROP TYPE {name}")


def _create_type(name: str, values: tuple[str, ...]) -> None:
    op.execute(f"CREATE TYPE {name} AS ENUM ({', '.join(repr(value) for value in values)})")


def _retype(table: str, name: str, value: str) -> None:
    # PostgreSQL does not convert the default, which has the old type.
    op.execute(f"ALTER TABLE {table} ALTER COLUMN status DROP DEFAULT")
    op.execute(f"ALTER TABLE {table} ALTER COLUMN status TYPE {name} USING ({value})::{name}")
    op.execute(f"ALTER TABLE {table} ALTER COLUMN status SET DEFAULT 'pending'")
