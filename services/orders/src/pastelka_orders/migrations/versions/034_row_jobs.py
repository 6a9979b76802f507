"""Downloads, shop jobs and erasures are rows that workers claim, not messages.

Revision ID: 034
Revises: 033
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "034"
down_revision = "033"
branch_labels = None
depends_on = None

TABLES = ("images", "shop_jobs", "erasures")
AWAITED = "path IS NULL AND download_error_code IS NULL AND original_url IS NOT NULL"
# The number of failed attempts of the newest message about a row; ``{key}`` is the message's subject.
CARRY_ATTEMPTS = """UPDATE {table} t SET attempts = a.failed, last_error = a.message FROM (
    SELECT DISTINCT ON (subject) subject, failed, message FROM job_attempts ORDER BY subject, sequence DESC
) a WHERE a.subject = {key} AND a.failed > 0"""
# Except those of orders that were never downloaded: they might start paid work.
AWAIT_PHOTOS = """UPDATE images i SET next_attempt_at = now()
    FROM line_items l JOIN orders o ON o.id = l.order_id
    WHERE l.id = i.line_item_id AND i.path IS NULL AND i.download_error_code IS NULL
    AND (o.status = 'downloading' OR EXISTS (
        SELECT 1 FROM images f JOIN line_items n ON n.id = f.line_item_id
        WHERE n.order_id = o.id AND f.download_error_code IS NOT NULL))"""
KEYS = {
    "images": "'jobs.download.' || t.id",
    "shop_jobs": "'jobs.' || split_part(t.key, ' ', 1)",
}


def upgrade() -> None:
    """Make every row with pending work due at once; jobs waiting in the broker are dropped."""
    op.alter_column("erasures", "failures", new_column_name="attempts")
    op.alter_column("erasures", "error", new_column_name="last_error")
    op.drop_index("ix_erasures_next_look", "erasures")
    op.alter_column("erasures", "next_look_at", new_column_name="next_attempt_at")
    for table in TABLES:
        if table != "erasures":
            op.add_column(table, sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
            op.add_column(table, sa.Column("next_attempt_at", sa.DateTime(timezone=True)))
            op.add_column(table, sa.Column("last_error", sa.Text()))
        op.add_column(table, sa.Column("lost_claims", sa.Integer(), nullable=False, server_default="0"))
        op.add_column(table, sa.Column("claimed_until", sa.DateTime(timezone=True)))
        op.alter_column(table, "next_attempt_at", server_default=sa.func.now())
    op.execute("UPDATE shop_jobs SET key = substr(key, 6), next_attempt_at = now()")
    op.execute(AWAIT_PHOTOS)
    op.execute(
        """UPDATE erasures SET next_attempt_at = CASE
            WHEN erased_at IS NULL THEN now()
            WHEN is_watched AND deleted_at > now() - interval '7 days' THEN COALESCE(next_attempt_at, now())
        END"""
    )
    for table, key in KEYS.items():
        op.execute(CARRY_ATTEMPTS.format(table=table, key=key))
    op.create_index("ix_images_awaited", "images", ["next_attempt_at"], postgresql_where=sa.text(AWAITED))
    op.create_index("ix_shop_jobs_next_attempt_at", "shop_jobs", ["next_attempt_at"])
    op.create_index(
        "ix_erasures_due",
        "erasures",
        ["next_attempt_at"],
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.execute("DELETE FROM outbox WHERE subject ~ '^jobs\\.(download|fetch|sync|erase)\\.'")
    op.drop_table("job_attempts")
    op.drop_column("erasures", "subjects")
    op.drop_column("leases", "working_since")


def downgrade() -> None:
    """Keep the rows; the previous release's reconciler publishes a message for each."""
    op.add_column("leases", sa.Column("working_since", sa.DateTime(timezone=True)))
    op.add_column("erasures", sa.Column("subjects", JSONB()))
    op.create_table(
        "job_attempts",
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), primary_key=True),
        sa.Column("failed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("open", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("code", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()
        ),
    )
    op.create_index("ix_job_attempts_updated_at", "job_attempts", ["updated_at"])
    op.execute("UPDATE shop_jobs SET key = 'jobs.' || key")
    for name, table in (
        ("ix_erasures_due", "erasures"),
        ("ix_shop_jobs_next_attempt_at", "shop_jobs"),
        ("ix_images_awaited", "images"),
    ):
        op.drop_index(name, table)
    for table in TABLES:
        op.drop_column(table, "claimed_until")
        op.drop_column(table, "lost_claims")
        if table != "erasures":
            for column in ("last_error", "next_attempt_at", "attempts"):
                op.drop_column(table, column)
    op.alter_column("erasures", "next_attempt_at", new_column_name="next_look_at", server_default=None)
    op.alter_column("erasures", "last_error", new_column_name="error")
    op.alter_column("erasures", "attempts", new_column_name="failures")
    op.create_index(
        "ix_erasures_next_look",
        "erasures",
        [sa.text("COALESCE(next_look_at, deleted_at)")],
        postgresql_where=sa.text("is_watched"),
    )
