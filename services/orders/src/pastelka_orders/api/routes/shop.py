"""The shop: webhooks, and fetching orders."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response, status
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import now
from pastelka_orders.actors import acting_as
from pastelka_orders.api.authorization import OPERATOR, SIGNED, AuthorizedRoute
from pastelka_orders.api.deps import Deps, OrderNumber
from pastelka_orders.api.problems import declared
from pastelka_orders.errors import NotOfShopError, OrderNotFoundError, ShopNotConfiguredError
from pastelka_orders.repository import shop_jobs, shop_orders
from pastelka_orders.schemas import FetchFromShopRequest, QueuedResponse
from pastelka_orders.shop_requests import FetchOrders, SyncOrder
from pastelka_orders.shopify import privacy, webhook
from pastelka_orders.shopify.attributes import AttributeNames

router = APIRouter(tags=["shop"], route_class=AuthorizedRoute)

_DEFAULT_DAYS = 30
_HEADERS = {
    "X-Shopify-Topic": "The topic, such as `orders/create`; unknown topics are acknowledged and ignored",
    "X-Shopify-Hmac-Sha256": "HMAC-SHA256 of the body with the shop's secret, in base64",
}
_PAYLOAD: dict[str, Any] = {
    "parameters": [
        {"in": "header", "name": name, "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in _HEADERS.items()
    ],
    "requestBody": {
        "description": "Shopify's webhook payload, signed",
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ShopifyOrder"}}},
    },
}


@router.post(
    "/webhooks/shopify",
    dependencies=[SIGNED],
    responses={200: {"description": "Applied or ignored"}, **declared(401, 403, 503)},
    response_class=Response,
    openapi_extra=_PAYLOAD,
)
async def shopify_webhook(request: Request, services: Deps) -> Response:
    """Import an order of the shop: topics `orders/create`, `orders/updated`, `orders/cancelled`.

    Every signed webhook is accepted: valid fields are applied, the others are listed in the order's
    `unread_fields`.

    `customers/redact` erases a customer; `customers/data_request` and `shop/redact` are logged.
    """
    received = webhook.verified(request.headers, await request.body(), services.settings)
    if received.is_about_an_order:
        can_fetch, retention_period = services.settings.shop_configured, services.settings.retention_period
        names = AttributeNames.of(services.settings)
        order = await asyncio.to_thread(webhook.order_of, received, names, can_fetch=can_fetch)
        retention_start = now() - retention_period if retention_period is not None else None
        with acting_as("shop", received.topic):
            await services.write(
                lambda c: webhook.apply(
                    c, received, order, can_fetch=can_fetch, retention_start=retention_start
                )
            )
    elif received.is_about_privacy:
        domain = services.settings.shop_domain
        payload = await asyncio.to_thread(privacy.payload_of, received.topic, received.body, domain)
        await services.write(lambda c: webhook.apply_privacy(c, received, payload))
    return Response(status_code=status.HTTP_200_OK)


@router.post(
    "/orders/fetch-from-shopify",
    dependencies=[OPERATOR],
    status_code=status.HTTP_202_ACCEPTED,
    responses=declared(409, 422, 503),
)
async def fetch_from_shopify(services: Deps, wanted: FetchFromShopRequest | None = None) -> QueuedResponse:
    """Fetch orders from the shop: those created since then, and changes since then of existing ones."""
    if not services.settings.shop_configured:
        raise ShopNotConfiguredError
    since = _moment(wanted.since if wanted else None, services.settings.timezone)
    await services.write(lambda c: shop_jobs.enqueue(c, FetchOrders(since=since)))
    day = since.astimezone(ZoneInfo(services.settings.timezone)).date()
    return QueuedResponse(message=f"Orders since {day.isoformat()} are being fetched.")


@router.post(
    "/orders/{order_number}/sync",
    dependencies=[OPERATOR],
    status_code=status.HTTP_202_ACCEPTED,
    responses=declared(404, 409, 422, 503),
)
async def sync_order(services: Deps, order_number: OrderNumber) -> QueuedResponse:
    """Fetch one order from the shop again; missing photos are downloaded again."""

    async def work(connection: AsyncConnection) -> None:
        found = await shop_orders.reference(connection, order_number)
        if found is None:
            raise OrderNotFoundError(order_number)
        if found.shopify_id is None:
            raise NotOfShopError(order_number)
        if not services.settings.shop_configured:
            raise ShopNotConfiguredError
        await shop_jobs.enqueue(
            connection, SyncOrder(shopify_id=found.shopify_id, order_number=order_number, photos=True)
        )

    await services.write(work)
    return QueuedResponse(message=f"Order {order_number} is being fetched from the shop.")


def _moment(since: date | datetime | None, timezone: str) -> datetime:
    """The time in UTC; a day begins in the studio's time zone."""
    if since is None:
        return (now() - timedelta(days=_DEFAULT_DAYS)).replace(microsecond=0)
    if isinstance(since, datetime):
        return since.astimezone(UTC)
    return datetime.combine(since, time(), ZoneInfo(timezone)).astimezone(UTC)
