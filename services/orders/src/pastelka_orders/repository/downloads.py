"""Queries on images with a pending download, which are job rows."""

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure
from pastelka_orders.repository.claims import JobTable
from pastelka_orders.repository.orders import StoredPhoto
from pastelka_orders.repository.sql import execute

AWAITED = "path IS NULL AND download_error_code IS NULL AND original_url IS NOT NULL"
"""Condition (SQL) on an image that waits for its photo."""
TABLE = JobTable("images", "id", AWAITED)

_STORED = """UPDATE images SET path = :path, width = :width, height = :height,
        downloaded_at = clock_timestamp(),
        download_error_code = NULL, download_error_message = NULL WHERE id = :image_id"""
_FAILED = """UPDATE images SET download_error_code = :code, download_error_message = :message
    WHERE id = :image_id AND path IS NULL"""
_HAS_FAILED = "SELECT path IS NULL AND download_error_code IS NOT NULL FROM images WHERE id = :image_id"
_LOCK_ORDER = "SELECT id FROM orders WHERE id = :order_id FOR NO KEY UPDATE"
_ORDER_STATUS = """UPDATE orders o SET updated_at = clock_timestamp(), status = CASE
        WHEN s.failed > 0 THEN 'error' WHEN s.missing > 0 THEN 'downloading' ELSE 'ready_for_review'
        END::orderstatus
    FROM (SELECT count(*) FILTER (WHERE i.path IS NULL) AS missing,
            count(*) FILTER (WHERE i.path IS NULL AND i.download_error_code IS NOT NULL) AS failed
        FROM line_items l JOIN images i ON i.line_item_id = l.id WHERE l.order_id = :order_id) s
    WHERE o.id = :order_id"""


async def refresh_order_status(connection: AsyncConnection, order_id: int) -> None:
    """Derive the order's status from its photos.

    The row is locked before the count: otherwise two transactions that store photos at the same time would
    each count the other's as missing.
    """
    await execute(connection, _LOCK_ORDER, {"order_id": order_id})
    await execute(connection, _ORDER_STATUS, {"order_id": order_id})


async def save_stored(connection: AsyncConnection, image_id: int, photo: StoredPhoto) -> None:
    """Record the stored photo of a locked image."""
    values = {"path": photo.path, "width": photo.width, "height": photo.height, "image_id": image_id}
    await execute(connection, _STORED, values)


async def save_failure(connection: AsyncConnection, image_id: int, failure: Failure) -> None:
    """Record that the download of a locked image's photo failed for good."""
    values = {"code": failure.code, "message": failure.message, "image_id": image_id}
    await execute(connection, _FAILED, values)


async def has_failed(connection: AsyncConnection, image_id: int) -> bool:
    """Whether the photo is missing because its download failed."""
    return bool((await execute(connection, _HAS_FAILED, {"image_id": image_id})).scalar())
