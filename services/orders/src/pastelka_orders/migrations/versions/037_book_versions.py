"""Versions of printed books, composed by the worker; editable line items.

Revision ID: 037
Revises: 036
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "037"
down_revision = "036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and the shop's values of edited fields."""
    moment = sa.DateTime(timezone=True)
    op.add_column("line_items", sa.Column("shop_values", JSONB()))
    op.add_column("line_items", sa.Column("shop_changed_at", moment))
    op.add_column("line_items", sa.Column("shop_changed_fields", ARRAY(sa.Text())))
    op.create_table(
        "book_versions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("order_id", sa.Integer(), sa.ForeignKey("orders.id", ondelete="CASCADE"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, server_default="queued"),
        sa.Column("progress", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("options", JSONB(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("is_forced", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("path", sa.Text()),
        sa.Column("sheets", sa.Integer()),
        sa.Column("previews", sa.Integer()),
        sa.Column("error_code", sa.Text()),
        sa.Column("error_message", sa.Text()),
        sa.Column("created_at", moment, nullable=False, server_default=sa.func.now()),
        sa.Column("completed_at", moment),
        sa.Column("printed_at", moment),
        sa.Column("updated_at", moment, nullable=False, server_default=sa.func.now()),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("lost_claims", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_attempt_at", moment, server_default=sa.func.now()),
        sa.Column("claimed_until", moment),
        sa.Column("last_error", sa.Text()),
        sa.UniqueConstraint("order_id", "version"),
        sa.CheckConstraint("status IN ('queued', 'composing', 'completed', 'error')", name="status"),
        sa.CheckConstraint("status <> 'completed' OR path IS NOT NULL", name="completed_has_path"),
        sa.CheckConstraint("status <> 'error' OR error_code IS NOT NULL", name="error_has_code"),
    )
    op.create_index(
        "ix_book_versions_due",
        "book_versions",
        ["next_attempt_at"],
        postgresql_where=sa.text("status IN ('queued', 'composing')"),
    )


def downgrade() -> None:
    """The PDFs stay in the storage until their order is erased."""
    op.drop_table("book_versions")
    op.drop_column("line_items", "shop_changed_fields")
    op.drop_column("line_items", "shop_changed_at")
    op.drop_column("line_items", "shop_values")
