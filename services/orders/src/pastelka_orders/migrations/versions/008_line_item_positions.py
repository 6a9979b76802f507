"""Positions of line items; cascading deletion; no shop id for manual ones.

Revision ID: 008
Revises: 007
"""

import sqlalchemy as sa
from alembic import op

from pastelka_orders.migrations.conversion import drop_foreign_keys

revision = "008"
down_revision = "007"
branch_labels = None
depends_on = None

FOREIGN_KEY = "line_items_order_id_fkey"


def upgrade() -> None:
    """Number the line items by id."""
    op.add_column("line_items", sa.Column("position", sa.Integer()))
    op.execute(
        """
        UPDATE line_items SET position = each.nth
        FROM (SELECT id, row_number() OVER (PARTITION BY order_id ORDER BY id) AS nth FROM line_items) AS each
        WHERE each.id = line_items.id
        """
    )
    op.alter_column("line_items", "position", nullable=False)
    op.create_unique_constraint("line_items_order_id_position_key", "line_items", ["order_id", "position"])
    # The unique index begins with the same column.
    op.drop_index("ix_line_items_order_id", "line_items", if_exists=True)
    drop_foreign_keys("line_items")
    op.create_foreign_key(FOREIGN_KEY, "line_items", "orders", ["order_id"], ["id"], ondelete="CASCADE")
    op.alter_column("line_items", "quantity", server_default="1")
    op.alter_column("line_items", "shopify_line_item_id", nullable=True)
    op.execute("UPDATE line_items SET shopify_line_item_id = NULL WHERE shopify_line_item_id < 0")


def downgrade() -> None:
    """Drop the position; a manual line item gets a negative shop id."""
    op.execute("UPDATE line_items SET shopify_line_item_id = -id WHERE shopify_line_item_id IS NULL")
    op.alter_column("line_items", "shopify_line_item_id", nullable=False)
    op.alter_column("line_items", "quantity", server_default=None)
    drop_foreign_keys("line_items")
    op.create_foreign_key(FOREIGN_KEY, "line_items", "orders", ["order_id"], ["id"])
    op.create_index("ix_line_items_order_id", "line_items", ["order_id"])
    op.drop_column("line_items", "position")
