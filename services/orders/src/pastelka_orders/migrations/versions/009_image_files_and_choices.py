"""An image's relative path, size, download error, and times of choices.

Revision ID: 009
Revises: 008
"""

import sqlalchemy as sa
from alembic import op

from pastelka_orders.migrations.conversion import (
    drop_foreign_keys,
    make_paths_absolute,
    make_paths_relative,
)

revision = "009"
down_revision = "008"
branch_labels = None
depends_on = None

FOREIGN_KEY = "images_line_item_id_fkey"


def upgrade() -> None:
    """Add the columns, make paths relative and positions unique."""
    op.alter_column("images", "local_path", new_column_name="path")
    make_paths_relative("images", "path")
    op.alter_column("images", "original_url", nullable=True)
    op.execute("UPDATE images SET original_url = NULL WHERE original_url = ''")
    for column in _columns():
        op.add_column("images", column)
    _make_positions_unique()
    # The unique index begins with the same column.
    op.drop_index("ix_images_line_item_id", "images", if_exists=True)
    drop_foreign_keys("images", to="line_items")
    op.create_foreign_key(FOREIGN_KEY, "images", "line_items", ["line_item_id"], ["id"], ondelete="CASCADE")


def downgrade() -> None:
    """Drop the columns and make paths absolute again."""
    drop_foreign_keys("images", to="line_items")
    op.create_foreign_key(FOREIGN_KEY, "images", "line_items", ["line_item_id"], ["id"])
    op.create_index("ix_images_line_item_id", "images", ["line_item_id"])
    op.drop_constraint("images_line_item_id_position_key", "images")
    for column in _columns():
        op.drop_column("images", column.name)
    op.execute("UPDATE images SET original_url = '' WHERE original_url IS NULL")
    op.alter_column("images", "original_url", nullable=False)
    make_paths_absolute("images", "path")
    op.alter_column("images", "path", new_column_name="local_path")


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("download_error_code", sa.Text()),
        sa.Column("download_error_message", sa.Text()),
        sa.Column("coloring_chosen_at", sa.DateTime(timezone=True)),
        sa.Column("svg_chosen_at", sa.DateTime(timezone=True)),
    ]


def _make_positions_unique() -> None:
    """The oldest image keeps a duplicate position (the shop's ``Fotka <n>``); others are appended."""
    op.execute(
        """
        WITH ranked AS (
            SELECT id, line_item_id, max(position) OVER (PARTITION BY line_item_id) AS last,
                row_number() OVER (PARTITION BY line_item_id, position ORDER BY id) AS nth
            FROM images
        ), moved AS (
            SELECT id, last + row_number() OVER (PARTITION BY line_item_id ORDER BY id) AS position
            FROM ranked WHERE nth > 1
        )
        UPDATE images SET position = moved.position FROM moved WHERE moved.id = images.id
        """
    )
    op.create_unique_constraint("images_line_item_id_position_key", "images", ["line_item_id", "position"])
