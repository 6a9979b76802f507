"""Plain names of columns: active versions, repairs of the reconciler.

Revision ID: 033
Revises: 035
"""

from alembic import op

revision = "033"
down_revision = "035"
branch_labels = None
depends_on = None

_VERSIONS = ("coloring_versions", "svg_versions")
_RECONCILER = (
    ("mended", "repaired"),
    ("mended_total", "repaired_total"),
    ("last_mended_at", "last_repaired_at"),
)


def upgrade() -> None:
    """Rename columns and indexes, without rewriting rows."""
    for table in _VERSIONS:
        op.alter_column(table, "in_hand", new_column_name="is_active")
        op.execute(f"ALTER INDEX ix_{table}_in_hand RENAME TO ix_{table}_is_active")
    for old, new in _RECONCILER:
        op.alter_column("reconciler", old, new_column_name=new)


def downgrade() -> None:
    """Restore the former names."""
    for old, new in _RECONCILER:
        op.alter_column("reconciler", new, new_column_name=old)
    for table in _VERSIONS:
        op.execute(f"ALTER INDEX ix_{table}_is_active RENAME TO ix_{table}_in_hand")
        op.alter_column(table, "is_active", new_column_name="in_hand")
