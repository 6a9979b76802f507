"""Retry of everything that failed in an order."""

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.options import ColoringProviderName
from pastelka_orders.errors import OrderCancelledError, OrderNotFoundError
from pastelka_orders.handlers.versions import retry
from pastelka_orders.repository import failed_versions, images, orders, versions
from pastelka_orders.repository.failed_versions import FailedVersions


async def retry_failed(
    connection: AsyncConnection, order_number: str, provider: ColoringProviderName
) -> FailedVersions:
    """Begin a new run of every failed version of an order; returns the restarted ones.

    Raises ``OrderNotFoundError``, ``OrderCancelledError`` and what ``versions.retry`` does.
    """
    is_cancelled = await orders.is_cancelled(connection, order_number)
    if is_cancelled is None:
        raise OrderNotFoundError(order_number)
    if is_cancelled:
        raise OrderCancelledError(order_number)
    failed = await failed_versions.of_orders(connection, [order_number])
    # All versions before all images, as in every other transaction: they cannot deadlock.
    locked = [
        *await versions.lock(connection, "coloring", failed.colorings),
        *await versions.lock(connection, "svg", failed.svgs),
    ]
    await images.lock_all(connection, sorted({version.image_id for version in locked}))
    for version_id in failed.colorings:
        await retry(connection, "coloring", version_id, provider)
    for version_id in failed.svgs:
        await retry(connection, "svg", version_id)
    return failed
