"""Read models of the API: one statement each, so that each is a consistent snapshot.

PostgreSQL builds the nested JSON; field names are those of ``schemas``, which validate it. ``:files`` is the
URL below which stored files are served.
"""

import json
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.errors import BadCursorError
from pastelka_orders.models.orders import OrderStage, OrderStatus
from pastelka_orders.repository import cursors, stages
from pastelka_orders.repository.order_search import Search
from pastelka_orders.repository.sql import execute
from pastelka_orders.repository.version_options import COLORING_OPTIONS_JSON

_ERROR = """CASE WHEN {t}.status = 'error'
    THEN json_build_object('code', {t}.error_code, 'message', COALESCE({t}.error_message, '')) END"""

# A page whose file was lost keeps its path, so that its recovery is detected.
_URL = "CASE WHEN {t}.status = 'completed' THEN CAST(:files AS text) || {t}.path END"

_COLORING = f"""json_build_object(
    'id', c.id, 'version', c.version, 'url', {_URL.format(t="c")}, 'status', c.status,
    'options', {COLORING_OPTIONS_JSON},
    'created_at', c.created_at, 'error', {_ERROR.format(t="c")}, 'retry', c.retry,
    'possibly_paid_twice', NULLIF(c.possibly_paid_twice, false))"""

_SVG = f"""json_build_object(
    'id', s.id, 'version', s.version, 'url', {_URL.format(t="s")}, 'status', s.status,
    'coloring_version_id', s.coloring_version_id,
    'options', json_build_object('shape_stacking', s.shape_stacking, 'group_by', s.group_by),
    'created_at', s.created_at, 'error', {_ERROR.format(t="s")}, 'retry', s.retry,
    'possibly_paid_twice', NULLIF(s.possibly_paid_twice, false))"""

_COLORINGS = f"""COALESCE((SELECT json_agg({_COLORING} ORDER BY c.version)
    FROM coloring_versions c WHERE c.image_id = i.id), '[]')"""
_SVGS = f"""COALESCE((SELECT json_agg({_SVG} ORDER BY s.version)
    FROM svg_versions s WHERE s.image_id = i.id), '[]')"""

_IMAGE = f"""json_build_object(
    'id', i.id, 'position', i.position, 'url', CAST(:files AS text) || i.path,
    'downloaded_at', i.downloaded_at,
    'selected_version_ids', json_build_object('coloring', i.selected_coloring_id, 'svg', i.selected_svg_id),
    'versions', json_build_object('coloring', {_COLORINGS}, 'svg', {_SVGS}),
    'error', CASE WHEN i.download_error_code IS NOT NULL THEN json_build_object(
        'code', i.download_error_code, 'message', COALESCE(i.download_error_message, '')) END,
    'approved_at', i.approved_at, 'approved_by', i.approved_by, 'rework_reason', i.rework_reason)"""

_HEAD = """'id', o.id, 'order_number', o.order_number, 'source', o.source, 'shopify_id', o.shopify_id,
    'customer_name', o.customer_name, 'customer_email', o.customer_email,
    'payment_status', o.payment_status, 'shipping_method', o.shipping_method,
    'status', o.status, 'stage', o.stage, 'failed', w.failed, 'in_progress', w.in_progress,
    'to_review', w.to_review, 'attention', array_to_json(NULLIF(array_remove(ARRAY[
        CASE WHEN w.failed > 0 THEN 'failed' END, CASE WHEN w.paid_twice > 0 THEN 'paid_twice' END,
        CASE WHEN o.shop_changed_at IS NOT NULL THEN 'shop_changed' END], NULL), '{}')),
    'on_hold_reason', o.on_hold_reason, 'printed_at', o.printed_at, 'shipped_at', o.shipped_at,
    'note', o.note, 'assignee', o.assignee, 'created_at', o.created_at, 'updated_at', o.updated_at,
    'cancelled_at', o.cancelled_at,
    'shop_url', CASE WHEN o.source = 'shopify' THEN CAST(:shop AS text) || o.shopify_id END,
    'unread_fields', (SELECT u.problems FROM unread_webhooks u WHERE u.order_id = o.id)"""

# What the images of an order need, by the function that its stage is computed with.
_WORK = """CROSS JOIN LATERAL (SELECT count(*) AS images,
        count(*) FILTER (WHERE p.state = 'failed') AS failed,
        count(*) FILTER (WHERE p.is_active) AS in_progress,
        count(*) FILTER (WHERE p.state = 'to_review') AS to_review,
        count(*) FILTER (WHERE p.is_paid_twice) AS paid_twice,
        count(*) FILTER (WHERE p.has_coloring) AS colorings, count(*) FILTER (WHERE p.has_svg) AS svgs
    FROM image_progress(o.id) p) w"""

_IMAGE_QUERY = f"""SELECT CAST({_IMAGE} AS text) FROM images i
    JOIN line_items l ON l.id = i.line_item_id JOIN orders o ON o.id = l.order_id
    WHERE i.id = :image_id AND o.order_number = :order_number"""

_ORDER_QUERY = f"""SELECT CAST(json_build_object({_HEAD}, 'shop_values', o.shop_values,
        'shop_changed_fields', o.shop_changed_fields, 'line_items', COALESCE((
        SELECT json_agg(json_build_object('id', l.id, 'title', l.title, 'quantity', l.quantity,
            'dedication', l.dedication, 'layout', l.layout,
            'shop_values', l.shop_values, 'shop_changed_at', l.shop_changed_at,
            'shop_changed_fields', l.shop_changed_fields,
            'removed', CASE WHEN l.quantity = 0 THEN true END, 'images', COALESCE((
                SELECT json_agg({_IMAGE} ORDER BY i.position, i.id)
                FROM images i WHERE i.line_item_id = l.id), '[]')
            ) ORDER BY l.position, l.id)
        FROM line_items l WHERE l.order_id = o.id), '[]')) AS text)
    FROM orders o {_WORK} WHERE o.order_number = :order_number"""

_COLORING_VERSIONS_QUERY = f"SELECT CAST({_COLORINGS} AS text) FROM images i WHERE i.id = :image_id"

_SVG_VERSIONS_QUERY = f"SELECT CAST({_SVGS} AS text) FROM images i WHERE i.id = :image_id"

_COLORINGS_BY_ID = f"""SELECT CAST(COALESCE(json_agg({_COLORING} ORDER BY c.id), '[]') AS text)
    FROM coloring_versions c WHERE c.id = ANY(:ids)"""

_SVGS_BY_ID = f"""SELECT CAST(COALESCE(json_agg({_SVG} ORDER BY s.id), '[]') AS text)
    FROM svg_versions s WHERE s.id = ANY(:ids)"""

# The rule of ``pastelka_common.storage.thumbnail_path``.
_THUMBNAIL = r"regexp_replace(i.path, '([^/]+)$', 'thumb_\1.webp')"

_LIST = """SELECT CAST(json_build_object({head}, 'item_count', f.item_count, 'image_count', w.images,
        'coloring_completed', w.colorings, 'svg_completed', w.svgs,
        'thumbnails', f.thumbnails) AS text), o.created_at, o.id
    FROM ({page}) o {work}
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT l.id) AS item_count,
            COALESCE((array_agg(CAST(:files AS text) || {thumbnail} ORDER BY l.position, i.position)
                FILTER (WHERE i.path IS NOT NULL))[1:4], '{{}}') AS thumbnails
        FROM line_items l LEFT JOIN images i ON i.line_item_id = l.id
            WHERE l.order_id = o.id AND l.quantity > 0) f
    ORDER BY o.created_at DESC, o.id DESC"""

_PAGE = "SELECT * FROM orders o {where} ORDER BY o.created_at DESC, o.id DESC LIMIT :limit"

_TIMELINE = """SELECT i.id AS image_id, t.kind AS status_type, t.version_id, t.run, t.attempt, t.status,
        t.error_code, t.at, t.retry, COALESCE(c.version, s.version) AS version,
        CASE WHEN t.status IN ('completed', 'error') THEN NULL ELSE EXTRACT(EPOCH FROM
            lead(t.at) OVER (PARTITION BY t.kind, t.version_id ORDER BY t.id) - t.at)::float8 END AS seconds
    FROM orders o JOIN line_items l ON l.order_id = o.id JOIN images i ON i.line_item_id = l.id
    JOIN status_changes t ON t.image_id = i.id
    LEFT JOIN coloring_versions c ON t.kind = 'coloring' AND c.id = t.version_id
    LEFT JOIN svg_versions s ON t.kind = 'svg' AND s.id = t.version_id
    WHERE o.order_number = :order_number ORDER BY t.id"""

_ORDER_EXISTS = "SELECT 1 FROM orders WHERE order_number = :order_number"


class Views:
    """Read models; ``files`` is the URL of the storage root, with a trailing slash.

    ``shop`` is the URL of the shop's orders, likewise, or ``None`` if unknown; ``shop_configured``: whether
    orders can be fetched from the shop.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        files: str,
        shop: str | None = None,
        *,
        shop_configured: bool = False,
    ) -> None:
        self._connection = connection
        self._files = files
        self._shop = shop
        self._shop_configured = shop_configured

    async def image(self, order_number: str, image_id: int) -> str | None:
        """JSON of one image of an order."""
        return await self._one(_IMAGE_QUERY, order_number=order_number, image_id=image_id)

    async def order(self, order_number: str) -> str | None:
        """JSON of one order with everything in it."""
        return await self._one(_ORDER_QUERY, order_number=order_number, shop=self._shop)

    async def coloring_versions(self, image_id: int) -> str | None:
        """JSON list of an image's colorings."""
        return await self._one(_COLORING_VERSIONS_QUERY, image_id=image_id)

    async def svg_versions(self, image_id: int) -> str | None:
        """JSON list of an image's SVGs."""
        return await self._one(_SVG_VERSIONS_QUERY, image_id=image_id)

    async def colorings(self, ids: list[int]) -> str:
        """JSON list of these colorings, by id."""
        return await self._one(_COLORINGS_BY_ID, ids=ids) or "[]"

    async def svgs(self, ids: list[int]) -> str:
        """JSON list of these SVGs, by id."""
        return await self._one(_SVGS_BY_ID, ids=ids) or "[]"

    async def orders(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        q: str | None = None,
        status: OrderStatus | None = None,
        stage: OrderStage | None = None,
    ) -> str:
        """JSON of one page of orders, newest first. Raises ``BadCursorError``."""
        query, values = list_query(cursor, q, status, stage)
        # A search reads no more than its page.
        total = None if q else await stages.total(self._connection, _filter(status, stage))
        parameters = {"files": self._files, "shop": self._shop, "limit": limit + 1, **values}
        rows = (await execute(self._connection, query, parameters)).all()
        more = len(rows) > limit
        last = rows[limit - 1] if more else None
        cursor = json.dumps(cursors.encode(last[1], last[2]) if last is not None else None)
        items = ",".join(row[0] for row in rows[:limit])
        shop = json.dumps(self._shop_configured)
        rest = f'"next_cursor":{cursor},"total":{json.dumps(total)},"shop_configured":{shop}'
        return f'{{"items":[{items}],{rest}}}'

    async def stage_counts(self) -> str:
        """JSON of the number of orders by stage."""
        return json.dumps({"counts": await stages.counts(self._connection)})

    async def timeline(self, order_number: str) -> list[dict[str, object]] | None:
        """Every status change of an order, or ``None`` if there is no such order."""
        values = {"order_number": order_number}
        if (await execute(self._connection, _ORDER_EXISTS, values)).first() is None:
            return None
        return [dict(row) for row in (await execute(self._connection, _TIMELINE, values)).mappings()]

    async def _one(self, query: str, **values: object) -> str | None:
        result = await execute(self._connection, query, {"files": self._files, **values})
        found: str | None = result.scalar()
        return found


def list_query(
    cursor: str | None, q: str | None, status: OrderStatus | None, stage: OrderStage | None = None
) -> tuple[str, dict[str, object]]:
    """The statement that lists orders, and its parameters except ``limit``, ``files`` and ``shop``.

    Raises ``BadCursorError``.
    """
    values: dict[str, object] = {}
    before = None
    if cursor is not None:
        created_at, order_id = _read_cursor(cursor)
        before = "(o.created_at, o.id) < (CAST(:before AS timestamptz), CAST(:before_id AS integer))"
        values = {"before": created_at, "before_id": order_id}
    page, words = _page(q, before, _filter(status, stage))
    return _LIST.format(head=_HEAD, thumbnail=_THUMBNAIL, page=page, work=_WORK), {**values, **words}


def _filter(status: OrderStatus | None, stage: OrderStage | None) -> str | None:
    """The condition (SQL) on an order ``o``, which has a status or a stage.

    It has no parameter: how many orders have it decides which index is read, also for a prepared statement.
    """
    if stage is not None:
        return f"o.stage = '{stage.value}'"
    return f"o.status = CAST('{status.value}' AS orderstatus)" if status is not None else None


def _page(q: str | None, before: str | None, only: str | None) -> tuple[str, dict[str, object]]:
    conditions = [condition for condition in (before, only) if condition]
    if q and q.strip():
        search = Search.of(q)
        if search.words:
            return search.page(before, only)
        conditions.append("false")  # punctuation is in no word
    where = "WHERE " + " AND ".join(conditions) if conditions else ""
    return _PAGE.format(where=where), {}


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    moment, rest = cursors.decode(cursor)
    match rest:
        case [int(order_id)] if 0 <= order_id < 2**31:
            return moment, order_id
    raise BadCursorError
