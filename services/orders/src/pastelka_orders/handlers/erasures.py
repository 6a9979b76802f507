"""Erasure of an order: request, deletion of its rows, completion."""

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure, OrderDeleted
from pastelka_common.contracts.statuses import STATUS_ENUMS
from pastelka_orders.handlers.versions import end_in_error, stop_work
from pastelka_orders.models.orders import ErasureReason
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import (
    book_versions,
    erasures,
    images,
    orders,
    retention,
    shop_orders,
    versions,
)
from pastelka_orders.repository.erasures import Target

ERASING = Failure(code="cancelled", message="Cancelled, because the order is being erased.")


async def request_erasure(
    connection: AsyncConnection, target: Target, reason: ErasureReason, asked_by: str | None
) -> bool:
    """Request the erasure of an order and stop its active work. ``False`` if already requested."""
    outbox = Outbox()
    for kind in STATUS_ENUMS:
        for version in await versions.lock_active(connection, kind, target.order_number):
            await end_in_error(connection, outbox, version, ERASING)
            stop_work(outbox, version)
    await book_versions.end_active(connection, target.order_id, ERASING.code, ERASING.message)
    is_new = await erasures.add(connection, target, reason, asked_by)
    await outbox.flush(connection)
    return is_new


async def delete_order_rows(connection: AsyncConnection, order_id: int) -> bool:
    """Delete the rows of an order that is being erased.

    ``False`` if already done. Cancels work started meanwhile, and publishes the change.
    """
    record = await erasures.find(connection, order_id, lock=True)
    if record is None or record.deleted_at is not None:
        return False
    what = await erasures.contents(connection, order_id)
    if what is None:
        await erasures.mark_rows_deleted(connection, order_id, None, is_watched=True)
        return True
    if what.shopify_id is not None:
        # The lock blocks imports of the order; the second read sees one that committed just before.
        await shop_orders.lock(connection, what.shopify_id)
        what = await erasures.contents(connection, order_id) or what
    outbox = Outbox()
    is_watched = what.is_recent
    for kind in STATUS_ENUMS:
        for version in await versions.lock_active(connection, kind, what.order_number):
            stop_work(outbox, version)
            is_watched = True
    # Images before their order, as everywhere: the end of a transaction that changed one locks the order.
    await images.lock_of_order(connection, what.order_number)
    await orders.delete(connection, what.order_number)
    if record.reason == "customer" and what.shopify_id is not None:
        await erasures.suppress(connection, [what.shopify_id])
    await erasures.mark_rows_deleted(connection, order_id, what, is_watched=is_watched)
    outbox.add(OrderDeleted(order_number=what.order_number))
    await outbox.flush(connection)
    return True


async def finish(connection: AsyncConnection, order_id: int) -> bool:
    """Mark the erasure as finished; ``False`` if it already was."""
    reason = await erasures.finish(connection, order_id)
    if reason == "retention":
        await retention.count_erased(connection)
    return reason is not None
