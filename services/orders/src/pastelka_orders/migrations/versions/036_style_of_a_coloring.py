"""Style of a coloring page; existing pages have the defaults.

Revision ID: 036
Revises: 034
"""

from alembic import op

revision = "036"
down_revision = "034"
branch_labels = None
depends_on = None

TABLE = "coloring_versions"


def upgrade() -> None:
    """Add the columns; a constant default rewrites no row, and one statement scans the table once."""
    op.execute(
        f"""
        ALTER TABLE {TABLE}
        ADD COLUMN has_frame boolean NOT NULL DEFAULT true,
        ADD COLUMN background text NOT NULL DEFAULT 'quiet'
            CONSTRAINT {TABLE}_background_check CHECK (background IN ('keep', 'quiet', 'none')),
        ADD COLUMN line_weight text NOT NULL DEFAULT 'normal'
            CONSTRAINT {TABLE}_line_weight_check CHECK (line_weight IN ('thin', 'normal', 'bold'))
        """
    )


def downgrade() -> None:
    """Drop the style; existing pages stay, with the default options."""
    for name in ("line_weight", "background", "has_frame"):
        op.drop_column(TABLE, name)
