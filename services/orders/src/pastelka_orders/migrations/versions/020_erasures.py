"""Records of erasures, state of the retention, lookup of customers by e-mail.

Revision ID: 020
Revises: 019
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "020"
down_revision = "019"
branch_labels = None
depends_on = None

ERASURES = "erasures"
REASON = "erasures_reason_check"
OPEN = "ix_erasures_open"
DELETED_AT = "ix_erasures_deleted_at"
NUMBER = "ix_erasures_order_number"
EMAIL = "ix_orders_customer_email"
FORGETTABLE = "DELETE FROM erasures WHERE deleted_at IS NULL OR deleted_at < now() - interval '7 days'"


def upgrade() -> None:
    """Keep erasure records; existing ones were deletions by an operator."""
    for column in _columns():
        op.add_column(ERASURES, column)
    op.alter_column(ERASURES, "deleted_at", nullable=True)
    op.execute("UPDATE erasures SET asked_at = deleted_at, erased_at = deleted_at")
    op.create_check_constraint(op.f(REASON), ERASURES, "reason IN ('retention', 'customer', 'operator')")
    op.create_index(OPEN, ERASURES, ["order_id"], postgresql_where=sa.text("erased_at IS NULL"))
    op.create_index(DELETED_AT, ERASURES, ["deleted_at"])
    op.create_index(NUMBER, ERASURES, ["order_number"])
    op.create_table(
        "retention",
        sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("days", sa.Integer()),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("last_erased_at", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint("id = 1", name=op.f("retention_one_row_check")),
    )
    op.add_column(
        "deleted_shop_orders",
        sa.Column("is_final", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index(EMAIL, "orders", [sa.text("lower(customer_email)")])


def downgrade() -> None:
    """Drop them with the records; pending erasures must be finished before."""
    op.drop_index(EMAIL, "orders")
    op.drop_column("deleted_shop_orders", "is_final")
    op.drop_table("retention")
    for index in (NUMBER, DELETED_AT, OPEN):
        op.drop_index(index, ERASURES)
    op.drop_constraint(REASON, ERASURES)
    op.execute(FORGETTABLE)
    op.alter_column(ERASURES, "deleted_at", nullable=False)
    for column in reversed(_columns()):
        op.drop_column(ERASURES, column.name)


def _columns() -> list[sa.Column]:  # type: ignore[type-arg]
    moment = sa.DateTime(timezone=True)
    return [
        sa.Column("reason", sa.Text(), nullable=False, server_default="operator"),
        sa.Column("asked_by", sa.Text()),
        sa.Column("asked_at", moment, nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("photos", sa.Integer()),
        sa.Column("pages", sa.Integer()),
        sa.Column("files", sa.Integer()),
        sa.Column("bytes", sa.BigInteger()),
        sa.Column("is_watched", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("subjects", JSONB(none_as_null=True)),
        sa.Column("erased_at", moment),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("error", sa.Text()),
    ]
