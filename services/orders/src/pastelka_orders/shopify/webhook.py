"""Verification, parsing and application of webhooks."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import now
from pastelka_orders.domain.shop_orders import MAX_PHOTOS, OrderTooLargeError, ShopOrder, UnreadBody
from pastelka_orders.errors import (
    OtherShopError,
    WebhookNotVerifiedError,
)
from pastelka_orders.repository import shop_jobs, shop_orders
from pastelka_orders.repository.unread_webhooks import add_unidentified
from pastelka_orders.shop_requests import FetchOrders
from pastelka_orders.shopify import privacy
from pastelka_orders.shopify.attributes import AttributeNames
from pastelka_orders.shopify.ingest import ingest
from pastelka_orders.shopify.parsing import MAX_PROBLEMS, ParseResult, document_of, read
from pastelka_orders.shopify.payloads import OrderPayload, normalise
from pastelka_orders.shopify.privacy import PrivacyPayload
from pastelka_orders.shopify.settings import ShopifySettings

MAX_BYTES = 8 * 1024 * 1024
"""Of a webhook's body."""
TOPICS = frozenset({"orders/create", "orders/updated", "orders/cancelled"})
_MAX_ID_LENGTH = 200
_FETCH_WINDOW = timedelta(hours=1)
log = structlog.get_logger(__name__)


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether ``signature`` is the base64 HMAC-SHA256 of the raw ``body``; constant time."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    # As bytes: ``compare_digest`` rejects non-ASCII strings.
    return hmac.compare_digest(base64.b64encode(digest), signature.strip().encode("utf-8", "replace"))


@dataclass(frozen=True)
class Webhook:
    """One verified webhook. ``id`` is ``None`` if the header is missing."""

    topic: str
    id: str | None
    body: bytes

    @property
    def is_about_an_order(self) -> bool:
        """Whether its topic is handled; any other is acknowledged and ignored."""
        return self.topic in TOPICS

    @property
    def is_about_privacy(self) -> bool:
        """Whether it is a privacy request."""
        return self.topic in privacy.TOPICS


def verified(headers: Mapping[str, str], body: bytes, settings: ShopifySettings) -> Webhook:
    """Verify a webhook.

    Raises ``WebhookNotVerifiedError`` (also while no secret is set) and ``OtherShopError``.
    """
    secret = settings.shopify_webhook_secret
    signature = headers.get("x-shopify-hmac-sha256", "")
    if secret is None or not is_signed(body, signature, secret.get_secret_value()):
        raise WebhookNotVerifiedError
    domain = headers.get("x-shopify-shop-domain", "").strip().lower()
    if domain and settings.shop_domain is not None and domain != settings.shop_domain:
        raise OtherShopError(domain[:_MAX_ID_LENGTH])
    # The topic is not signed: only the body's own fields determine what is changed.
    topic = headers.get("x-shopify-topic", "").strip()[:_MAX_ID_LENGTH]
    if not topic:
        log.warning("webhook without X-Shopify-Topic")
    return Webhook(topic, headers.get("x-shopify-webhook-id", "")[:_MAX_ID_LENGTH] or None, body)


@dataclass(frozen=True, slots=True)
class ParsedOrder:
    """``order`` is ``None`` if the body has none; ``problems`` name the ignored fields."""

    order: ShopOrder | None
    problems: tuple[str, ...]


def order_of(webhook: Webhook, names: AttributeNames, *, can_fetch: bool = False) -> ParsedOrder:
    """Parse the order; run it in a thread: a large body takes long.

    Without ``can_fetch``, missing items or attributes are a problem.
    """
    document = document_of(webhook.body)
    if document is None:
        return ParsedOrder(None, ("the body: is not a JSON object",))
    normalise(document)
    reading = read(OrderPayload, document)
    if reading.value is None:
        return ParsedOrder(None, reading.problems)
    problems = [*reading.problems]
    if not can_fetch:
        problems += reading.value.missing_fields()
    try:
        order = reading.value.order(names, is_whole=not any(map(_is_of_items, problems)))
    except OrderTooLargeError as error:
        problems.append(f"line_items: {error}")
        order = reading.value.order(names, is_whole=False, max_photos=MAX_PHOTOS)
    kept = tuple(problems[:MAX_PROBLEMS])
    unread = UnreadBody(webhook.topic, webhook.body, kept) if kept else None
    return ParsedOrder(replace(order, unread=unread), kept)


def _is_of_items(problem: str) -> bool:
    return problem.startswith("line_items")


async def apply(
    connection: AsyncConnection,
    webhook: Webhook,
    found: ParsedOrder,
    *,
    can_fetch: bool,
    retention_start: datetime | None = None,
) -> None:
    """Import the order; a repeated webhook is ignored. A body without an order is stored for an operator.

    With ``can_fetch``, the orders of the last hour are then fetched from the shop: it may be among them.
    """
    if found.order is None:
        await _store_unread(connection, webhook, found.problems)
        if can_fetch:
            await shop_jobs.enqueue(connection, FetchOrders(since=now() - _FETCH_WINDOW))
        return
    if not await _is_new(connection, webhook):
        return
    effect = await ingest(connection, found.order, can_fetch=can_fetch, retention_start=retention_start)
    number = found.order.order_number
    log.info("webhook applied", topic=webhook.topic, order_number=number, effect=effect)
    if found.problems:
        log.warning("webhook partly unreadable", order_number=number, problems=found.problems)


async def apply_privacy(
    connection: AsyncConnection, webhook: Webhook, reading: ParseResult[PrivacyPayload]
) -> None:
    """Apply a privacy request; a repeated one is ignored.

    A malformed one is stored for an operator.
    """
    if reading.value is None:
        await _store_unread(connection, webhook, reading.problems)
    elif await _is_new(connection, webhook):
        await privacy.apply(connection, webhook.topic, reading.value)


async def _store_unread(connection: AsyncConnection, webhook: Webhook, problems: tuple[str, ...]) -> None:
    log.error("webhook unreadable", topic=webhook.topic, webhook_id=webhook.id, problems=problems)
    await add_unidentified(connection, UnreadBody(webhook.topic, webhook.body, problems))


async def _is_new(connection: AsyncConnection, webhook: Webhook) -> bool:
    digest = hashlib.sha256(webhook.body).digest()
    if await shop_orders.is_new_webhook(connection, webhook.id, webhook.topic, digest):
        return True
    log.info("duplicate webhook ignored", webhook_id=webhook.id, topic=webhook.topic)
    return False
