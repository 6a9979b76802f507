"""Numbers of manual orders: M1000, M1001, ...

Revision ID: 014
Revises: 013
"""

import sqlalchemy as sa
from alembic import op

revision = "014"
down_revision = "013"
branch_labels = None
depends_on = None

NAME = "manual_order_number_seq"


def upgrade() -> None:
    """Create the sequence, after the numbers already in use."""
    op.execute(sa.schema.CreateSequence(sa.Sequence(NAME, start=1000)))
    op.execute(
        f"""
        SELECT setval('{NAME}', last)
        FROM (SELECT max(substr(order_number, 2)::bigint) AS last FROM orders
              WHERE order_number ~ '^M[0-9]{{1,15}}$') AS given
        WHERE last >= 1000
        """  # noqa: S608 - the name is a literal of this revision
    )


def downgrade() -> None:
    """Drop the sequence; assigned numbers stay."""
    op.execute(sa.schema.DropSequence(sa.Sequence(NAME)))
