"""The photos of an order are added, replaced, moved and deleted one by one.

Revision ID: 042
Revises: 041
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "042"
down_revision = "041"
branch_labels = None
depends_on = None

COLUMNS = {
    "images": ("file_line_item_id", "file_position", "last_photo_version"),
    "line_items": ("last_file_position",),
}


def _moment(name: str) -> sa.Column[datetime]:
    now = sa.func.clock_timestamp()
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=now)


def upgrade() -> None:
    """Nothing was moved yet: empty columns and tables."""
    for table, names in COLUMNS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Integer()))
    op.add_column("orders", sa.Column("idempotency_key", sa.Text()))
    op.create_index(
        "ix_orders_idempotency_key",
        "orders",
        ["idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_table(
        "photo_uploads",
        sa.Column(
            "order_id",
            sa.Integer(),
            sa.ForeignKey("orders.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("idempotency_key", sa.Text(), primary_key=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("image_id", sa.Integer(), sa.ForeignKey("images.id", ondelete="SET NULL")),
        _moment("created_at"),
    )
    op.create_index("ix_photo_uploads_image_id", "photo_uploads", ["image_id"])
    op.create_table(
        "photo_overrides",
        sa.Column(
            "line_item_id",
            sa.Integer(),
            sa.ForeignKey("line_items.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("url", sa.Text()),
    )
    op.create_table(
        "removed_photos",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("order_id", sa.Integer(), sa.ForeignKey("orders.id", ondelete="CASCADE"), nullable=False),
        sa.Column("file_line_item_id", sa.Integer(), nullable=False),
        sa.Column("file_position", sa.Integer(), nullable=False),
        sa.Column("paths", ARRAY(sa.Text()), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False, server_default="0"),
        _moment("next_check_at"),
    )
    op.create_index("ix_removed_photos_order_id", "removed_photos", ["order_id"])
    op.create_index("ix_removed_photos_next_check_at", "removed_photos", ["next_check_at"])


def downgrade() -> None:
    """A photo that was moved gets its new files under the place where it is now."""
    for table in ("removed_photos", "photo_overrides", "photo_uploads"):
        op.drop_table(table)
    op.drop_index("ix_orders_idempotency_key", "orders")
    op.drop_column("orders", "idempotency_key")
    for table, names in COLUMNS.items():
        for name in names:
            op.drop_column(table, name)
