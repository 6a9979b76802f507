"""Every status change of every version, with its time.

Revision ID: 012
Revises: 011
"""

import sqlalchemy as sa
from alembic import op

revision = "012"
down_revision = "011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; earlier changes are unknown."""
    committed_at = sa.func.clock_timestamp()
    op.create_table(
        "status_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("image_id", sa.Integer(), sa.ForeignKey("images.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False, server_default=committed_at),
        sa.CheckConstraint("kind IN ('coloring', 'svg')", name=op.f("status_changes_kind_check")),
    )
    op.create_index("ix_status_changes_image_id_id", "status_changes", ["image_id", "id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("status_changes")
