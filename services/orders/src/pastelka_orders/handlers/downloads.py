"""Photos that come by URL: what a finished or failed download changes."""

from sqlalchemy import Integer, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import DownloadJob, Failure, OrderChanged
from pastelka_orders.errors import ImageNotFoundError
from pastelka_orders.handlers.orders import Process, start_processing
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import images
from pastelka_orders.repository.images import LockedImage
from pastelka_orders.repository.orders import StoredPhoto

_STORED = text(
    """UPDATE images SET path = :path, width = :width, height = :height, downloaded_at = clock_timestamp(),
        download_error_code = NULL, download_error_message = NULL WHERE id = :image_id"""
).bindparams(bindparam("image_id", type_=Integer))
_FAILED = text(
    """UPDATE images SET download_error_code = :code, download_error_message = :message
    WHERE id = :image_id AND path IS NULL"""
).bindparams(bindparam("image_id", type_=Integer))
_AWAITED = text(
    "UPDATE images SET download_error_code = NULL, download_error_message = NULL WHERE id = :image_id"
).bindparams(bindparam("image_id", type_=Integer))
_LOCK_ORDER = text("SELECT id FROM orders WHERE id = :order_id FOR NO KEY UPDATE").bindparams(
    bindparam("order_id", type_=Integer)
)
_ORDER_STATUS = text(
    """UPDATE orders o SET updated_at = clock_timestamp(), status = CASE
        WHEN s.failed > 0 THEN 'error' WHEN s.missing > 0 THEN 'downloading' ELSE 'ready_for_review'
        END::orderstatus
    FROM (SELECT count(*) FILTER (WHERE i.path IS NULL) AS missing,
            count(*) FILTER (WHERE i.path IS NULL AND i.download_error_code IS NOT NULL) AS failed
        FROM line_items l JOIN images i ON i.line_item_id = l.id WHERE l.order_id = :order_id) s
    WHERE o.id = :order_id"""
).bindparams(bindparam("order_id", type_=Integer))


async def refresh_order_status(connection: AsyncConnection, order_id: int) -> None:
    """Let the order's status say what its photos are like.

    The row is locked by a statement before the one that counts: two photos that are stored at the same
    moment would each count the other one as missing.
    """
    await connection.execute(_LOCK_ORDER, {"order_id": order_id})
    await connection.execute(_ORDER_STATUS, {"order_id": order_id})


async def wanted(connection: AsyncConnection, image_id: int, url: str) -> LockedImage | None:
    """The image, if it still waits for the photo behind ``url``."""
    image = await images.lock(connection, image_id)
    waits = image is not None and image.path is None and image.original_url == url
    return image if waits else None


async def stored(connection: AsyncConnection, job: DownloadJob, photo: StoredPhoto, process: Process) -> None:
    """The photo is in the storage; start what is to start by itself, unless the shop wants it no longer."""
    image_id = job.image_id
    image = await wanted(connection, image_id, job.url)
    if image is None:
        return
    values = {"path": photo.path, "width": photo.width, "height": photo.height, "image_id": image_id}
    await connection.execute(_STORED, values)
    await refresh_order_status(connection, image.order_id)
    outbox = Outbox()
    outbox.add(OrderChanged(order_number=image.order_number))
    # A photo that was lost and fetched again has its pages, which are not to be paid for twice.
    has_pages = bool(await images.colorings(connection, [image_id]))
    await start_processing(
        connection, outbox, [image_id], process if image.is_wanted and not has_pages else "none"
    )
    await outbox.flush(connection)


async def failed(connection: AsyncConnection, job: DownloadJob, failure: Failure) -> None:
    """The photo could not be fetched."""
    image = await wanted(connection, job.image_id, job.url)
    if image is None:
        return
    values = {"code": failure.code, "message": failure.message, "image_id": job.image_id}
    await connection.execute(_FAILED, values)
    await refresh_order_status(connection, image.order_id)
    outbox = Outbox()
    outbox.add(OrderChanged(order_number=image.order_number))
    await outbox.flush(connection)


async def again(connection: AsyncConnection, job: DownloadJob) -> None:
    """Fetch a photo once more that could not be fetched; nothing happens if it is there by now."""
    image = await images.lock(connection, job.image_id)
    if image is None:
        raise ImageNotFoundError(job.image_id)
    if image.path is not None or image.original_url != job.url:
        return
    await connection.execute(_AWAITED, {"image_id": job.image_id})
    await refresh_order_status(connection, image.order_id)
    outbox = Outbox()
    outbox.add(job)
    outbox.add(OrderChanged(order_number=image.order_number))
    await outbox.flush(connection)
