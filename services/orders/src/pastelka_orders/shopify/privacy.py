"""The webhooks that Shopify asks of every app for its customers' privacy.

https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance
"""

from collections.abc import Sequence

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.errors import WebhookUnreadableError
from pastelka_orders.handlers.erasures import ask
from pastelka_orders.repository import erasures, shop_orders
from pastelka_orders.repository.erasures import Target
from pastelka_orders.shopify.fields import Shape, ShopId, Words

ERASE = "customers/redact"
DATA_REQUEST = "customers/data_request"
SHOP_ERASE = "shop/redact"
TOPICS = frozenset({ERASE, DATA_REQUEST, SHOP_ERASE})
ASKED_BY = "shopify"

log = structlog.get_logger(__name__)


class _Customer(Shape):
    id: ShopId | None = None
    email: Words = None


class _Request(Shape):
    id: ShopId | None = None


class PrivacyPayload(Shape):
    """What the three topics have; ``orders_*`` are ids of the shop's orders."""

    customer: _Customer | None = None
    orders_to_redact: tuple[ShopId, ...] | None = None
    orders_requested: tuple[ShopId, ...] | None = None
    data_request: _Request | None = None

    @property
    def email(self) -> str | None:
        """The customer's."""
        return self.customer.email if self.customer is not None else None

    @property
    def shopify_ids(self) -> list[int]:
        """The orders it names, each once, in order."""
        return sorted({*(self.orders_to_redact or ()), *(self.orders_requested or ())})


def payload_of(body: bytes) -> PrivacyPayload:
    """What the webhook says. Raises ``WebhookUnreadableError`` that says which field is wrong."""
    try:
        return PrivacyPayload.model_validate_json(body)
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, one['loc'])) or 'the body'}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)
        ]
        raise WebhookUnreadableError(f"This is no privacy request: {'; '.join(wrong[:5])}.") from None


async def apply(connection: AsyncConnection, topic: str, payload: PrivacyPayload) -> None:
    """Erase the customer, or note what a person has to see to."""
    if topic == ERASE:
        await erase_customer(connection, payload.shopify_ids, payload.email)
    elif topic == DATA_REQUEST:
        await _note_data_request(connection, payload)
    else:
        log.warning("the shop has removed the app and asks to erase its data; nothing was erased")


async def erase_customer(connection: AsyncConnection, shopify_ids: Sequence[int], email: str | None) -> int:
    """Ask for the erasure of these orders and of all with this e-mail; none of them comes back.

    Returns how many are here and were not being erased already.
    """
    # Also those that are not here: the shop may send one late.
    await shop_orders.hold(connection, shopify_ids)
    await erasures.never_again(connection, shopify_ids)
    found = await _orders(connection, shopify_ids, email)
    asked = [await ask(connection, target, "customer", ASKED_BY) for target in found]
    log.info("the shop asks to erase a customer", orders=len(found), new=sum(asked))
    return sum(asked)


async def _note_data_request(connection: AsyncConnection, payload: PrivacyPayload) -> None:
    """Shopify asks the shop's people to answer their customer; what is here is named for them."""
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
