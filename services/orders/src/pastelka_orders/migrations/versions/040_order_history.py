"""Every order has a history: which person, program or event of the shop did what. Triggers write it.

The transaction's settings ``pastelka.actor_kind`` and ``pastelka.actor_name`` say who acts; the defaults of
the columns read them. See docs/decisions/0042-history-is-written-by-triggers.md.

Revision ID: 040
Revises: 039
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "040"
down_revision = "039"
branch_labels = None
depends_on = None

ACTOR_KIND = "COALESCE(NULLIF(current_setting('pastelka.actor_kind', true), ''), 'system')"
ACTOR_NAME = "COALESCE(current_setting('pastelka.actor_name', true), '')"
BY_INDEX = "SET enable_seqscan = off"
"""A session keeps the plans of its functions; one that was made for empty tables would read whole ones."""

LONGEST = 200
"""Characters of a value that are kept."""

CHANGED_FIELDS = f"""
CREATE FUNCTION changed_fields(old_row jsonb, new_row jsonb, names text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
SELECT jsonb_object_agg(name, jsonb_build_object(
        'from', left(old_row->>name, {LONGEST}), 'to', left(new_row->>name, {LONGEST})))
FROM unnest(names) name WHERE old_row->name IS DISTINCT FROM new_row->name
$$
"""  # noqa: S608 - constants

# An order that is being deleted takes its history with it.
RECORD = """
CREATE FUNCTION record_history(of_order integer, what text, with_details jsonb,
    of_line_item integer DEFAULT NULL, of_image integer DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
INSERT INTO order_history (order_id, action, details, line_item_id, image_id)
    SELECT id, what, COALESCE(with_details, '{}'), of_line_item, of_image FROM orders WHERE id = of_order
$$
"""

# Its first items and photos are part of creating an order, and one change of order has many positions.
IS_RECORDED = """
CREATE FUNCTION is_recorded_already(of_order integer, what text) RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT EXISTS (SELECT 1 FROM order_history h WHERE h.order_id = of_order AND h.action = what
    AND h.xmin = pg_current_xact_id()::xid)
$$
"""

ORDER = """
CREATE FUNCTION record_order_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE fields jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM record_history(NEW.id, 'created', jsonb_build_object('source', NEW.source));
        RETURN NULL;
    END IF;
    fields := changed_fields(to_jsonb(OLD), to_jsonb(NEW),
        '{customer_name,customer_email,payment_status,shipping_method,note}');
    IF fields IS NOT NULL THEN
        PERFORM record_history(NEW.id, 'order_changed', jsonb_build_object('fields', fields));
    END IF;
    IF NEW.assignee IS DISTINCT FROM OLD.assignee THEN
        PERFORM record_history(NEW.id, 'assigned',
            jsonb_build_object('from', OLD.assignee, 'to', NEW.assignee));
    END IF;
    IF NOT COALESCE(NEW.shop_changed_fields, '{}') <@ COALESCE(OLD.shop_changed_fields, '{}') THEN
        PERFORM record_history(NEW.id, 'shop_value_kept_apart',
            jsonb_build_object('fields', to_jsonb(NEW.shop_changed_fields)));
    END IF;
    IF (NEW.cancelled_at IS NULL) <> (OLD.cancelled_at IS NULL) THEN
        PERFORM record_history(NEW.id,
            CASE WHEN NEW.cancelled_at IS NULL THEN 'cancellation_reversed' ELSE 'cancelled' END, NULL);
    END IF;
    IF NEW.on_hold_reason IS DISTINCT FROM OLD.on_hold_reason THEN
        PERFORM record_history(NEW.id,
            CASE WHEN NEW.on_hold_reason IS NULL THEN 'hold_ended' ELSE 'put_on_hold' END,
            jsonb_strip_nulls(jsonb_build_object('reason', NEW.on_hold_reason)));
    END IF;
    IF (NEW.printed_at IS NULL) <> (OLD.printed_at IS NULL) THEN
        PERFORM record_history(NEW.id,
            CASE WHEN NEW.printed_at IS NULL THEN 'print_undone' ELSE 'printed' END, NULL);
    END IF;
    IF (NEW.shipped_at IS NULL) <> (OLD.shipped_at IS NULL) THEN
        PERFORM record_history(NEW.id,
            CASE WHEN NEW.shipped_at IS NULL THEN 'shipping_undone' ELSE 'shipped' END, NULL);
    END IF;
    IF NEW.attention_seen_at IS DISTINCT FROM OLD.attention_seen_at THEN
        PERFORM record_history(NEW.id, 'attention_seen', NULL);
    END IF;
    RETURN NULL;
END $$
"""
ORDER_FIELDS = (
    "customer_name",
    "customer_email",
    "payment_status",
    "shipping_method",
    "note",
    "assignee",
    "shop_changed_fields",
    "cancelled_at",
    "on_hold_reason",
    "printed_at",
    "shipped_at",
    "attention_seen_at",
)

LINE_ITEM = """
CREATE FUNCTION record_line_item_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE fields jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT is_recorded_already(NEW.order_id, 'created') THEN
            PERFORM record_history(NEW.order_id, 'line_item_added',
                jsonb_build_object('title', NEW.title), NEW.id);
        END IF;
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' OR (NEW.quantity = 0 AND OLD.quantity <> 0) THEN
        PERFORM record_history(OLD.order_id, 'line_item_removed',
            jsonb_build_object('title', OLD.title), OLD.id);
        RETURN NULL;
    END IF;
    fields := changed_fields(to_jsonb(OLD), to_jsonb(NEW), '{title,quantity,dedication,layout}');
    IF fields IS NOT NULL THEN
        PERFORM record_history(NEW.order_id, 'line_item_changed',
            jsonb_build_object('title', NEW.title, 'fields', fields), NEW.id);
    END IF;
    IF NOT COALESCE(NEW.shop_changed_fields, '{}') <@ COALESCE(OLD.shop_changed_fields, '{}') THEN
        PERFORM record_history(NEW.order_id, 'shop_value_kept_apart',
            jsonb_build_object('title', NEW.title, 'fields', to_jsonb(NEW.shop_changed_fields)), NEW.id);
    END IF;
    RETURN NULL;
END $$
"""
LINE_ITEM_FIELDS = ("title", "quantity", "dedication", "layout", "shop_changed_fields")

# What a finished version chooses by itself is no choice of a person: only theirs has a time.
IMAGE = f"""
CREATE FUNCTION record_image_change() RETURNS trigger LANGUAGE plpgsql {BY_INDEX} AS $$
DECLARE
    of_order integer := (SELECT order_id FROM line_items WHERE id = OLD.line_item_id);
    what text;
    with_details jsonb := '{{}}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM record_history(of_order, 'photo_removed',
            jsonb_build_object('position', OLD.position), OLD.line_item_id, OLD.id);
        RETURN NULL;
    END IF;
    IF NEW.photo_version <> OLD.photo_version THEN
        what := 'photo_replaced';
    ELSIF NEW.line_item_id <> OLD.line_item_id THEN
        what := 'photo_moved';
    ELSIF NEW.position <> OLD.position THEN
        IF NOT is_recorded_already(of_order, 'photos_reordered') THEN
            PERFORM record_history(of_order, 'photos_reordered', NULL, NEW.line_item_id);
        END IF;
    ELSIF NEW.download_error_code IS NOT NULL AND OLD.download_error_code IS NULL THEN
        what := 'photo_failed';
        with_details := jsonb_build_object('error_code', NEW.download_error_code);
    ELSIF (NEW.approved_at IS NULL) <> (OLD.approved_at IS NULL) THEN
        what := CASE WHEN NEW.approved_at IS NULL THEN 'approval_lifted' ELSE 'approved' END;
    ELSIF NEW.rework_reason IS NOT NULL AND NEW.selected_coloring_id IS NULL
            AND OLD.selected_coloring_id IS NOT NULL THEN
        what := 'sent_back';
        with_details := jsonb_build_object('reason', NEW.rework_reason);
    ELSIF NEW.coloring_chosen_at IS DISTINCT FROM OLD.coloring_chosen_at
            AND NEW.coloring_chosen_at IS NOT NULL THEN
        what := 'page_chosen';
        with_details := jsonb_build_object('version',
            (SELECT version FROM coloring_versions WHERE id = NEW.selected_coloring_id));
    ELSIF NEW.svg_chosen_at IS DISTINCT FROM OLD.svg_chosen_at AND NEW.svg_chosen_at IS NOT NULL THEN
        what := 'svg_chosen';
        with_details := jsonb_build_object('version',
            (SELECT version FROM svg_versions WHERE id = NEW.selected_svg_id));
    END IF;
    IF what IS NOT NULL THEN
        PERFORM record_history(of_order, what, with_details, NEW.line_item_id, NEW.id);
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608 - constants
IMAGE_FIELDS = (
    "photo_version",
    "line_item_id",
    "position",
    "download_error_code",
    "approved_at",
    "rework_reason",
    "coloring_chosen_at",
    "svg_chosen_at",
)

PHOTOS_ADDED = f"""
CREATE FUNCTION record_photos() RETURNS trigger LANGUAGE plpgsql {BY_INDEX} AS $$
BEGIN
    PERFORM record_history(a.order_id, 'photos_added', jsonb_build_object('count', a.photos),
        a.id, a.image_id)
    FROM (SELECT l.order_id, l.id, count(*) AS photos, CASE WHEN count(*) = 1 THEN min(r.id) END AS image_id
        FROM new_rows r JOIN line_items l ON l.id = r.line_item_id GROUP BY l.order_id, l.id) a
    WHERE NOT is_recorded_already(a.order_id, 'created');
    RETURN NULL;
END $$
"""  # noqa: S608 - constants

OPTIONS = {
    "coloring": """jsonb_build_object('megapixels', r.megapixels, 'steps', r.steps, 'frame', r.has_frame,
        'background', r.background, 'line_weight', r.line_weight)""",
    "svg": "jsonb_build_object('shape_stacking', r.shape_stacking, 'group_by', r.group_by)",
}


def versions_requested(kind: str) -> str:
    """The trigger function that records one request for versions of an order."""
    return f"""
CREATE FUNCTION record_{kind}_versions() RETURNS trigger LANGUAGE plpgsql {BY_INDEX} AS $$
BEGIN
    PERFORM record_history(a.order_id, '{kind}_requested',
        jsonb_build_object('count', a.versions, 'options', a.options), NULL, a.image_id)
    FROM (SELECT l.order_id, {OPTIONS[kind]} AS options, count(*) AS versions,
            CASE WHEN count(*) = 1 THEN min(i.id) END AS image_id
        FROM new_rows r JOIN images i ON i.id = r.image_id JOIN line_items l ON l.id = i.line_item_id
        GROUP BY 1, 2) a;
    RETURN NULL;
END $$
"""  # noqa: S608 - constants


BOOK = """
CREATE FUNCTION record_book_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM record_history(NEW.order_id,
        CASE NEW.status WHEN 'completed' THEN 'book_completed' WHEN 'error' THEN 'book_failed'
            ELSE 'book_requested' END,
        jsonb_strip_nulls(jsonb_build_object('version', NEW.version, 'error_code', NEW.error_code)));
    RETURN NULL;
END $$
"""

FUNCTIONS = {
    "record_order_change()": ORDER,
    "record_line_item_change()": LINE_ITEM,
    "record_image_change()": IMAGE,
    "record_photos()": PHOTOS_ADDED,
    "record_coloring_versions()": versions_requested("coloring"),
    "record_svg_versions()": versions_requested("svg"),
    "record_book_change()": BOOK,
    "is_recorded_already(integer, text)": IS_RECORDED,
    "record_history(integer, text, jsonb, integer, integer)": RECORD,
    "changed_fields(jsonb, jsonb, text[])": CHANGED_FIELDS,
}


def row_trigger(table: str, function: str, fields: tuple[str, ...]) -> str:
    """The trigger that calls the function for a row whose fields changed; other rows cost a comparison."""
    old, new = (", ".join(f"{row}.{name}" for name in fields) for row in ("OLD", "NEW"))
    return f"""CREATE TRIGGER record_update AFTER UPDATE ON {table} FOR EACH ROW
        WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION {function}"""


TRIGGERS = (
    "CREATE TRIGGER record_insert AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION record_order_change()",
    row_trigger("orders", "record_order_change()", ORDER_FIELDS),
    """CREATE TRIGGER record_row AFTER INSERT OR DELETE ON line_items
        FOR EACH ROW EXECUTE FUNCTION record_line_item_change()""",
    row_trigger("line_items", "record_line_item_change()", LINE_ITEM_FIELDS),
    "CREATE TRIGGER record_delete AFTER DELETE ON images FOR EACH ROW EXECUTE FUNCTION record_image_change()",
    row_trigger("images", "record_image_change()", IMAGE_FIELDS),
    *(
        f"""CREATE TRIGGER record_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION {function}()"""
        for table, function in {
            "images": "record_photos",
            "coloring_versions": "record_coloring_versions",
            "svg_versions": "record_svg_versions",
        }.items()
    ),
    """CREATE TRIGGER record_insert AFTER INSERT ON book_versions
        FOR EACH ROW EXECUTE FUNCTION record_book_change()""",
    """CREATE TRIGGER record_update AFTER UPDATE ON book_versions FOR EACH ROW
        WHEN (OLD.status <> NEW.status AND NEW.status IN ('completed', 'error'))
        EXECUTE FUNCTION record_book_change()""",
)


def upgrade() -> None:
    """Record from now on; nothing is known of what was done before."""
    op.add_column("orders", sa.Column("assignee", sa.Text()))
    op.add_column("orders", sa.Column("shop_values", postgresql.JSONB()))
    op.add_column("orders", sa.Column("shop_changed_fields", postgresql.ARRAY(sa.Text())))
    op.create_table(
        "order_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
        ),
        sa.Column("actor_kind", sa.Text(), nullable=False, server_default=sa.text(ACTOR_KIND)),
        sa.Column("actor_name", sa.Text(), nullable=False, server_default=sa.text(ACTOR_NAME)),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("line_item_id", sa.Integer()),
        sa.Column("image_id", sa.Integer()),
        sa.Column("details", postgresql.JSONB(), nullable=False, server_default=sa.text("'{}'::jsonb")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_order_history_order_id_id", "order_history", ["order_id", "id"])
    # Without a default first: the rows of before were not written by who migrates.
    for name, default in (("actor_kind", ACTOR_KIND), ("actor_name", ACTOR_NAME)):
        op.add_column("status_changes", sa.Column(name, sa.Text()))
        op.alter_column("status_changes", name, server_default=sa.text(default))
    for function in reversed(FUNCTIONS.values()):
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    """Forget the history, and who is responsible for an order."""
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function} CASCADE")
    op.drop_table("order_history")
    for name in ("actor_name", "actor_kind"):
        op.drop_column("status_changes", name)
    for name in ("shop_changed_fields", "shop_values", "assignee"):
        op.drop_column("orders", name)
