"""Messages to publish, written in the transaction that causes them.

Revision ID: 013
Revises: 012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from pastelka_orders.migrations.conversion import set_storage

revision = "013"
down_revision = "012"
branch_labels = None
depends_on = None

# A queue: rows live for milliseconds, so the vacuum threshold is absolute rather than a share of an almost
# empty table, vacuum does not pause, and does not truncate, which needs an exclusive lock.
STORAGE = {
    "autovacuum_vacuum_scale_factor": 0,
    "autovacuum_vacuum_threshold": 2000,
    "autovacuum_vacuum_cost_delay": 0,
    "autovacuum_vacuum_insert_scale_factor": 0,
    "autovacuum_vacuum_insert_threshold": 2000,
    "vacuum_truncate": "false",
}


def upgrade() -> None:
    """Create the table."""
    created_at = sa.func.clock_timestamp()
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("msg_id", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("headers", JSONB(), nullable=False, server_default=sa.text("'{}'::jsonb")),
        sa.Column("queues_kind", sa.Text()),
        sa.Column("queues_version_id", sa.Integer()),
        sa.Column("queues_run", sa.Integer()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=created_at),
    )
    set_storage("outbox", STORAGE)


def downgrade() -> None:
    """Drop the table, with unpublished messages."""
    op.drop_table("outbox")
