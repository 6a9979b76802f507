"""Queries on orders and uploads."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.order_search import search_text
from pastelka_orders.repository.sql import execute

# An upload reserves ids for an order whose files are not in any row yet.
_UPLOAD_TIMEOUT = "interval '6 hours'"  # longer than any request

_BEGIN_UPLOAD = """INSERT INTO uploads (order_id, line_item_id)
    VALUES (nextval(pg_get_serial_sequence('orders', 'id')),
        nextval(pg_get_serial_sequence('line_items', 'id'))) RETURNING order_id, line_item_id"""
_COMPLETE_UPLOAD = "DELETE FROM uploads WHERE order_id = :order_id AND NOT is_abandoned RETURNING order_id"
_ABANDON_UPLOAD = "UPDATE uploads SET is_abandoned = true WHERE order_id = :order_id RETURNING order_id"
_ABANDON_OLD_UPLOADS = f"""UPDATE uploads SET is_abandoned = true
    WHERE is_abandoned OR started_at < clock_timestamp() - {_UPLOAD_TIMEOUT} RETURNING order_id"""
_DELETE_UPLOAD = "DELETE FROM uploads WHERE order_id = :order_id"

_EXISTS = "SELECT 1 FROM orders WHERE order_number = :order_number"
_IS_CANCELLED = "SELECT cancelled_at IS NOT NULL FROM orders WHERE order_number = :order_number"
_NEXT_MANUAL = "SELECT nextval('manual_order_number_seq')"
_ADD_MANUAL = """INSERT INTO orders
        (id, order_number, source, customer_name, note, search, status, created_at, updated_at,
        idempotency_key)
    VALUES (:id, :order_number, 'manual', CAST(:customer_name AS text), CAST(:note AS text), :search,
        'ready_for_review', clock_timestamp(), clock_timestamp(), CAST(:key AS text))
    ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING RETURNING id"""
_BY_KEY = "SELECT order_number FROM orders WHERE idempotency_key = :key"
_ADD_LINE_ITEM = """INSERT INTO line_items (id, order_id, position, title, quantity, dedication, layout)
    VALUES (:id, :order_id, 1, :title, :quantity, :dedication, :layout)"""
_ADD_IMAGES = """INSERT INTO images (line_item_id, position, path, width, height, downloaded_at)
    SELECT CAST(:line_item_id AS integer), n.position, n.path, n.width, n.height, clock_timestamp()
    FROM unnest(CAST(:positions AS integer[]), CAST(:paths AS text[]), CAST(:widths AS integer[]),
        CAST(:heights AS integer[])) AS n(position, path, width, height)
    ORDER BY n.position RETURNING id"""
# A deleted order must not be recreated by the shop's next webhook.
_DELETE = """WITH gone AS (DELETE FROM orders WHERE order_number = :order_number RETURNING id, shopify_id),
      noted AS (INSERT INTO deleted_shop_orders (shopify_id)
        SELECT shopify_id FROM gone WHERE shopify_id IS NOT NULL ON CONFLICT DO NOTHING)
    SELECT id FROM gone"""


@dataclass(frozen=True, slots=True)
class NewLineItem:
    """The line item of an order made by hand."""

    title: str
    quantity: int = 1
    dedication: str | None = None
    layout: str | None = None


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """Reserved ids of the order and its line item."""

    order_id: int
    line_item_id: int


async def begin_upload(connection: AsyncConnection) -> UploadRecord:
    """Reserve ids; their files are deleted unless the upload is completed."""
    row = (await execute(connection, _BEGIN_UPLOAD)).one()
    return UploadRecord(row.order_id, row.line_item_id)


async def complete_upload(connection: AsyncConnection, order_id: int) -> bool:
    """Complete an upload in the order's transaction; ``False`` if it was abandoned."""
    return (await execute(connection, _COMPLETE_UPLOAD, {"order_id": order_id})).first() is not None


async def abandon_upload(connection: AsyncConnection, order_id: int) -> bool:
    """Abandon an upload; ``True`` if it can no longer be completed, so its files may be deleted."""
    return (await execute(connection, _ABANDON_UPLOAD, {"order_id": order_id})).first() is not None


async def abandon_old_uploads(connection: AsyncConnection) -> list[int]:
    """Abandon uploads left by crashed processes; returns their ids."""
    return [row.order_id for row in await execute(connection, _ABANDON_OLD_UPLOADS)]


async def delete_upload(connection: AsyncConnection, order_id: int) -> None:
    """Delete the upload's row, after its files."""
    await execute(connection, _DELETE_UPLOAD, {"order_id": order_id})


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A stored photo: position from 1, path relative to the storage root, size in pixels."""

    position: int
    path: str
    width: int
    height: int


async def exists(connection: AsyncConnection, order_number: str) -> bool:
    """Whether there is such an order."""
    return (await execute(connection, _EXISTS, {"order_number": order_number})).first() is not None


async def is_cancelled(connection: AsyncConnection, order_number: str) -> bool | None:
    """Whether the shop cancelled the order; ``None`` if there is no such order."""
    found: bool | None = (
        await execute(connection, _IS_CANCELLED, {"order_number": order_number})
    ).scalar_one_or_none()
    return found


async def add_manual(
    connection: AsyncConnection,
    ids: UploadRecord,
    *,
    customer_name: str | None,
    note: str | None,
    book: NewLineItem,
    key: str | None = None,
) -> str | None:
    """Add a manual order with one line item; returns its number (``M1000``, ``M1001``, ...).

    ``None`` if there is an order of the client's ``key``.
    """
    number = f"M{(await execute(connection, _NEXT_MANUAL)).scalar_one()}"
    values = {
        "id": ids.order_id,
        "order_number": number,
        "customer_name": customer_name,
        "note": note,
        "search": search_text(number, customer_name, None),
        "key": key,
    }
    if (await execute(connection, _ADD_MANUAL, values)).first() is None:
        return None
    item = {"id": ids.line_item_id, "order_id": ids.order_id, **asdict(book)}
    await execute(connection, _ADD_LINE_ITEM, item)
    return number


async def number_of_key(connection: AsyncConnection, key: str) -> str | None:
    """Number of the order that a client created with this key."""
    found: str | None = (await execute(connection, _BY_KEY, {"key": key})).scalar()
    return found


async def add_photos(
    connection: AsyncConnection, line_item_id: int, photos: Sequence[StoredPhoto]
) -> list[int]:
    """Add the images of stored photos; returns their ids in order of position."""
    rows = await execute(
        connection,
        _ADD_IMAGES,
        {
            "line_item_id": line_item_id,
            "positions": [p.position for p in photos],
            "paths": [p.path for p in photos],
            "widths": [p.width for p in photos],
            "heights": [p.height for p in photos],
        },
    )
    return [row.id for row in rows]


async def delete(connection: AsyncConnection, order_number: str) -> int | None:
    """Delete an order with everything in it; returns its id, or ``None`` if there was none."""
    found: int | None = (await execute(connection, _DELETE, {"order_number": order_number})).scalar()
    return found
