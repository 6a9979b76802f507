"""A webhook: who sent it, what it is about, and what it changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.errors import (
    OtherShopError,
    WebhookNotVerifiedError,
    WebhookUnreadableError,
)
from pastelka_orders.repository import shop_orders
from pastelka_orders.shopify import privacy
from pastelka_orders.shopify.attributes import AttributeNames
from pastelka_orders.shopify.ingest import ingest
from pastelka_orders.shopify.orders import OrderTooLargeError, ShopOrder
from pastelka_orders.shopify.payloads import OrderPayload
from pastelka_orders.shopify.privacy import PrivacyPayload
from pastelka_orders.shopify.settings import ShopifySettings
from pastelka_orders.shopify.signature import is_signed

MAX_BYTES = 8 * 1024 * 1024
"""Of a webhook's body."""
TOPICS = frozenset({"orders/create", "orders/updated", "orders/cancelled"})
_LONGEST_ID = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Webhook:
    """One verified webhook. ``id`` is ``None`` where the header is missing."""

    topic: str
    id: str | None
    body: bytes

    @property
    def is_about_an_order(self) -> bool:
        """Whether it is one of those that are followed; any other is acknowledged and ignored."""
        return self.topic in TOPICS

    @property
    def is_about_privacy(self) -> bool:
        """Whether a customer's data is to be erased or told."""
        return self.topic in privacy.TOPICS


def verified(headers: Mapping[str, str], body: bytes, settings: ShopifySettings) -> Webhook:
    """The webhook, if it is the shop's.

    Raises ``WebhookNotVerifiedError`` (also while no secret is set), ``OtherShopError``, and
    ``WebhookUnreadableError`` if it does not say what it is about.
    """
    secret = settings.shopify_webhook_secret
    signature = headers.get("x-shopify-hmac-sha256", "")
    if secret is None or not is_signed(body, signature, secret.get_secret_value()):
        raise WebhookNotVerifiedError
    domain = headers.get("x-shopify-shop-domain", "").strip().lower()
    if domain and settings.shop_domain is not None and domain != settings.shop_domain:
        raise OtherShopError(domain[:_LONGEST_ID])
    topic = headers.get("x-shopify-topic", "").strip()
    if not topic:
        raise WebhookUnreadableError("X-Shopify-Topic is missing; it says what the webhook is about.")
    return Webhook(topic, headers.get("x-shopify-webhook-id", "")[:_LONGEST_ID] or None, body)


def order_of(webhook: Webhook, names: AttributeNames) -> ShopOrder:
    """The order it holds. Raises ``WebhookUnreadableError`` that says which field is wrong."""
    try:
        return OrderPayload.model_validate_json(webhook.body).order(names)
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, one['loc'])) or 'the body'}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)
        ]
        raise WebhookUnreadableError(f"This is no order: {'; '.join(wrong[:5])}.") from None
    except OrderTooLargeError as error:
        raise WebhookUnreadableError(str(error)) from None


async def apply(
    connection: AsyncConnection,
    webhook: Webhook,
    order: ShopOrder,
    *,
    can_ask: bool,
    kept_since: datetime | None = None,
) -> None:
    """Take the order in; one that was applied already does nothing."""
    if not await _is_new(connection, webhook):
        return
    effect = await ingest(connection, order, can_ask=can_ask, kept_since=kept_since)
    log.info("webhook applied", topic=webhook.topic, order_number=order.order_number, effect=effect)


async def apply_privacy(connection: AsyncConnection, webhook: Webhook, payload: PrivacyPayload) -> None:
    """Do what a privacy request says; one that was applied already does nothing."""
    if await _is_new(connection, webhook):
        await privacy.apply(connection, webhook.topic, payload)


async def _is_new(connection: AsyncConnection, webhook: Webhook) -> bool:
    if webhook.id is None or await shop_orders.is_new_webhook(connection, webhook.id):
        return True
    log.info("webhook was applied before", webhook_id=webhook.id)
    return False
