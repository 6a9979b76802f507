"""Attempts of the worker's own jobs, and permanent refusals by the broker.

Revision ID: 032
Revises: 031
"""

import sqlalchemy as sa
from alembic import op

revision = "032"
down_revision = "031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Restart the count of attempts of jobs in progress."""
    op.create_table(
        "job_attempts",
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), primary_key=True),
        sa.Column("failed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("open", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("code", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.clock_timestamp(),
        ),
    )
    op.create_index("ix_job_attempts_updated_at", "job_attempts", ["updated_at"])
    op.add_column("outbox", sa.Column("refused", sa.Text()))


def downgrade() -> None:
    """Drop them; a refused message is published again, and refused again."""
    op.drop_column("outbox", "refused")
    op.drop_table("job_attempts")
