"""State of the reconciler, and orders whose files are to be deleted.

Revision ID: 018
Revises: 017
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "018"
down_revision = "017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "reconciler",
        sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("examined", sa.Integer(), nullable=False),
        sa.Column("mended", sa.Integer(), nullable=False),
        sa.Column("mended_total", sa.BigInteger(), nullable=False),
        sa.Column("last_mended_at", sa.DateTime(timezone=True)),
        sa.Column("events_mark", JSONB(none_as_null=True)),
        sa.Column("events_good_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("id = 1", name=op.f("reconciler_one_row_check")),
    )
    op.create_table(
        "erasures",
        sa.Column("order_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column(
            "deleted_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.clock_timestamp(),
        ),
    )


def downgrade() -> None:
    """Drop the tables; only the reconciler reads them."""
    op.drop_table("erasures")
    op.drop_table("reconciler")
