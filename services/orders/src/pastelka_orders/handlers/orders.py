"""Manual orders, and deletion of orders."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import OrderChanged, OrderCreated
from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_common.storage import IncompleteDeleteError, Storage, StorageUsage, photo_path
from pastelka_common.thumbnails import store_thumbnail
from pastelka_orders import order_files
from pastelka_orders.database import Database
from pastelka_orders.errors import OrderNotFoundError, UploadAbandonedError
from pastelka_orders.handlers.create_versions import create_colorings
from pastelka_orders.handlers.erasures import delete_order_rows
from pastelka_orders.outbox import Outbox
from pastelka_orders.photos.intake import StagedPhoto
from pastelka_orders.repository import erasures, orders, stages
from pastelka_orders.repository.erasures import Target
from pastelka_orders.repository.orders import NewLineItem, StoredPhoto, UploadRecord

log = structlog.get_logger(__name__)

Process = Literal["none", "coloring", "svg"]
"""What starts automatically: nothing, a coloring, or a coloring and then its SVG."""

_STORE_CONCURRENCY = 4

MANUAL_TITLE = "Omalovánky z vlastních fotek"


@dataclass(frozen=True, slots=True)
class ManualOrder:
    """Data of a manual order, apart from its photos."""

    book: NewLineItem
    customer_name: str | None = None
    note: str | None = None
    process: Process = "none"
    coloring_options: ColoringOptions | None = None


async def create(
    database: Database, storage: Storage, wanted: ManualOrder, photos: Sequence[StagedPhoto]
) -> str:
    """Store the photos, then add the order; returns its number. On failure the files are deleted.

    No transaction is open while photos are stored. :func:`discard_abandoned` deletes the files left by a
    crash.
    """
    upload = await database.write(orders.begin_upload)
    try:
        stored = await _store_all(storage, upload, photos)
        return await database.write(lambda c: _add(c, upload, wanted, stored))
    except BaseException:
        await _discard(database, storage, upload.order_id)
        raise


async def _add(
    connection: AsyncConnection, upload: UploadRecord, wanted: ManualOrder, stored: Sequence[StoredPhoto]
) -> str:
    if not await orders.complete_upload(connection, upload.order_id):
        raise UploadAbandonedError
    number = await orders.add_manual(
        connection, upload, customer_name=wanted.customer_name, note=wanted.note, book=wanted.book
    )
    if number is None:
        raise AssertionError("an order without a key is always added")
    image_ids = await orders.add_photos(connection, upload.line_item_id, stored)
    outbox = Outbox()
    outbox.add(OrderCreated(order_number=number))
    await start_processing(connection, outbox, image_ids, wanted.process, wanted.coloring_options)
    await outbox.flush(connection)
    return number


async def create_empty(connection: AsyncConnection, wanted: ManualOrder, key: str | None) -> tuple[str, bool]:
    """Add an order whose photos follow; returns its number, and whether it is new.

    A repeated request with the same ``key`` adds no other.
    """
    known = await orders.number_of_key(connection, key) if key is not None else None
    if known is not None:
        return known, False
    upload = await orders.begin_upload(connection)
    await orders.complete_upload(connection, upload.order_id)
    number = await orders.add_manual(
        connection, upload, customer_name=wanted.customer_name, note=wanted.note, book=wanted.book, key=key
    )
    if number is None:  # the same request was faster
        return str(await orders.number_of_key(connection, key or "")), False
    await Outbox.publish(connection, OrderCreated(order_number=number))
    return number, True


async def discard_abandoned(database: Database, storage: Storage) -> int:
    """Delete the files of uploads left by crashed processes; returns the number of uploads."""
    abandoned = await database.write(orders.abandon_old_uploads)
    for order_id in abandoned:
        await _discard(database, storage, order_id)
    return len(abandoned)


async def _discard(database: Database, storage: Storage, order_id: int) -> None:
    """Delete the files of an upload unless its order was added; a failure is retried later."""
    try:
        if not await database.write(lambda c: orders.abandon_upload(c, order_id)):
            return
        await order_files.delete(storage, order_id)
        await database.write(lambda c: orders.delete_upload(c, order_id))
    except Exception as error:  # noqa: BLE001 - the next retention pass retries
        log.warning("upload cleanup failed", order_id=order_id, error=str(error))


async def start_processing(
    connection: AsyncConnection,
    outbox: Outbox,
    image_ids: Sequence[int],
    process: Process,
    options: ColoringOptions | None = None,
) -> None:
    """Start the automatic processing of newly stored photos."""
    if process == "none":
        return
    then_svg = SvgOptions() if process == "svg" else None
    await create_colorings(connection, outbox, image_ids, options or ColoringOptions(), then_svg)


async def change(connection: AsyncConnection, order_number: str, notes: Mapping[str, Any]) -> None:
    """Put an order on hold, mark it as printed or shipped, or what needed attention as seen, or undo that.

    ``notes`` are those of ``repository.stages.change``. Raises ``OrderNotFoundError``.
    """
    if not await stages.lock(connection, order_number):
        raise OrderNotFoundError(order_number)
    if notes:
        await stages.change(connection, order_number, notes)
        await Outbox.publish(connection, OrderChanged(order_number=order_number))


async def delete(
    database: Database, storage: Storage, order_number: str, *, asked_by: str | None = None
) -> int:
    """Delete an order's rows and files, and stop its active work. Returns its id.

    The worker deletes files that are left or written later. ``asked_by`` goes into the erasure record. Raises
    ``OrderNotFoundError``.
    """
    target = await database.read(lambda c: erasures.by_number(c, order_number))
    what = await database.read(lambda c: erasures.contents(c, target.order_id)) if target else None
    if target is None or what is None:
        raise OrderNotFoundError(order_number)
    found = await _count_files(storage, target.order_id, what.paths)
    await database.write(lambda c: delete_rows(c, target, found, asked_by=asked_by))
    try:
        await order_files.delete(storage, target.order_id, what.paths)
    except (OSError, IncompleteDeleteError) as error:
        log.warning("files not deleted yet", order_id=target.order_id, reason=str(error))
    return target.order_id


async def delete_rows(
    connection: AsyncConnection, target: Target, found: StorageUsage | None, *, asked_by: str | None = None
) -> None:
    """Delete an order's rows; ``found`` is the usage of its files, ``None`` if counting failed."""
    await erasures.add(connection, target, "operator", asked_by)
    if found is not None:
        await erasures.save_count(connection, target.order_id, files=found.files, size=found.bytes)
    if not await delete_order_rows(connection, target.order_id):
        raise OrderNotFoundError(target.order_number)


async def _count_files(storage: Storage, order_id: int, paths: Sequence[str]) -> StorageUsage | None:
    """Count files for the erasure record; a failure must not block the deletion."""
    try:
        return await order_files.count(storage, order_id, paths)
    except OSError as error:
        log.warning("file count failed", order_id=order_id, reason=error.strerror)
        return None


async def _store_all(
    storage: Storage, upload: UploadRecord, photos: Sequence[StagedPhoto]
) -> list[StoredPhoto]:
    """Store a few concurrently. Raises the first failure once all have ended."""
    limiter = asyncio.Semaphore(_STORE_CONCURRENCY)

    async def store(place: int, photo: StagedPhoto) -> StoredPhoto:
        async with limiter:
            return await _store(storage, upload, place, photo)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(store(place, photo)) for place, photo in enumerate(photos, start=1)]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return [task.result() for task in tasks]


async def _store(storage: Storage, upload: UploadRecord, position: int, photo: StagedPhoto) -> StoredPhoto:
    path = photo_path(
        order_id=upload.order_id, line_item_id=upload.line_item_id, position=position, suffix=photo.suffix
    )
    await storage.put_file(path, photo.path)
    await store_thumbnail(storage, path, photo.thumbnail)
    return StoredPhoto(position, path, photo.width, photo.height)
