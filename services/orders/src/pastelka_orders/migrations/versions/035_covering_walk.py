"""Include an order's words in the index by status and date, for index-only scans.

Revision ID: 035
Revises: 022
"""

import sqlalchemy as sa
from alembic import op

revision = "035"
down_revision = "022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add ``search`` to the index."""
    _replace(["search"])


def downgrade() -> None:
    """Remove it from the index."""
    _replace([])


def _replace(included: list[str]) -> None:
    name = "ix_orders_status_created_at_id"
    op.drop_index(name, "orders")
    columns: list[str | sa.TextClause] = ["status", sa.text("created_at DESC"), sa.text("id DESC")]
    op.create_index(name, "orders", columns, postgresql_include=included)
