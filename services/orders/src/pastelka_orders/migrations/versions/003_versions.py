"""Coloring and SVG versions, and an image's selected ones.

Revision ID: 003
Revises: 002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "003"
down_revision = "002"
branch_labels = None
depends_on = None

SELECTIONS = {"selected_coloring_id": "coloring_versions", "selected_svg_id": "svg_versions"}

STATUS = postgresql.ENUM(
    "pending", "queued", "processing", "completed", "error", name="imageprocessingstatus", create_type=False
)


def upgrade() -> None:
    """Create the type, both tables and the selections."""
    STATUS.create(op.get_bind())
    _create_coloring_versions()
    _create_svg_versions()
    for column, table in SELECTIONS.items():
        op.add_column("images", sa.Column(column, sa.Integer()))
        op.create_foreign_key(f"fk_images_{column}", "images", table, [column], ["id"], ondelete="SET NULL")


def downgrade() -> None:
    """Drop them."""
    for column in SELECTIONS:
        op.drop_column("images", column)
    op.drop_table("svg_versions")
    op.drop_table("coloring_versions")
    STATUS.drop(op.get_bind())


def _create_coloring_versions() -> None:
    op.create_table(
        "coloring_versions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("image_id", sa.Integer(), sa.ForeignKey("images.id", ondelete="CASCADE"), nullable=False),
        *_outcome(),
        sa.Column("megapixels", sa.Float(), nullable=False, server_default=sa.text("1.0")),
        sa.Column("steps", sa.Integer(), nullable=False, server_default="4"),
        _created_at(),
    )
    op.create_index("ix_coloring_versions_image_id", "coloring_versions", ["image_id"])


def _create_svg_versions() -> None:
    parent = sa.ForeignKey("coloring_versions.id", ondelete="CASCADE")
    op.create_table(
        "svg_versions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("coloring_version_id", sa.Integer(), parent, nullable=False),
        *_outcome(),
        sa.Column("shape_stacking", sa.String(), nullable=False, server_default="stacked"),
        sa.Column("group_by", sa.String(), nullable=False, server_default="color"),
        _created_at(),
    )
    op.create_index("ix_svg_versions_coloring_version_id", "svg_versions", ["coloring_version_id"])


def _outcome() -> list[sa.Column[object]]:
    return [
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("file_path", sa.String()),
        sa.Column("status", STATUS, nullable=False, server_default="pending"),
    ]


def _created_at() -> sa.Column[object]:
    return sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
