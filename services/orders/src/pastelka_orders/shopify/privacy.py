"""Shopify's mandatory privacy compliance webhooks.

https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance
"""

from collections.abc import Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.handlers.erasures import request_erasure
from pastelka_orders.repository import erasures, shop_orders, unread_webhooks
from pastelka_orders.repository.erasures import Target
from pastelka_orders.shopify.parsing import OptionalText, ParseResult, ShopId, ShopifyModel, document_of, read

ERASE = "customers/redact"
DATA_REQUEST = "customers/data_request"
SHOP_ERASE = "shop/redact"
TOPICS = frozenset({ERASE, DATA_REQUEST, SHOP_ERASE})
REQUESTED_BY = "shopify"

_OF_ORDERS = frozenset({"id", "admin_graphql_api_id", "line_items", "financial_status", "created_at"})
_FIELDS = {
    ERASE: frozenset({"shop_domain", "orders_to_redact"}),
    DATA_REQUEST: frozenset({"shop_domain", "orders_requested"}),
    SHOP_ERASE: frozenset({"shop_domain"}),
}
"""Required fields by topic."""
_FOREIGN = {
    ERASE: _OF_ORDERS | {"orders_requested", "data_request"},
    DATA_REQUEST: _OF_ORDERS | {"orders_to_redact"},
    SHOP_ERASE: _OF_ORDERS | {"customer", "orders_to_redact", "orders_requested", "data_request"},
}
"""Fields by topic that only other topics or orders have."""

log = structlog.get_logger(__name__)


class _Customer(ShopifyModel):
    id: ShopId | None = None
    email: OptionalText = None


class _DataRequest(ShopifyModel):
    id: ShopId | None = None


class PrivacyPayload(ShopifyModel):
    """Fields of the three topics; ``orders_*`` are ids of the shop's orders."""

    customer: _Customer | None = None
    orders_to_redact: tuple[ShopId, ...] | None = None
    orders_requested: tuple[ShopId, ...] | None = None
    data_request: _DataRequest | None = None

    @property
    def email(self) -> str | None:
        """E-mail of the customer."""
        return self.customer.email if self.customer is not None else None

    @property
    def shopify_ids(self) -> list[int]:
        """Distinct ids of the orders, in order."""
        return sorted({*(self.orders_to_redact or ()), *(self.orders_requested or ())})


def payload_of(topic: str, body: bytes, domain: str | None = None) -> ParseResult[PrivacyPayload]:
    """Parse the body and check by its fields that it has this topic, which is not signed.

    ``domain`` is the shop's domain, if known.
    """
    document = document_of(body)
    if document is None:
        return ParseResult(None, ("the body: is not a JSON object",))
    wrong = [f"{name}: is missing" for name in sorted(_FIELDS[topic] - set(document))]
    wrong += [f"{name}: does not belong here" for name in sorted(_FOREIGN[topic] & set(document))]
    said = str(document.get("shop_domain")).strip().lower()
    if domain is not None and said != domain:
        wrong.append("shop_domain: is not the connected shop's")
    return ParseResult(None, tuple(wrong)) if wrong else read(PrivacyPayload, document)


async def apply(connection: AsyncConnection, topic: str, payload: PrivacyPayload) -> None:
    """Erase the customer, or log what an operator has to do."""
    if topic == ERASE:
        await erase_customer(connection, payload.shopify_ids, payload.email)
    elif topic == DATA_REQUEST:
        await _log_data_request(connection, payload)
    else:
        log.warning("the shop has removed the app and asks to erase its data; nothing was erased")


async def erase_customer(connection: AsyncConnection, shopify_ids: Sequence[int], email: str | None) -> int:
    """Request the erasure of these orders and of all with this e-mail, permanently.

    Returns the number of newly requested erasures.
    """
    # Also orders that do not exist: the shop may send one late.
    await shop_orders.lock_ids(connection, shopify_ids)
    await erasures.suppress(connection, shopify_ids)
    await unread_webhooks.delete_unidentified(connection)
    found = await _orders(connection, shopify_ids, email)
    requested = [await request_erasure(connection, target, "customer", REQUESTED_BY) for target in found]
    log.info("customer erasure requested", orders=len(found), new=sum(requested))
    return sum(requested)


async def _log_data_request(connection: AsyncConnection, payload: PrivacyPayload) -> None:
    """Log the customer's orders, for the shop's operator, who must answer the request."""
    found = await _orders(connection, payload.shopify_ids, payload.email)
    log.warning(
        "a customer asks for their data; send it to them",
        data_request=payload.data_request.id if payload.data_request else None,
        orders=[target.order_number for target in found],
    )


async def _orders(connection: AsyncConnection, shopify_ids: Sequence[int], email: str | None) -> list[Target]:
    found = {target.order_id: target for target in await erasures.of_shop(connection, shopify_ids)}
    if email is not None:
        found |= {target.order_id: target for target in await erasures.of_customer(connection, email)}
    return [found[order_id] for order_id in sorted(found)]
