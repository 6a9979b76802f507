"""Orders made by hand, and their end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import EraseJob, OrderCreated, OrderDeleted
from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_common.contracts.statuses import STATUS_ENUMS
from pastelka_common.storage import Storage, photo_path
from pastelka_common.thumbnails import store_thumbnail
from pastelka_orders.errors import OrderNotFoundError
from pastelka_orders.handlers.making import make_colorings
from pastelka_orders.handlers.versions import stop_work
from pastelka_orders.outbox import Outbox
from pastelka_orders.photos import StagedPhoto
from pastelka_orders.repository import orders, versions
from pastelka_orders.repository.orders import NewOrder, StoredPhoto

Process = Literal["none", "coloring", "svg"]
"""What starts by itself: nothing, a coloring, or a coloring and then its SVG."""

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
        stored = [await _store(storage, order, place, photo) for place, photo in enumerate(photos, start=1)]
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


async def delete(connection: AsyncConnection, order_number: str) -> int:
    """Delete an order: its rows now, its work in hand stopped, its files by a job. Returns its id."""
    outbox = Outbox()
    for kind in STATUS_ENUMS:
        for version in await versions.lock_in_hand(connection, kind, order_number):
            stop_work(outbox, version)
    order_id = await orders.delete(connection, order_number)
    if order_id is None:
        raise OrderNotFoundError(order_number)
    await orders.note_erasure(connection, order_id, order_number)
    outbox.add(EraseJob(order_id=order_id, order_number=order_number))
    outbox.add(OrderDeleted(order_number=order_number))
    await outbox.flush(connection)
    return order_id


async def _store(storage: Storage, order: NewOrder, position: int, photo: StagedPhoto) -> StoredPhoto:
    path = photo_path(
        order_id=order.id, line_item_id=order.line_item_id, position=position, suffix=photo.suffix
    )
    await storage.take(path, photo.path)
    await store_thumbnail(storage, path, photo.thumbnail)
    return StoredPhoto(position, path, photo.width, photo.height)
