"""Leases instead of advisory locks: one replica at a time relays, reconciles, erases.

Revision ID: 026
Revises: 021
"""

import sqlalchemy as sa
from alembic import op

revision = "026"
down_revision = "021"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    default = None if nullable else sa.func.clock_timestamp()
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def upgrade() -> None:
    """Create an empty table.

    Workers of the previous release do not use it: while both run, a message may be published twice under one
    id, and is stored once.
    """
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("holder", sa.Text(), nullable=False),
        _moment("taken_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        _moment("working_since", nullable=True),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("leases")
