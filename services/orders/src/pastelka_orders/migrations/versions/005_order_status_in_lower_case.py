"""Order statuses in lower case, as in the API, regardless of the stored case.

Revision ID: 005
Revises: 004
"""

from alembic import op

revision = "005"
down_revision = "004"
branch_labels = None
depends_on = None

STATUSES = ("pending", "downloading", "processing", "ready_for_review", "error")


def upgrade() -> None:
    """Store the values in lower case; a new order is pending."""
    _retype(STATUSES, "lower(status::text)")
    op.execute("ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'pending'")


def downgrade() -> None:
    """Store them in upper case, which the old program reads."""
    _retype(tuple(value.upper() for value in STATUSES), "upper(status::text)")


def _retype(values: tuple[str, ...], value: str) -> None:
    op.execute(f"CREATE TYPE orderstatus_new AS ENUM ({', '.join(repr(each) for each in values)})")
    op.execute("ALTER TABLE orders ALTER COLUMN status DROP DEFAULT")
    op.execute(
        f"ALTER TABLE orders ALTER COLUMN status TYPE orderstatus_new USING ({value})::orderstatus_new"
    )
    op.execute("DROP TYPE orderstatus")
    op.execute("ALTER TYPE orderstatus_new RENAME TO orderstatus")
