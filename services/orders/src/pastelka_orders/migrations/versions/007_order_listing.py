"""Indexes for listing orders newest first, and defaults of timestamps.

Revision ID: 007
Revises: 006
"""

import sqlalchemy as sa
from alembic import op

revision = "007"
down_revision = "006"
branch_labels = None
depends_on = None

TIMES = ("created_at", "updated_at")
NEWEST_FIRST = [sa.text("created_at DESC"), sa.text("id DESC")]


def upgrade() -> None:
    """Add the defaults and an index for the list with and without a status."""
    for column in TIMES:
        op.alter_column("orders", column, server_default=sa.func.now())
    op.create_index("ix_orders_created_at_id", "orders", NEWEST_FIRST)
    op.create_index("ix_orders_status_created_at_id", "orders", ["status", *NEWEST_FIRST])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_orders_status_created_at_id", "orders")
    op.drop_index("ix_orders_created_at_id", "orders")
    for column in TIMES:
        op.alter_column("orders", column, server_default=None)
