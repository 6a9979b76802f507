"""State of the reconciler between passes, and indexes for its queries.

Revision ID: 031
Revises: 030
"""

import sqlalchemy as sa
from alembic import op

revision = "031"
down_revision = "030"
branch_labels = None
depends_on = None

# BRIN: these columns change with every status, and a B-tree would prevent HOT updates.
CHANGED = {
    "orders": ("ix_orders_updated_at", "updated_at"),
    "images": ("ix_images_chosen_at", "GREATEST(coloring_chosen_at, svg_chosen_at)"),
    "coloring_versions": ("ix_coloring_versions_updated_at", "updated_at"),
    "svg_versions": ("ix_svg_versions_updated_at", "updated_at"),
}


def upgrade() -> None:
    """Every deleted order is checked once more, then with backoff."""
    op.add_column("erasures", sa.Column("looks", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("erasures", sa.Column("next_look_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_erasures_next_look",
        "erasures",
        [sa.text("COALESCE(next_look_at, deleted_at)")],
        postgresql_where=sa.text("is_watched"),
    )
    op.create_table(
        "file_checks",
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("after", sa.Integer(), nullable=False),
    )
    op.create_index("ix_outbox_subject", "outbox", ["subject"])
    for table, (name, moment) in CHANGED.items():
        op.create_index(
            name,
            table,
            [sa.text(moment)],
            postgresql_using="brin",
            postgresql_with={"pages_per_range": "32", "autosummarize": "on"},
        )


def downgrade() -> None:
    """Drop them."""
    for table, (name, _) in CHANGED.items():
        op.drop_index(name, table)
    op.drop_index("ix_outbox_subject", "outbox")
    op.drop_table("file_checks")
    op.drop_index("ix_erasures_next_look", "erasures")
    op.drop_column("erasures", "next_look_at")
    op.drop_column("erasures", "looks")
