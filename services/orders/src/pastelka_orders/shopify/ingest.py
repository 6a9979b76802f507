"""Imports an order of the shop, from a webhook or the API, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure, OrderChanged, OrderCreated
from pastelka_common.contracts.statuses import STATUS_ENUMS
from pastelka_orders.actors import Actor, current_actor
from pastelka_orders.domain.photo_plan import RefetchPolicy, plan_photos, split_overridden
from pastelka_orders.domain.shop_orders import ShopItem, ShopOrder
from pastelka_orders.handlers.versions import end_in_error, stop_work
from pastelka_orders.models.orders import OrderStatus
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import (
    order_history,
    shop_items,
    shop_jobs,
    shop_orders,
    stages,
    unread_webhooks,
    versions,
)
from pastelka_orders.repository.downloads import refresh_order_status
from pastelka_orders.repository.shop_orders import KnownOrder
from pastelka_orders.repository.versions import Version
from pastelka_orders.shop_requests import SyncOrder

REPLACED = Failure(
    code="photo_replaced",
    message="The customer replaced this photo during processing; generate again from the new one.",
)

FETCHED = "fetch"
"""The event of the shop when an order was not sent by it, but fetched from it."""

_WAITING = {OrderStatus.PENDING, OrderStatus.PROCESSING}

Effect = Literal["created", "changed", "unchanged", "older", "deleted", "erased", "expired"]
"""How an order from the shop changed ours. ``older``: our data is newer; ``deleted``: an operator deleted it;
``erased``: its customer asked for erasure; ``expired``: it is past the retention period."""


@dataclass(frozen=True, slots=True)
class _Target:
    """Our order; ``known`` is its previous state, if it existed."""

    id: int
    number: str
    known: KnownOrder | None


async def ingest(
    connection: AsyncConnection,
    order: ShopOrder,
    *,
    refetch: RefetchPolicy = RefetchPolicy.NONE,
    can_fetch: bool = False,
    restore_deleted: bool = False,
    retention_start: datetime | None = None,
) -> Effect:
    """Add or update the order; download new photos.

    ``refetch`` selects missing photos to download again. With ``can_fetch``, an order without photos is
    fetched from the shop by a job. A deleted order is imported again only with ``restore_deleted``, one
    erased for its customer never. A new one created before ``retention_start`` is ignored: it would be
    erased.
    """
    if current_actor() is None:
        await order_history.set_actor(connection, Actor("shop", FETCHED))
    known = await shop_orders.lock(connection, order.shopify_id)
    if (
        known is None
        and (refusal := await _refusal(connection, order, restore_deleted, retention_start)) is not None
    ):
        return refusal
    if known is not None and _is_older(order, known):
        return "older"
    target = await _target(connection, order, known)
    outbox = Outbox()
    changed = await _update(connection, outbox, target, order, refetch)
    if can_fetch and await _lacks_photos(connection, target, order):
        await _enqueue_sync(connection, target, order)
    else:
        changed |= known is not None and known.status in _WAITING
        if known is None or changed:
            await refresh_order_status(connection, target.id)
    if known is None:
        outbox.add(OrderCreated(order_number=target.number))
    elif changed:
        outbox.add(OrderChanged(order_number=target.number))
    await outbox.flush(connection)
    if known is None:
        return "created"
    return "changed" if changed else "unchanged"


async def give_up(connection: AsyncConnection, shopify_id: int) -> None:
    """Set a waiting order that could not be fetched from the shop to ``error``."""
    known = await shop_orders.lock(connection, shopify_id)
    if known is None or known.status not in _WAITING:
        return
    await shop_orders.set_status(connection, known.id, OrderStatus.ERROR)
    await Outbox.publish(connection, OrderChanged(order_number=known.order_number))


async def _refusal(
    connection: AsyncConnection, order: ShopOrder, restore_deleted: bool, retention_start: datetime | None
) -> Effect | None:
    """Why a new order is not imported; ``None`` if it is."""
    deletion = await shop_orders.deletion(connection, order.shopify_id)
    if deletion == "final":
        return "erased"
    if retention_start is not None and order.created_at is not None and order.created_at < retention_start:
        return "expired"
    if deletion is None:
        return None
    if not restore_deleted:
        return "deleted"
    await shop_orders.clear_deletion(connection, order.shopify_id)
    return None


def _is_older(order: ShopOrder, known: KnownOrder) -> bool:
    if order.updated_at is None or known.shopify_updated_at is None:
        return False
    return order.updated_at < known.shopify_updated_at


async def _target(connection: AsyncConnection, order: ShopOrder, known: KnownOrder | None) -> _Target:
    if known is not None:
        return _Target(known.id, known.order_number, known)
    order_id, number = await shop_orders.add(connection, order)
    return _Target(order_id, number, None)


async def _update(
    connection: AsyncConnection, outbox: Outbox, target: _Target, order: ShopOrder, refetch: RefetchPolicy
) -> bool:
    """Take over items and head; returns whether anything changed, which a reviewed order shows."""
    known = target.known
    is_reviewed = known is not None and await stages.is_reviewed(connection, known.id)
    is_first_part = order.items is None and order.unread is not None and known is None
    items = order.readable_items if is_first_part else order.items
    changed = False
    if items is not None:
        changed = await _update_items(connection, outbox, target, items, refetch)
    if known is not None:  # Lock order: images, then their order.
        changed |= await shop_orders.change(connection, known, order)
    changed |= await unread_webhooks.save(connection, target.id, order.unread)
    if changed and is_reviewed:
        await stages.set_shop_changed(connection, target.id)
    return changed


async def _update_items(
    connection: AsyncConnection,
    outbox: Outbox,
    target: _Target,
    items: tuple[ShopItem, ...],
    refetch: RefetchPolicy,
) -> bool:
    """Update line items and photos; returns whether anything changed."""
    # Lock order is always versions, then images: transactions cannot deadlock.
    in_progress = await _in_progress(connection, target) if target.known else []
    present = await shop_items.lock_photos(connection, target.id)
    changed = await shop_items.upsert_items(connection, target.id, items)
    ids = await shop_items.item_ids(connection, target.id)
    wanted = {
        (ids[item.shopify_id], position): url
        for item in items
        if item.quantity > 0
        for position, url in item.photos.items()
    }
    overrides = await shop_items.overrides(connection, target.id)
    wanted, kept_out = split_overridden(wanted, overrides)
    plan = plan_photos(wanted, present, refetch)
    for version in in_progress:
        if version.image_id in plan.replaced:
            await end_in_error(connection, outbox, version, REPLACED)
            stop_work(outbox, version)
    await shop_items.drop_photos(connection, plan.dropped)
    await shop_items.replace_photos(connection, plan.replaced)
    await shop_items.await_photos(connection, list(plan.refetch))
    await shop_items.add_photos(connection, target.id, plan.added)
    if kept_out:  # An operator's photo stays; the operator sees that the customer sent another one.
        await shop_items.save_overrides(connection, kept_out)
        await stages.set_shop_changed(connection, target.id)
    return changed or bool(kept_out) or not plan.is_empty


async def _in_progress(connection: AsyncConnection, target: _Target) -> list[Version]:
    return [
        version
        for kind in STATUS_ENUMS
        for version in await versions.lock_active(connection, kind, target.number)
    ]


async def _lacks_photos(connection: AsyncConnection, target: _Target, order: ShopOrder) -> bool:
    """Whether the order must be fetched: its items are missing, or have no photo."""
    if order.items is None:
        return True
    return not order.has_photos and not await shop_items.lock_photos(connection, target.id)


async def _enqueue_sync(connection: AsyncConnection, target: _Target, order: ShopOrder) -> None:
    await shop_jobs.enqueue(connection, SyncOrder(shopify_id=order.shopify_id, order_number=target.number))
    if target.known is None:
        await shop_orders.set_status(connection, target.id, OrderStatus.PROCESSING)
