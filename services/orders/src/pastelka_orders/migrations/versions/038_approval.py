"""A person approves the chosen page of a photo, or sends it back.

Revision ID: 038
Revises: 037
"""

import sqlalchemy as sa
from alembic import op

revision = "038"
down_revision = "037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is approved yet."""
    op.add_column("images", sa.Column("approved_at", sa.DateTime(timezone=True)))
    op.add_column("images", sa.Column("approved_by", sa.Text()))
    op.add_column("images", sa.Column("rework_reason", sa.Text()))


def downgrade() -> None:
    """Forget it; the choice stays."""
    for name in ("rework_reason", "approved_by", "approved_at"):
        op.drop_column("images", name)
