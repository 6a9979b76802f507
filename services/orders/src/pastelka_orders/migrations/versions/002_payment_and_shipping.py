"""Payment status and shipping method of an order.

Revision ID: 002
Revises: 001
"""

import sqlalchemy as sa
from alembic import op

revision = "002"
down_revision = "001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns."""
    for column in ("payment_status", "shipping_method"):
        op.add_column("orders", sa.Column(column, sa.String()))


def downgrade() -> None:
    """Drop both columns."""
    for column in ("shipping_method", "payment_status"):
        op.drop_column("orders", column)
