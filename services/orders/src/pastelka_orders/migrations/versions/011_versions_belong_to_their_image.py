"""Constraints between versions and their image: numbers, selections, an SVG's coloring.

Revision ID: 011
Revises: 010
"""

import sqlalchemy as sa
from alembic import op

from pastelka_orders.migrations.conversion import drop_foreign_keys

revision = "011"
down_revision = "010"
branch_labels = None
depends_on = None

SELECTIONS = {"selected_coloring_id": "coloring_versions", "selected_svg_id": "svg_versions"}
TABLES = tuple(SELECTIONS.values())


def upgrade() -> None:
    """Tie SVG versions to an image, then make numbers unique and references true."""
    for table in TABLES:
        drop_foreign_keys("images", to=table)
        drop_foreign_keys(table)
    _tie_svg_versions_to_images()
    for table in TABLES:
        _make_numbers_unique(table)
        op.create_unique_constraint(f"{table}_image_id_version_key", table, ["image_id", "version"])
        op.create_unique_constraint(f"{table}_image_id_id_key", table, ["image_id", "id"])
        op.create_foreign_key(
            f"{table}_image_id_fkey", table, "images", ["image_id"], ["id"], ondelete="CASCADE"
        )
    # The unique indexes begin with the same column.
    op.drop_index("ix_coloring_versions_image_id", "coloring_versions", if_exists=True)
    _tie_svg_versions_to_colorings_of_their_image()
    _tie_selections_to_their_image()


def downgrade() -> None:
    """Restore references by id alone."""
    for table in TABLES:
        drop_foreign_keys("images", to=table)
    for table in reversed(TABLES):
        drop_foreign_keys(table)
        op.drop_constraint(f"{table}_image_id_id_key", table)
        op.drop_constraint(f"{table}_image_id_version_key", table)
    op.drop_column("svg_versions", "image_id")
    op.create_index("ix_coloring_versions_image_id", "coloring_versions", ["image_id"])
    op.create_foreign_key(
        "coloring_versions_image_id_fkey",
        "coloring_versions",
        "images",
        ["image_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_foreign_key(
        "svg_versions_coloring_version_id_fkey",
        "svg_versions",
        "coloring_versions",
        ["coloring_version_id"],
        ["id"],
        ondelete="CASCADE",
    )
    for column, table in SELECTIONS.items():
        op.create_foreign_key(f"fk_images_{column}", "images", table, [column], ["id"], ondelete="SET NULL")


def _tie_svg_versions_to_images() -> None:
    op.add_column("svg_versions", sa.Column("image_id", sa.Integer()))
    op.execute(
        """
        UPDATE svg_versions SET image_id = parent.image_id
        FROM coloring_versions AS parent WHERE parent.id = svg_versions.coloring_version_id
        """
    )
    op.alter_column("svg_versions", "image_id", nullable=False)


def _make_numbers_unique(table: str) -> None:
    """Renumber, in order of creation, the versions of images with duplicate numbers.

    No number decreases, so that the next one is greater than any existing folder ``v<n>``.
    """
    op.execute(
        f"""
        WITH ranked AS (
            SELECT id, image_id, version, row_number() OVER by_age AS nth,
                count(*) OVER (PARTITION BY image_id, version) AS uses
            FROM {table} WINDOW by_age AS (PARTITION BY image_id ORDER BY created_at, id)
        ), renumbered AS (
            SELECT id, nth + max(version - nth) OVER (PARTITION BY image_id ORDER BY nth) AS version
            FROM ranked WHERE image_id IN (SELECT image_id FROM ranked WHERE uses > 1)
        )
        UPDATE {table} SET version = renumbered.version FROM renumbered WHERE renumbered.id = {table}.id
        """  # noqa: S608 - the names are literals of this revision
    )


def _tie_svg_versions_to_colorings_of_their_image() -> None:
    op.create_foreign_key(
        "svg_versions_image_id_coloring_version_id_fkey",
        "svg_versions",
        "coloring_versions",
        ["image_id", "coloring_version_id"],
        ["image_id", "id"],
        ondelete="CASCADE",
    )


def _tie_selections_to_their_image() -> None:
    """Clear selections of another image's version, then forbid them."""
    for column, table in SELECTIONS.items():
        op.execute(
            f"""
            UPDATE images SET {column} = NULL WHERE {column} IS NOT NULL AND NOT EXISTS
                (SELECT FROM {table} WHERE {table}.id = images.{column} AND {table}.image_id = images.id)
            """  # noqa: S608 - the names are literals of this revision
        )
        op.create_foreign_key(
            f"images_id_{column}_fkey",
            "images",
            table,
            ["id", column],
            ["image_id", "id"],
            ondelete=f"SET NULL ({column})",
        )
