"""Style of a coloring page; existing pages have the defaults.

Revision ID: 036
Revises: 034
"""

import sqlalchemy as sa
from alembic import op

revision = "036"
down_revision = "034"
branch_labels = None
depends_on = None

TABLE = "coloring_versions"
CHECKS = {
    "background": "background IN ('keep', 'quiet', 'none')",
    "line_weight": "line_weight IN ('thin', 'normal', 'bold')",
}


def upgrade() -> None:
    """Add the columns; a constant default rewrites no row."""
    op.add_column(TABLE, sa.Column("has_frame", sa.Boolean(), nullable=False, server_default=sa.text("true")))
    op.add_column(TABLE, sa.Column("background", sa.Text(), nullable=False, server_default="quiet"))
    op.add_column(TABLE, sa.Column("line_weight", sa.Text(), nullable=False, server_default="normal"))
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"{TABLE}_{name}_check"), TABLE, condition)


def downgrade() -> None:
    """Drop the style; existing pages stay, with the default options."""
    for name in ("line_weight", "background", "has_frame"):
        op.drop_column(TABLE, name)
