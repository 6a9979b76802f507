"""Authentication: users, sessions, API tokens, rate limits of sign-ins.

Revision ID: 019
Revises: 018
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "019"
down_revision = "018"
branch_labels = None
depends_on = None

ROLES = sa.Enum("viewer", "operator", name="userrole")
SCOPES = sa.Enum("read", "write", name="tokenscope")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("role", ROLES, nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        _moment("created_at", default=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("name_key", name=op.f("users_name_key_key")),
    )
    op.create_table(
        "sessions",
        sa.Column("secret_hash", sa.LargeBinary(), primary_key=True),
        sa.Column(
            "user_id",
            sa.Integer(),
            sa.ForeignKey("users.id", ondelete="CASCADE", name=op.f("sessions_user_id_fkey")),
            nullable=False,
        ),
        _moment("created_at", default=True),
        _moment("last_seen_at", default=True),
        _moment("expires_at"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scope", SCOPES, nullable=False),
        _moment("created_at", default=True),
        _moment("expires_at"),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("secret_hash", name=op.f("api_tokens_secret_hash_key")),
    )
    op.create_index(
        "ix_api_tokens_name_key",
        "api_tokens",
        ["name_key"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "sign_in_throttle",
        sa.Column("key", sa.LargeBinary(), primary_key=True),
        _moment("free_at"),
    )
    op.create_index("ix_sign_in_throttle_free_at", "sign_in_throttle", ["free_at"])


def downgrade() -> None:
    """Drop the tables: users can no longer sign in, and no token is valid."""
    for table in ("sign_in_throttle", "api_tokens", "sessions", "users"):
        op.drop_table(table)
    for kind in (SCOPES, ROLES):
        kind.drop(op.get_bind())


def _moment(name: str, *, default: bool = False) -> sa.Column[datetime]:
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.func.clock_timestamp() if default else None,
    )
