"""Search orders by keys: prefixes of an order's words, and of its number without letters.

Revision ID: 029
Revises: 026
"""

import sqlalchemy as sa
from alembic import op

revision = "029"
down_revision = "026"
branch_labels = None
depends_on = None

LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Characters other than letters and digits, independent of the database's locale.
PUNCTUATION = r"[\u0001-/:-@\[-`{-\u007f]+"

# Its cost keeps the planner from computing it for every row, and plpgsql from hiding that cost.
KEYS = f"""
CREATE FUNCTION order_search_keys(search text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT COST 100 AS $$
DECLARE
    word text;
    keys text[] := '{{}}';
    number text := split_part(ltrim(search, '{LETTERS}'), ' ', 1);
BEGIN
    FOREACH word IN ARRAY string_to_array(search || ' ' || number, ' ') LOOP
        keys := keys || ARRAY[left(word, 1), left(word, 2), left(word, 3), left(word, 4),
            left(word, 6), left(word, 8), left(word, 12)];
    END LOOP;
    RETURN keys;
END $$
"""


def upgrade() -> None:
    """Separate words by single spaces, and index their prefixes instead of whole words."""
    op.drop_index("ix_orders_search", "orders")
    op.execute(
        f"UPDATE orders SET search = btrim(regexp_replace(search, '{PUNCTUATION}', ' ', 'g'))"  # noqa: S608
        f" WHERE search IS DISTINCT FROM btrim(regexp_replace(search, '{PUNCTUATION}', ' ', 'g'))"
    )
    op.execute(KEYS)
    op.create_index(
        "ix_orders_search_keys",
        "orders",
        [sa.text("order_search_keys(search)")],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.create_index(
        "ix_orders_number_digit",
        "orders",
        [sa.text(f"\"left\"(ltrim(search, '{LETTERS}'), 1)"), sa.text("created_at DESC"), sa.text("id DESC")],
    )


def downgrade() -> None:
    """Index whole words again."""
    op.drop_index("ix_orders_number_digit", "orders")
    op.drop_index("ix_orders_search_keys", "orders")
    op.execute("DROP FUNCTION order_search_keys(text)")
    op.create_index(
        "ix_orders_search",
        "orders",
        [sa.text("to_tsvector('simple'::regconfig, search)")],
        postgresql_using="gin",
    )
