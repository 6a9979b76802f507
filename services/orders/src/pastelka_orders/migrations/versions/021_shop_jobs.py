"""Pending requests to the shop, so that they survive a loss in the broker.

Revision ID: 021
Revises: 020
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "021"
down_revision = "020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; jobs already in the broker are not added."""
    op.create_table(
        "shop_jobs",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()
        ),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("shop_jobs")
