"""Progress of a version's run, errors and times; relative paths.

Active runs of the old program end as ``interrupted``: no job of ours would finish them.

Revision ID: 010
Revises: 009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from pastelka_orders.migrations.conversion import make_paths_absolute, make_paths_relative, set_storage

revision = "010"
down_revision = "009"
branch_labels = None
depends_on = None

TYPES = {"coloring_versions": "coloringprocessingstatus", "svg_versions": "svgprocessingstatus"}
CHECKS = {
    "completed_has_path": "status <> 'completed' OR path IS NOT NULL",
    "error_has_code": "status <> 'error' OR error_code IS NOT NULL",
}
OLD_DEFAULTS = {
    "coloring_versions": {"megapixels": "1.0", "steps": "4"},
    "svg_versions": {"shape_stacking": "'stacked'", "group_by": "'color'"},
}
# Conditions on rows (evaluated before any change), and the values written to them.
FAILURES = (
    (
        "status = 'error'",
        "unknown",
        "Failed in the previous system; the reason was not recorded. Retry starts afresh.",
    ),
    (
        "status NOT IN ('completed', 'error')",
        "interrupted",
        "Was in progress when the system was replaced, and nothing will finish it. Press Retry.",
    ),
    (
        "status = 'completed' AND path IS NULL",
        "file_missing",
        "The previous system called it completed but recorded no file. Press Retry.",
    ),
)
# Every status change updates the row: free space on its page allows HOT updates, early vacuums limit bloat.
STORAGE = {"fillfactor": 80, "autovacuum_vacuum_scale_factor": 0.05}


def upgrade() -> None:
    """Add the columns, and set a consistent outcome for every old row."""
    op.add_column("coloring_versions", sa.Column("then_svg", JSONB()))
    for table in TYPES:
        op.alter_column(table, "file_path", new_column_name="path")
        make_paths_relative(table, "path")
        for column in _columns():
            op.add_column(table, column)
        _set_old_defaults(table)
        _fill(table)
        _index_rows_in_hand(table)
        for name, condition in CHECKS.items():
            op.create_check_constraint(op.f(f"{table}_{name}_check"), table, condition)
        set_storage(table, STORAGE)


def downgrade() -> None:
    """Drop the columns and make paths absolute again; statuses stay as they are."""
    for table in TYPES:
        op.execute(f"ALTER TABLE {table} RESET ({', '.join(STORAGE)})")
        for name in CHECKS:
            op.drop_constraint(op.f(f"{table}_{name}_check"), table)
        op.drop_column(table, "in_hand")
        for column in _columns():
            op.drop_column(table, column.name)
        make_paths_absolute(table, "path")
        op.alter_column(table, "path", new_column_name="file_path")
    op.drop_column("coloring_versions", "then_svg")


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("run", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("step", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("error_code", sa.Text()),
        sa.Column("error_message", sa.Text()),
        sa.Column("provider_job_id", sa.Text()),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    ]


def _set_old_defaults(table: str) -> None:
    """Set the defaults of 003; tables created from the old models have none."""
    op.alter_column(table, "created_at", server_default=sa.func.now())
    for column, default in OLD_DEFAULTS[table].items():
        op.alter_column(table, column, server_default=sa.text(default))


def _fill(table: str) -> None:
    op.execute(f"UPDATE {table} SET asked_at = created_at, updated_at = created_at")  # noqa: S608
    for condition, code, message in FAILURES:
        op.execute(
            f"UPDATE {table} SET status = 'error', error_code = '{code}', error_message = '{message}'"  # noqa: S608
            f" WHERE error_code IS NULL AND {condition}"
        )


def _index_rows_in_hand(table: str) -> None:
    """For the reconciler; on a generated column, so that a status change touches no index."""
    final = f"ARRAY['completed'::{TYPES[table]}, 'error'::{TYPES[table]}]"
    computed = sa.Computed(f"status <> ALL ({final})", persisted=True)
    op.add_column(table, sa.Column("in_hand", sa.Boolean(), computed, nullable=False))
    op.create_index(f"ix_{table}_in_hand", table, ["id"], postgresql_where=sa.text("in_hand"))
