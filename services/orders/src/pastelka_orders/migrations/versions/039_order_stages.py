"""Every order has a stage: what an operator has to do. Triggers keep it, whatever changes an order.

``image_progress`` says what each image of an order needs, ``order_stage_of`` is the rule, ``order_stage``
applies it to an order. Statements note the orders that they touch; at the end of the transaction the stages
of these are computed once, with their rows locked in the order of their ids: the lock comes last, as nothing
is waited for after it. See docs/decisions/0039-stages-are-kept-by-triggers.md.

Revision ID: 039
Revises: 038
"""

import sqlalchemy as sa
from alembic import op

revision = "039"
down_revision = "038"
branch_labels = None
depends_on = None

STAGES = (
    "intake",
    "attention",
    "to_generate",
    "generating",
    "to_review",
    "approved",
    "printed",
    "shipped",
    "on_hold",
    "cancelled",
)
BATCH = 5000
"""Orders whose stages one statement computes."""

BY_INDEX = "SET enable_seqscan = off"
"""A session keeps the plans of its functions; one that was made for empty tables would read whole ones."""

# A cancelled version has not failed. Of a photo that was replaced, only later versions count.
PROGRESS = """
CREATE FUNCTION image_progress(of_order integer) RETURNS TABLE (
    image_id integer, state text, is_active boolean, is_paid_twice boolean,
    has_coloring boolean, has_svg boolean)
LANGUAGE sql STABLE AS $$
SELECT i.id,
    CASE WHEN c.is_chosen AND i.approved_at IS NOT NULL THEN 'approved'
        WHEN c.is_chosen THEN 'to_review'
        WHEN c.is_active THEN 'generating'
        WHEN c.is_choice_lost OR c.has_newest_failed OR i.download_error_code IS NOT NULL THEN 'failed'
        WHEN i.path IS NULL THEN 'intake'
        ELSE 'to_generate' END,
    c.is_active OR s.is_active,
    (c.is_paid_twice OR s.is_paid_twice) AND NOT (c.is_chosen AND i.approved_at IS NOT NULL),
    c.is_completed, s.is_completed
FROM line_items l JOIN orders o ON o.id = l.order_id JOIN images i ON i.line_item_id = l.id
CROSS JOIN LATERAL (SELECT
        COALESCE(bool_or(v.id = i.selected_coloring_id AND v.status = 'completed'), false) AS is_chosen,
        COALESCE(bool_or(v.id = i.selected_coloring_id AND v.status = 'error'), false) AS is_choice_lost,
        COALESCE(bool_or(v.is_active AND v.is_current), false) AS is_active,
        COALESCE(bool_or(v.status = 'completed' AND v.is_current), false) AS is_completed,
        COALESCE(bool_or(v.is_unseen), false) AS is_paid_twice,
        COALESCE((array_agg(v.status = 'error' AND v.error_code <> 'cancelled' ORDER BY v.version DESC)
            FILTER (WHERE v.is_current))[1], false) AS has_newest_failed
    FROM (SELECT c.id, c.version, c.status, c.error_code, c.is_active,
            COALESCE(c.asked_at > i.photo_replaced_at, true) AS is_current,
            c.possibly_paid_twice AND NOT c.is_active
                AND COALESCE(c.updated_at > o.attention_seen_at, true) AS is_unseen
        FROM coloring_versions c WHERE c.image_id = i.id) v) c
CROSS JOIN LATERAL (SELECT
        COALESCE(bool_or(v.is_active), false) AS is_active,
        COALESCE(bool_or(v.status = 'completed'
            AND COALESCE(v.asked_at > i.photo_replaced_at, true)), false) AS is_completed,
        COALESCE(bool_or(v.possibly_paid_twice AND NOT v.is_active
            AND COALESCE(v.updated_at > o.attention_seen_at, true)), false) AS is_paid_twice
    FROM svg_versions v WHERE v.image_id = i.id) s
WHERE l.order_id = of_order AND l.quantity > 0
$$
"""

# The least advanced image decides; what an operator noted on the order comes before its images.
RULE = """
CREATE FUNCTION order_stage_of(o orders, images bigint, paid_twice bigint, failed bigint, intake bigint,
    to_generate bigint, generating bigint, to_review bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN o.cancelled_at IS NOT NULL THEN 'cancelled'
    WHEN o.on_hold_reason IS NOT NULL THEN 'on_hold'
    WHEN o.shipped_at IS NOT NULL THEN 'shipped'
    WHEN o.shop_changed_at IS NOT NULL THEN 'attention'
    WHEN o.printed_at IS NOT NULL THEN 'printed'
    WHEN failed > 0 OR paid_twice > 0 OR (images = 0 AND o.status = 'error') THEN 'attention'
    WHEN images = 0 OR intake > 0 THEN 'intake'
    WHEN to_generate > 0 THEN 'to_generate'
    WHEN generating > 0 THEN 'generating'
    WHEN to_review > 0 THEN 'to_review'
    ELSE 'approved' END
$$
"""

STAGE = """
CREATE FUNCTION order_stage(of_order integer) RETURNS text
LANGUAGE sql STABLE AS $$
SELECT order_stage_of(o, p.images, p.paid_twice, p.failed, p.intake, p.to_generate, p.generating, p.to_review)
FROM orders o CROSS JOIN LATERAL (SELECT count(*) AS images,
        count(*) FILTER (WHERE is_paid_twice) AS paid_twice,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        count(*) FILTER (WHERE state = 'intake') AS intake,
        count(*) FILTER (WHERE state = 'to_generate') AS to_generate,
        count(*) FILTER (WHERE state = 'generating') AS generating,
        count(*) FILTER (WHERE state = 'to_review') AS to_review
    FROM image_progress(o.id)) p
WHERE o.id = of_order
$$
"""

BEGIN = """
CREATE FUNCTION begin_order_stage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.stage := order_stage_of(NEW, 0, 0, 0, 0, 0, 0, 0);
    RETURN NEW;
END $$
"""

# A setting of the transaction holds the ids: a table would be written by every change.
NOTE = """
CREATE FUNCTION note_stale_stages(ids integer[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    known integer[] := COALESCE(NULLIF(current_setting('pastelka.stale_stages', true), ''), '{}');
BEGIN
    IF ids IS NOT NULL AND NOT ids <@ known THEN
        PERFORM set_config('pastelka.stale_stages',
            CAST((SELECT array_agg(DISTINCT id) FROM unnest(known || ids) id) AS text), true);
    END IF;
END $$
"""

KEEP = f"""
CREATE FUNCTION keep_order_stages() RETURNS trigger LANGUAGE plpgsql {BY_INDEX} AS $$
DECLARE
    ids integer[] := NULLIF(current_setting('pastelka.stale_stages', true), '');
BEGIN
    IF ids IS NOT NULL THEN
        PERFORM set_config('pastelka.stale_stages', '', true);
        PERFORM FROM orders WHERE id = ANY(ids) ORDER BY id FOR NO KEY UPDATE;
        UPDATE orders o SET stage = n.stage
            FROM (SELECT id, order_stage(id) AS stage FROM unnest(ids) id) n
            WHERE o.id = n.id AND o.stage <> n.stage;
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608 - constants

_OF_IMAGES = "SELECT array_agg(DISTINCT l.order_id) FROM {rows} JOIN line_items l ON l.id = r.line_item_id"
_OF_VERSIONS = _OF_IMAGES.format(rows="{rows} JOIN images i ON i.id = r.image_id").replace("r.line", "i.line")
_VERSION_FIELDS = ("image_id", "is_active", "status = 'completed'", "error_code", "asked_at")
_PAID_TWICE = "CASE WHEN {t}.possibly_paid_twice THEN {t}.updated_at END"
ORDERS_OF = {
    "coloring_versions": _OF_VERSIONS,
    "svg_versions": _OF_VERSIONS,
    "images": _OF_IMAGES,
    "line_items": "SELECT array_agg(DISTINCT r.order_id) FROM {rows}",
    "orders": "SELECT array_agg(r.id) FROM {rows}",
}
"""How the orders of changed rows ``r`` are found."""
FIELDS = {
    "coloring_versions": _VERSION_FIELDS,
    "svg_versions": _VERSION_FIELDS,
    "images": (
        "line_item_id",
        "path IS NULL",
        "download_error_code IS NULL",
        "photo_replaced_at",
        "selected_coloring_id",
        "approved_at IS NULL",
    ),
    "line_items": ("order_id", "quantity > 0"),
    "orders": (
        "cancelled_at IS NULL",
        "on_hold_reason IS NULL",
        "shipped_at IS NULL",
        "printed_at IS NULL",
        "shop_changed_at IS NULL",
        "attention_seen_at",
        "status = 'error'",
    ),
}
"""What stages depend on; an update of other columns costs a comparison."""


def fields(table: str, alias: str) -> str:
    """The values of ``FIELDS`` of one row."""
    values = [f"{alias}.{field}" for field in FIELDS[table]]
    if table.endswith("_versions"):
        values.append(_PAID_TWICE.format(t=alias))
    return ", ".join(values)


def note_function(table: str) -> str:
    """The trigger function that notes the orders of the rows that one statement changed."""
    changed = f"""(SELECT n.* FROM new_rows n JOIN old_rows o ON o.id = n.id
            WHERE ({fields(table, "n")}) IS DISTINCT FROM ({fields(table, "o")})
        UNION ALL SELECT o.* FROM new_rows n JOIN old_rows o ON o.id = n.id
            WHERE ({fields(table, "n")}) IS DISTINCT FROM ({fields(table, "o")})) r"""  # noqa: S608 - constants
    branches = {"INSERT": "new_rows r", "DELETE": "old_rows r", "UPDATE": changed}
    found = {event: ORDERS_OF[table].format(rows=rows) for event, rows in branches.items()}
    body = "".join(
        f"IF TG_OP = '{event}' THEN PERFORM note_stale_stages(({orders})); END IF;\n"
        for event, orders in found.items()
    )
    return f"""CREATE FUNCTION note_stale_stages_of_{table}() RETURNS trigger
        LANGUAGE plpgsql {BY_INDEX} AS $$
        BEGIN {body} RETURN NULL; END $$"""


def triggers(table: str) -> list[str]:
    """Triggers of one table; an order itself is inserted with its stage, and deleted with it."""
    seen = {"INSERT": "NEW TABLE AS new_rows", "DELETE": "OLD TABLE AS old_rows"}
    seen["UPDATE"] = f"{seen['INSERT']} {seen['DELETE']}"
    events = ["UPDATE"] if table == "orders" else list(seen)
    noted = [
        f"""CREATE TRIGGER note_stale_stages_{event.lower()} AFTER {event} ON {table}
            REFERENCING {seen[event]} FOR EACH STATEMENT EXECUTE FUNCTION note_stale_stages_of_{table}()"""
        for event in events
    ]
    return [
        *noted,
        f"""CREATE CONSTRAINT TRIGGER keep_order_stages AFTER {" OR ".join(events)} ON {table}
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_order_stages()""",
    ]


BEGIN_TRIGGER = """CREATE TRIGGER begin_order_stage BEFORE INSERT ON orders
    FOR EACH ROW EXECUTE FUNCTION begin_order_stage()"""
PRINTED = """UPDATE orders o SET printed_at = b.printed_at
    FROM (SELECT order_id, max(printed_at) AS printed_at FROM book_versions GROUP BY order_id) b
    WHERE b.order_id = o.id AND b.printed_at IS NOT NULL"""
FILL = f"""DO $$
DECLARE
    first integer := 0;
    last integer := (SELECT max(id) FROM orders);
BEGIN
    WHILE first < last LOOP
        UPDATE orders o SET stage = n.stage
            FROM (SELECT id, order_stage(id) AS stage FROM orders
                WHERE id > first AND id <= first + {BATCH}) n
            WHERE o.id = n.id AND o.stage <> n.stage;
        first := first + {BATCH};
    END LOOP;
END $$"""  # noqa: S608 - constants
MOMENTS = ("printed_at", "shipped_at", "shop_changed_at", "attention_seen_at")


def upgrade() -> None:
    """Add stages, compute those of the orders that there are, and keep them from then on."""
    op.add_column("orders", sa.Column("stage", sa.Text(), nullable=False, server_default="intake"))
    op.add_column("orders", sa.Column("on_hold_reason", sa.Text()))
    for name in MOMENTS:
        op.add_column("orders", sa.Column(name, sa.DateTime(timezone=True)))
    op.execute(PRINTED)
    for function in (PROGRESS, RULE, STAGE, BEGIN, NOTE, KEEP, *map(note_function, FIELDS)):
        op.execute(function)
    op.execute(FILL)
    stages = ", ".join(f"'{stage}'" for stage in STAGES)
    op.create_check_constraint(op.f("orders_stage_check"), "orders", f"stage IN ({stages})")
    op.create_index(
        "ix_orders_stage_created_at_id",
        "orders",
        ["stage", sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_include=["search"],
    )
    op.execute(BEGIN_TRIGGER)
    for table in FIELDS:
        for trigger in triggers(table):
            op.execute(trigger)


def downgrade() -> None:
    """Orders have a status only."""
    op.execute("DROP FUNCTION begin_order_stage() CASCADE")
    op.execute("DROP FUNCTION keep_order_stages() CASCADE")
    for table in FIELDS:
        op.execute(f"DROP FUNCTION note_stale_stages_of_{table}() CASCADE")
    op.execute("DROP FUNCTION note_stale_stages(integer[])")
    op.execute("DROP FUNCTION order_stage(integer)")
    op.execute("DROP FUNCTION order_stage_of(orders, bigint, bigint, bigint, bigint, bigint, bigint, bigint)")
    op.execute("DROP FUNCTION image_progress(integer)")
    op.drop_index("ix_orders_stage_created_at_id", "orders")
    for name in (*MOMENTS, "on_hold_reason", "stage"):
        op.drop_column("orders", name)
