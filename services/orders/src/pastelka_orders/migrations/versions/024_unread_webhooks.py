"""Webhooks with unparsable fields, and digests of applied bodies.

Revision ID: 024
Revises: 029
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "024"
down_revision = "029"
branch_labels = None
depends_on = None

WEBHOOKS = "shopify_webhooks"
DIGEST = "ix_shopify_webhooks_body_digest"
UNREAD = "unread_webhooks"


def upgrade() -> None:
    """Webhooks applied before have no digest."""
    op.add_column(WEBHOOKS, sa.Column("topic", sa.Text()))
    op.add_column(WEBHOOKS, sa.Column("body_digest", sa.LargeBinary()))
    op.create_index(DIGEST, WEBHOOKS, ["body_digest"], unique=True)
    op.create_table(
        UNREAD,
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("order_id", sa.Integer(), sa.ForeignKey("orders.id", ondelete="CASCADE"), unique=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(), nullable=False),
        sa.Column("problems", JSONB(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.clock_timestamp(),
        ),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_table(UNREAD)
    op.drop_index(DIGEST, WEBHOOKS)
    op.drop_column(WEBHOOKS, "body_digest")
    op.drop_column(WEBHOOKS, "topic")
