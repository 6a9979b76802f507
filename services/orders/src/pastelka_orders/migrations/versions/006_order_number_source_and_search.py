"""A unique number of every order, where it came from, a note, and text to search.

Revision ID: 006
Revises: 005
"""

import sqlalchemy as sa
from alembic import op

revision = "006"
down_revision = "005"
branch_labels = None
depends_on = None

# Czech, Slovak, German and Polish letters with diacritics, in both cases: lower() does not change them in a
# database of locale C.
MARKED = "áäąčćďéěęíĺľňńóôöřŕšśťúůüýžźżÁÄĄČĆĎÉĚĘÍĹĽŇŃÓÔÖŘŔŠŚŤÚŮÜÝŽŹŻ"
PLAIN = "aaaccdeeeillnnooorrsstuuuyzzz" * 2


def upgrade() -> None:
    """Add the columns and fill them from the shop's data."""
    op.add_column("orders", sa.Column("order_number", sa.Text()))
    op.add_column("orders", sa.Column("source", sa.Text()))
    op.add_column("orders", sa.Column("note", sa.Text()))
    op.add_column("orders", sa.Column("search", sa.Text(), nullable=False, server_default=""))
    _fill_numbers()
    _make_numbers_unique()
    _fill_source()
    _fill_search()
    for column in ("order_number", "source"):
        op.alter_column("orders", column, nullable=False)
    op.create_unique_constraint("orders_order_number_key", "orders", ["order_number"])
    op.create_check_constraint(op.f("orders_source_check"), "orders", "source IN ('shopify', 'manual')")
    op.create_index(
        "ix_orders_search",
        "orders",
        [sa.text("to_tsvector('simple'::regconfig, search)")],
        postgresql_using="gin",
    )


def downgrade() -> None:
    """Drop the columns; a manual order gets a negative shop id, which the upgrade recognises."""
    op.execute(
        "UPDATE orders SET shopify_id = coalesce(shopify_id, -id),"
        " shopify_order_number = coalesce(shopify_order_number, order_number)"
    )
    for column in ("shopify_id", "shopify_order_number"):
        op.alter_column("orders", column, nullable=False)
    for column in ("search", "note", "source", "order_number"):
        op.drop_column("orders", column)


def _fill_numbers() -> None:
    """Set the number to the shop's without ``#``, else to an id."""
    op.execute(
        "UPDATE orders SET order_number ="
        " coalesce(nullif(btrim(replace(shopify_order_number, '#', '')), ''), shopify_id::text)"
    )


def _make_numbers_unique() -> None:
    """The oldest order keeps a duplicate number, others get ``-<id>``, repeatedly if necessary."""
    op.execute(
        """
        DO $$ BEGIN LOOP
            UPDATE orders SET order_number = orders.order_number || '-' || orders.id
            FROM (
                SELECT id, row_number() OVER (PARTITION BY order_number ORDER BY id) AS nth FROM orders
            ) AS each
            WHERE each.id = orders.id AND each.nth > 1;
            EXIT WHEN NOT FOUND;
        END LOOP; END $$
        """
    )


def _fill_source() -> None:
    for column in ("shopify_id", "shopify_order_number"):
        op.alter_column("orders", column, nullable=True)
    op.execute("UPDATE orders SET source = CASE WHEN shopify_id < 0 THEN 'manual' ELSE 'shopify' END")
    op.execute("UPDATE orders SET shopify_id = NULL, shopify_order_number = NULL WHERE source = 'manual'")


def _fill_search() -> None:
    words = "concat_ws(' ', order_number, customer_name, customer_email)"
    op.execute(f"UPDATE orders SET search = translate(lower({words}), '{MARKED}', '{PLAIN}')")  # noqa: S608
