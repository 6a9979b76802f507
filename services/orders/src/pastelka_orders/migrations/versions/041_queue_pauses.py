"""Which queues operators have paused: a broker that lost its store pauses them again.

Revision ID: 041
Revises: 040
"""

import sqlalchemy as sa
from alembic import op

revision = "041"
down_revision = "040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No queue is paused."""
    op.create_table(
        "queue_pauses",
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column(
            "paused_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.clock_timestamp(),
        ),
        sa.Column("paused_by", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('coloring', 'svg')", name="kind"),
    )


def downgrade() -> None:
    """Drop them; a paused consumer of the broker stays paused until it is resumed there."""
    op.drop_table("queue_pauses")
