"""Queries on orders of the shop, and on applied webhooks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.domain.shop_edits import ShopEdits
from pastelka_orders.domain.shop_orders import ShopOrder
from pastelka_orders.models.orders import OrderStatus
from pastelka_orders.repository.order_search import search_text
from pastelka_orders.repository.sql import execute

_LOCK_CLASS = 7_240
_RETENTION_DAYS = 7

# Keyed by the shop's id, so it also serializes messages about an order that does not exist yet.
_LOCK = "SELECT pg_advisory_xact_lock(:class, hashint8(CAST(:shopify_id AS bigint)))"
_FIND = """SELECT id, order_number, status, shopify_updated_at, created_at, cancelled_at, customer_email,
        payment_status, shipping_method
    FROM orders WHERE shopify_id = CAST(:shopify_id AS bigint) FOR KEY SHARE"""
_FIND_NUMBER = "SELECT source, shopify_id FROM orders WHERE order_number = :order_number"
_DELETION = "SELECT is_final FROM deleted_shop_orders WHERE shopify_id = CAST(:shopify_id AS bigint)"
_CLEAR_DELETION = "DELETE FROM deleted_shop_orders WHERE shopify_id = CAST(:shopify_id AS bigint)"
_ADD = """INSERT INTO orders (order_number, source, shopify_id, shopify_order_number, customer_email,
        customer_name, payment_status, shipping_method, search, created_at, shopify_updated_at, cancelled_at)
    VALUES (:order_number, 'shopify', CAST(:shopify_id AS bigint), :name, :email, :customer, :payment,
        :shipping, :search, COALESCE(:created_at, clock_timestamp()), :updated_at, :cancelled_at)
    ON CONFLICT (order_number) DO NOTHING RETURNING id"""
_CHANGE = """UPDATE orders SET customer_email = :email, customer_name = :customer, payment_status = :payment,
        shipping_method = :shipping, search = :search, created_at = :created_at,
        cancelled_at = :cancelled_at, shop_values = CAST(CAST(:shop_values AS text) AS jsonb),
        shop_changed_fields = CAST(:shop_changed_fields AS text[]), updated_at = clock_timestamp()
    WHERE id = :id"""
_LOCK_EDITS = """SELECT customer_name, shop_values, shop_changed_fields FROM orders
    WHERE id = :id FOR NO KEY UPDATE"""
_FRESH = "UPDATE orders SET shopify_updated_at = :updated_at WHERE id = :id"
_SET_STATUS = """UPDATE orders SET status = CAST(:status AS orderstatus), updated_at = clock_timestamp()
    WHERE id = :id"""
_SEEN = """INSERT INTO shopify_webhooks (id, topic, body_digest) VALUES (:id, :topic, :digest)
    ON CONFLICT DO NOTHING RETURNING id"""
_DELETE_OLD = """DELETE FROM shopify_webhooks WHERE id IN (SELECT id FROM shopify_webhooks
        WHERE received_at < clock_timestamp() - make_interval(days => :days)
        ORDER BY received_at LIMIT 100 FOR UPDATE SKIP LOCKED)"""


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """Our row of an order of the shop."""

    id: int
    order_number: str
    status: OrderStatus
    shopify_updated_at: datetime | None
    created_at: datetime
    cancelled_at: datetime | None
    customer_email: str | None
    payment_status: str | None
    shipping_method: str | None


@dataclass(frozen=True, slots=True)
class ShopReference:
    """The shop's id of an order; ``None`` for a manual order."""

    shopify_id: int | None


async def is_new_webhook(
    connection: AsyncConnection, webhook_id: str | None, topic: str, digest: bytes
) -> bool:
    """Record a webhook; ``False`` if its id or body was already recorded. Deletes old records.

    ``digest`` is the SHA-256 of the body.
    """
    await execute(connection, _DELETE_OLD, {"days": _RETENTION_DAYS})
    values = {"id": webhook_id or f"sha256:{digest.hex()}", "topic": topic, "digest": digest}
    return (await execute(connection, _SEEN, values)).first() is not None


async def lock(connection: AsyncConnection, shopify_id: int) -> KnownOrder | None:
    """Lock the order until the transaction ends, against import and deletion; returns it if it exists."""
    await execute(connection, _LOCK, {"class": _LOCK_CLASS, "shopify_id": shopify_id})
    row = (await execute(connection, _FIND, {"shopify_id": shopify_id})).mappings().first()
    return KnownOrder(**{**row, "status": OrderStatus(row["status"])}) if row else None


async def lock_ids(connection: AsyncConnection, shopify_ids: Sequence[int]) -> None:
    """Lock these orders, even non-existent ones, against import until the transaction ends."""
    for shopify_id in sorted(set(shopify_ids)):
        await execute(connection, _LOCK, {"class": _LOCK_CLASS, "shopify_id": shopify_id})


async def reference(connection: AsyncConnection, order_number: str) -> ShopReference | None:
    """The shop's id of an order; ``None`` if there is no such order."""
    row = (await execute(connection, _FIND_NUMBER, {"order_number": order_number})).first()
    if row is None:
        return None
    return ShopReference(row.shopify_id if row.source == "shopify" else None)


async def deletion(connection: AsyncConnection, shopify_id: int) -> Literal["final", "deleted"] | None:
    """How the order was deleted, if it was; a ``final`` one must never be imported again."""
    is_final = (await execute(connection, _DELETION, {"shopify_id": shopify_id})).scalar()
    return None if is_final is None else "final" if is_final else "deleted"


async def clear_deletion(connection: AsyncConnection, shopify_id: int) -> None:
    """Delete the record that the order was deleted."""
    await execute(connection, _CLEAR_DELETION, {"shopify_id": shopify_id})


async def add(connection: AsyncConnection, order: ShopOrder) -> tuple[int, str]:
    """Add the order without its items; returns its id and number.

    If another order has its number, the shop's id is appended.
    """
    for number in (order.order_number, f"{order.order_number}-{order.shopify_id}"):
        values = {
            "order_number": number,
            "shopify_id": order.shopify_id,
            "name": order.name or None,
            "email": order.customer_email,
            "customer": order.customer_name,
            "payment": order.payment_status,
            "shipping": order.shipping_method or None,
            "search": search_text(number, order.customer_name, order.customer_email),
            "created_at": order.created_at,
            "updated_at": order.updated_at,
            "cancelled_at": order.cancelled_at,
        }
        order_id = (await execute(connection, _ADD, values)).scalar()
        if order_id is not None:
            return order_id, number
    raise RuntimeError(f"no free number for order {order.order_number} of the shop")


async def change(connection: AsyncConnection, known: KnownOrder, order: ShopOrder) -> bool:
    """Update the order without its items; absent fields stay. Returns whether anything changed.

    A name that was edited here stays; the shop's is stored separately.
    """
    edited = (await execute(connection, _LOCK_EDITS, {"id": known.id})).one()
    edits = ShopEdits.of(edited.shop_values, edited.shop_changed_fields)
    name_of_shop = edits.values.get("customer_name", edited.customer_name)
    values = {
        "email": order.customer_email or known.customer_email,
        "customer": order.customer_name or name_of_shop,
        "payment": order.payment_status or known.payment_status,
        "shipping": known.shipping_method if order.shipping_method is None else order.shipping_method or None,
        "created_at": order.created_at or known.created_at,
        "cancelled_at": order.cancelled_at if order.has_cancellation else known.cancelled_at,
    }
    if order.updated_at is not None and order.updated_at != known.shopify_updated_at:
        await execute(connection, _FRESH, {"id": known.id, "updated_at": order.updated_at})
    if values == _head(known, name_of_shop):
        return False
    news = edits.updated({"customer_name": edited.customer_name}, {"customer_name": values["customer"]})
    if "customer_name" in news.values:
        values["customer"] = edited.customer_name
    search = search_text(known.order_number, values["customer"], values["email"])  # type: ignore[arg-type]
    kept = {
        "shop_values": json.dumps(dict(news.values)) if news.values else None,
        "shop_changed_fields": list(news.changed) or None,
    }
    await execute(connection, _CHANGE, {**values, **kept, "search": search, "id": known.id})
    return True


def _head(known: KnownOrder, customer_name: str | None) -> dict[str, object]:
    return {
        "email": known.customer_email,
        "customer": customer_name,
        "payment": known.payment_status,
        "shipping": known.shipping_method,
        "created_at": known.created_at,
        "cancelled_at": known.cancelled_at,
    }


async def set_status(connection: AsyncConnection, order_id: int, status: OrderStatus) -> None:
    """Set the order's status."""
    await execute(connection, _SET_STATUS, {"id": order_id, "status": status.value})
