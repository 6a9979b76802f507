"""A version's announced retry, and whether its provider may have been paid twice.

Revision ID: 017
Revises: 016
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "017"
down_revision = "016"
branch_labels = None
depends_on = None

VERSIONS = ("coloring_versions", "svg_versions")


def upgrade() -> None:
    """Add the columns; no table is rewritten."""
    for table in VERSIONS:
        op.add_column(table, sa.Column("retry", JSONB()))
        op.add_column(
            table,
            sa.Column("possibly_paid_twice", sa.Boolean(), nullable=False, server_default=sa.false()),
        )
    op.add_column("status_changes", sa.Column("retry", JSONB()))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("status_changes", "retry")
    for table in VERSIONS:
        op.drop_column(table, "possibly_paid_twice")
        op.drop_column(table, "retry")
