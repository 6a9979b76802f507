"""Browsers in which a user has signed in: each has its own rate limit.

Revision ID: 022
Revises: 032
"""

import sqlalchemy as sa
from alembic import op

revision = "022"
down_revision = "032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "known_devices",
        sa.Column("secret_hash", sa.LargeBinary(), primary_key=True),
        sa.Column(
            "user_id",
            sa.Integer(),
            sa.ForeignKey("users.id", ondelete="CASCADE", name=op.f("known_devices_user_id_fkey")),
            nullable=False,
        ),
        sa.Column(
            "used_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
    )
    op.create_index("ix_known_devices_user_id_used_at", "known_devices", ["user_id", "used_at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("known_devices")
