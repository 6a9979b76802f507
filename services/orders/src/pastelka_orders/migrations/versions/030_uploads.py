"""Uploads in progress, so that files of crashed ones are deleted.

Revision ID: 030
Revises: 024
"""

import sqlalchemy as sa
from alembic import op

revision = "030"
down_revision = "024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create an empty table."""
    op.create_table(
        "uploads",
        sa.Column("order_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("line_item_id", sa.Integer(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.clock_timestamp(),
        ),
        sa.Column("is_abandoned", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("uploads")
