"""Orders made by hand, and their end."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import EraseJob, OrderCreated
from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_common.storage import Storage, photo_path
from pastelka_common.thumbnails import store_thumbnail
from pastelka_orders import order_files
from pastelka_orders.errors import OrderNotFoundError
from pastelka_orders.handlers.erasures import take_rows_away
from pastelka_orders.handlers.making import make_colorings
from pastelka_orders.outbox import Outbox
from pastelka_orders.photos import StagedPhoto
from pastelka_orders.repository import erasures, orders
from pastelka_orders.repository.orders import NewOrder, StoredPhoto

log = structlog.get_logger(__name__)

Process = Literal["none", "coloring", "svg"]
"""What starts by itself: nothing, a coloring, or a coloring and then its SVG."""

_STORED_AT_ONCE = 4

MANUAL_TITLE = "Omalovánky z vlastních fotek"


@dataclass(frozen=True, slots=True)
class ManualOrder:
    """What a person gives for an order made by hand, apart from the photos."""

    customer_name: str | None = None
    note: str | None = None
    process: Process = "none"


async def create(
    connection: AsyncConnection, storage: Storage, wanted: ManualOrder, photos: Sequence[StagedPhoto]
) -> str:
    """Store the photos and add the order; returns its number. On failure no file is left."""
    order = await orders.add_manual(
        connection, customer_name=wanted.customer_name, note=wanted.note, title=MANUAL_TITLE
    )
    try:
        stored = await _store_all(storage, order, photos)
        image_ids = await orders.add_photos(connection, order.line_item_id, stored)
        outbox = Outbox()
        outbox.add(OrderCreated(order_number=order.order_number))
        await start_processing(connection, outbox, image_ids, wanted.process)
        await outbox.flush(connection)
    except BaseException:
        await storage.delete_tree(str(order.id))
        raise
    return order.order_number


async def start_processing(
    connection: AsyncConnection, outbox: Outbox, image_ids: Sequence[int], process: Process
) -> None:
    """Start what is to start by itself for photos that have just been stored."""
    if process == "none":
        return
    then_svg = SvgOptions() if process == "svg" else None
    await make_colorings(connection, outbox, image_ids, ColoringOptions(), then_svg)


async def delete(
    connection: AsyncConnection, storage: Storage, order_number: str, *, asked_by: str | None = None
) -> int:
    """Delete an order: its rows now, its work in hand stopped, its files by a job. Returns its id.

    ``asked_by`` is for the record of what was erased.
    """
    target = await erasures.by_number(connection, order_number)
    if target is None:
        raise OrderNotFoundError(order_number)
    await erasures.ask(connection, target, "operator", asked_by)
    await _count_files(connection, storage, target.order_id)
    files = EraseJob(order_id=target.order_id, order_number=order_number)
    if not await take_rows_away(connection, target.order_id, files):
        raise OrderNotFoundError(order_number)
    return target.order_id


async def _count_files(connection: AsyncConnection, storage: Storage, order_id: int) -> None:
    """For the record, which is not worth refusing a deletion."""
    try:
        found = await order_files.count(storage, order_id)
    except OSError as error:
        log.warning("files not counted", order_id=order_id, reason=error.strerror)
        return
    await erasures.note_count(connection, order_id, files=found.files, size=found.bytes)


async def _store_all(storage: Storage, order: NewOrder, photos: Sequence[StagedPhoto]) -> list[StoredPhoto]:
    """A few at once. Raises what the first failure raised, when nothing is being stored any more."""
    few = asyncio.Semaphore(_STORED_AT_ONCE)

    async def store(place: int, photo: StagedPhoto) -> StoredPhoto:
        async with few:
            return await _store(storage, order, place, photo)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(store(place, photo)) for place, photo in enumerate(photos, start=1)]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return [task.result() for task in tasks]


async def _store(storage: Storage, order: NewOrder, position: int, photo: StagedPhoto) -> StoredPhoto:
    path = photo_path(
        order_id=order.id, line_item_id=order.line_item_id, position=position, suffix=photo.suffix
    )
    await storage.take(path, photo.path)
    await store_thumbnail(storage, path, photo.thumbnail)
    return StoredPhoto(position, path, photo.width, photo.height)
