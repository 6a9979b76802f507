"""An index for statistics of the last hour.

Revision ID: 015
Revises: 014
"""

import sqlalchemy as sa
from alembic import op

revision = "015"
down_revision = "014"
branch_labels = None
depends_on = None

NAME = "ix_status_changes_ended"


def upgrade() -> None:
    """Index the ends of runs by time, including all counted columns."""
    op.create_index(
        NAME,
        "status_changes",
        ["committed_at"],
        postgresql_include=["kind", "status", "error_code"],
        postgresql_where=sa.text("status IN ('completed', 'error')"),
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_index(NAME, "status_changes")
