"""A photo may be edited: the parameters stay beside the original, and versions name what they are made from.

Revision ID: 043
Revises: 042
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "043"
down_revision = "042"
branch_labels = None
depends_on = None

# A new photo has no edit; its replacement is recorded already.
HISTORY = (
    """CREATE FUNCTION record_photo_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM record_history((SELECT order_id FROM line_items WHERE id = NEW.line_item_id),
        CASE WHEN NEW.photo_edit IS NULL THEN 'photo_edit_undone' ELSE 'photo_edited' END, NULL,
        NEW.line_item_id, NEW.id);
    RETURN NULL;
END $$""",
    """CREATE TRIGGER record_edit AFTER UPDATE ON images FOR EACH ROW
        WHEN (OLD.photo_edit IS DISTINCT FROM NEW.photo_edit AND OLD.photo_version = NEW.photo_version)
        EXECUTE FUNCTION record_photo_edit()""",
)


def upgrade() -> None:
    """No photo is edited yet, and every version is made from the original."""
    op.add_column("images", sa.Column("photo_edit", JSONB(none_as_null=True)))
    op.add_column("images", sa.Column("edited_photo_path", sa.String()))
    op.add_column("images", sa.Column("photo_edited_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_images_edited", "images", ["id"], postgresql_where=sa.text("edited_photo_path IS NOT NULL")
    )
    op.add_column("coloring_versions", sa.Column("edited_photo_path", sa.String()))
    op.create_table(
        "unused_files",
        sa.Column("order_id", sa.Integer(), sa.ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("path", sa.Text(), primary_key=True),
        sa.Column(
            "unused_since",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
        ),
        sa.Column("is_deleting", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    for statement in HISTORY:
        op.execute(statement)


def downgrade() -> None:
    """Use the originals; the edited files stay until their order is erased."""
    op.execute("DROP FUNCTION record_photo_edit() CASCADE")
    op.drop_table("unused_files")
    op.drop_column("coloring_versions", "edited_photo_path")
    op.drop_index("ix_images_edited", "images")
    for name in ("photo_edited_at", "edited_photo_path", "photo_edit"):
        op.drop_column("images", name)
