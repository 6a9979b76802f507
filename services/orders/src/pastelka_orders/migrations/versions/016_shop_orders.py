"""Synchronization with a shop: freshness of orders, replaced photos, applied webhooks, deletions.

Revision ID: 016
Revises: 015
"""

import sqlalchemy as sa
from alembic import op

revision = "016"
down_revision = "015"
branch_labels = None
depends_on = None

DELETED = "deleted_shop_orders"
WEBHOOKS = "shopify_webhooks"
ITEM_OF_SHOP = "line_items_shopify_line_item_id_key"
ITEM_OF_ORDER = "line_items_order_id_shopify_line_item_id_key"
RECEIVED = "ix_shopify_webhooks_received_at"


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("orders", sa.Column("shopify_updated_at", sa.DateTime(timezone=True)))
    op.add_column("orders", sa.Column("cancelled_at", sa.DateTime(timezone=True)))
    op.add_column("images", sa.Column("photo_version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("images", sa.Column("photo_replaced_at", sa.DateTime(timezone=True)))
    # Items are looked up within their order; the same item in another order must not conflict.
    op.drop_constraint(ITEM_OF_SHOP, "line_items")
    op.create_unique_constraint(ITEM_OF_ORDER, "line_items", ["order_id", "shopify_line_item_id"])
    op.create_table(
        WEBHOOKS,
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.clock_timestamp(),
            nullable=False,
        ),
    )
    op.create_table(
        DELETED,
        sa.Column("shopify_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column(
            "deleted_at", sa.DateTime(timezone=True), server_default=sa.func.clock_timestamp(), nullable=False
        ),
    )
    op.create_index(RECEIVED, WEBHOOKS, ["received_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table(DELETED)
    op.drop_table(WEBHOOKS)
    op.drop_constraint(ITEM_OF_ORDER, "line_items")
    op.create_unique_constraint(ITEM_OF_SHOP, "line_items", ["shopify_line_item_id"])
    op.drop_column("images", "photo_replaced_at")
    op.drop_column("images", "photo_version")
    op.drop_column("orders", "cancelled_at")
    op.drop_column("orders", "shopify_updated_at")
