"""Orders, line items and images, with the shop's ids as bigint.

In the replaced system no migration created these tables, and its 001 only widened the ids. So this one
creates the tables in an empty database as they were after 001, and widens the ids of existing tables without
a revision.

Revision ID: 001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision = None
branch_labels = None
depends_on = None

SHOP_IDS = {"orders": "shopify_id", "line_items": "shopify_line_item_id"}


def upgrade() -> None:
    """Create the tables, or widen the ids of existing ones."""
    if sa.inspect(op.get_bind()).has_table("orders"):
        _change_ids(sa.Integer(), sa.BigInteger())
    else:
        _create_orders()
        _create_line_items()
        _create_images()


def downgrade() -> None:
    """Narrow the ids, as the old 001 did; the tables stay, because they contain the shop's data."""
    _change_ids(sa.BigInteger(), sa.Integer())


def _change_ids(old: sa.types.TypeEngine[int], new: sa.types.TypeEngine[int]) -> None:
    for table, column in SHOP_IDS.items():
        op.alter_column(table, column, existing_type=old, type_=new, existing_nullable=False)


def _create_orders() -> None:
    # The old enum stored the names of its members, hence upper case; 005 normalises them.
    status = sa.Enum("PENDING", "DOWNLOADING", "PROCESSING", "READY_FOR_REVIEW", "ERROR", name="orderstatus")
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("shopify_id", sa.BigInteger(), nullable=False),
        sa.Column("shopify_order_number", sa.String(), nullable=False),
        sa.Column("customer_email", sa.String()),
        sa.Column("customer_name", sa.String()),
        sa.Column("status", status, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_orders_shopify_id", "orders", ["shopify_id"], unique=True)
    op.create_index("ix_orders_shopify_order_number", "orders", ["shopify_order_number"])


def _create_line_items() -> None:
    op.create_table(
        "line_items",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("order_id", sa.Integer(), sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("shopify_line_item_id", sa.BigInteger(), nullable=False, unique=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("dedication", sa.String()),
        sa.Column("layout", sa.String()),
    )
    op.create_index("ix_line_items_order_id", "line_items", ["order_id"])


def _create_images() -> None:
    op.create_table(
        "images",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("line_item_id", sa.Integer(), sa.ForeignKey("line_items.id"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("original_url", sa.String(), nullable=False),
        sa.Column("local_path", sa.String()),
        sa.Column("downloaded_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_images_line_item_id", "images", ["line_item_id"])
