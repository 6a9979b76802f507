"""Edits of line items, and line items that are added to manual orders and deleted."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import OrderChanged
from pastelka_common.contracts.statuses import STATUS_ENUMS
from pastelka_common.storage import Storage
from pastelka_orders.database import Database
from pastelka_orders.errors import (
    ItemRemovedError,
    LineItemNotFoundError,
    OrderNotFoundError,
    PreconditionFailedError,
)
from pastelka_orders.handlers.photo_set import delete_files, delete_rows
from pastelka_orders.handlers.versions import stop_work
from pastelka_orders.outbox import Outbox
from pastelka_orders.photo_set_errors import LastLineItemError, OfShopError
from pastelka_orders.repository import images, line_items, photo_set, shop_orders, versions
from pastelka_orders.repository.line_items import LineItemRecord
from pastelka_orders.repository.orders import NewLineItem
from pastelka_orders.repository.photo_set import RemovedFiles


async def change(
    connection: AsyncConnection,
    order_number: str,
    item_id: int,
    values: Mapping[str, Any],
    is_expected: Callable[[LineItemRecord], bool],
) -> LineItemRecord:
    """Set ``values``; later values of the shop for these fields are stored separately.

    Raises ``LineItemNotFoundError``, ``PreconditionFailedError`` if ``is_expected`` fails, and
    ``ItemRemovedError`` for the quantity of an item that the shop removed: only the shop reverses that.
    """
    item = await line_items.lock(connection, order_number, item_id)
    if item is None:
        raise LineItemNotFoundError(item_id)
    if not is_expected(item):
        raise PreconditionFailedError
    if item.is_of_shop and item.quantity == 0 and values.get("quantity", 0) != 0:
        raise ItemRemovedError(f"Line item {item_id}", "its quantity cannot be set", line_item_id=item_id)
    changed = item.changed(values)
    if changed != item:
        await line_items.save(connection, changed)
        outbox = Outbox()
        outbox.add(OrderChanged(order_number=order_number))
        await outbox.flush(connection)
    return changed


async def add(connection: AsyncConnection, order_number: str, wanted: NewLineItem) -> int:
    """Add a line item to a manual order; returns its id. Raises ``OrderNotFoundError``, ``OfShopError``."""
    await _require_manual(connection, order_number)
    order_id = await photo_set.touch_order(connection, order_number)
    if order_id is None:
        raise OrderNotFoundError(order_number)
    item_id = await line_items.add(connection, order_id, wanted)
    await Outbox.publish(connection, OrderChanged(order_number=order_number))
    return item_id


async def delete(
    database: Database,
    storage: Storage,
    order_number: str,
    item_id: int,
    is_expected: Callable[[LineItemRecord], bool],
) -> None:
    """Delete a line item of a manual order with its photos, their versions and files.

    Raises ``OfShopError``, ``LineItemNotFoundError``, ``PreconditionFailedError``, ``LastLineItemError`` and
    ``PhotoApprovedError``.
    """
    files = await database.write(lambda c: _delete_rows(c, order_number, item_id, is_expected))
    await delete_files(database, storage, files)


async def _delete_rows(
    connection: AsyncConnection,
    order_number: str,
    item_id: int,
    is_expected: Callable[[LineItemRecord], bool],
) -> list[RemovedFiles]:
    await _require_manual(connection, order_number)
    active = [
        version
        for kind in STATUS_ENUMS
        for version in await versions.lock_active(connection, kind, order_number)
    ]
    photos = await images.lock_of_order(connection, order_number)
    item = await line_items.lock(connection, order_number, item_id)
    if item is None:
        raise LineItemNotFoundError(item_id)
    if not is_expected(item):
        raise PreconditionFailedError
    await photo_set.touch_order(connection, order_number)
    if not await line_items.has_others(connection, order_number, item_id):
        raise LastLineItemError(order_number)
    if len(await images.lock_of_order(connection, order_number)) != len(photos):
        raise PreconditionFailedError  # a photo was added before the order was locked
    removed = [photo for photo in photos if photo.line_item_id == item_id]
    outbox = Outbox()
    for version in active:
        if version.image_id in {photo.id for photo in removed}:
            stop_work(outbox, version)
    files = [await delete_rows(connection, photo) for photo in removed]
    await line_items.delete(connection, item_id)
    outbox.add(OrderChanged(order_number=order_number))
    await outbox.flush(connection)
    return files


async def _require_manual(connection: AsyncConnection, order_number: str) -> None:
    reference = await shop_orders.reference(connection, order_number)
    if reference is None:
        raise OrderNotFoundError(order_number)
    if reference.shopify_id is not None:
        raise OfShopError(order_number)
