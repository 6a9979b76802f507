"""What the shop is to be asked, so that it is asked again where the broker has lost it.

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
    """Jobs that are under way meanwhile are not in it; they are as they were."""
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
