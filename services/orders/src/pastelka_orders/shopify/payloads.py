"""Payload of an order's webhook.

https://shopify.dev/docs/api/webhooks?reference=toml (``orders/create`` and its like) and
https://shopify.dev/docs/api/admin-rest/latest/resources/order
"""

import re
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema, field_validator

from pastelka_orders.domain import text
from pastelka_orders.domain.shop_orders import (
    MAX_ITEMS,
    ShopItem,
    ShopOrder,
    delivery_of,
    without_photos_beyond,
)
from pastelka_orders.shopify.attributes import AttributeNames
from pastelka_orders.shopify.parsing import (
    VALUE_LENGTH,
    Moment,
    OptionalText,
    Quantity,
    ShopId,
    ShopifyModel,
    full_name,
)

_ORDER_GID = re.compile(r"gid://shopify/Order/([0-9]{1,19})")
_MISSING = "{}: is missing; with SHOPIFY_ACCESS_TOKEN it is fetched from the shop"


class PropertyPayload(ShopifyModel):
    """One attribute of a line item."""

    name: OptionalText = None
    value: Annotated[str, WithJsonSchema({"description": "Text, a number or nothing"})] = ""

    @field_validator("value", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError("must be text or a number")  # noqa: TRY004 - what pydantic collects
        return text.lines(str(value)[:VALUE_LENGTH])


class LineItemPayload(ShopifyModel):
    """One line item. ``properties`` is ``None`` if the subscription omits it."""

    id: ShopId
    title: OptionalText = None
    quantity: Quantity = 1
    current_quantity: Quantity | None = None
    properties: Annotated[tuple[PropertyPayload, ...], Field(max_length=MAX_ITEMS)] | None = None


class CustomerPayload(ShopifyModel):
    """The customer."""

    email: OptionalText = None
    first_name: OptionalText = None
    last_name: OptionalText = None


class ShippingLinePayload(ShopifyModel):
    """One shipping line, possibly removed."""

    title: OptionalText = None
    is_removed: bool | None = None


class OrderPayload(ShopifyModel):
    """One order. ``line_items`` is ``None`` if the subscription omits it."""

    id: ShopId
    name: OptionalText = None
    email: OptionalText = None
    contact_email: OptionalText = None
    financial_status: OptionalText = None
    created_at: Moment | None = None
    updated_at: Moment | None = None
    cancelled_at: Moment | None = None
    customer: CustomerPayload | None = None
    shipping_lines: tuple[ShippingLinePayload, ...] | None = None
    line_items: Annotated[tuple[LineItemPayload, ...], Field(max_length=MAX_ITEMS)] | None = None

    def missing_fields(self) -> list[str]:
        """Fields of items that the webhook lacks; the Admin API has them."""
        if self.line_items is None:
            return [_MISSING.format("line_items")]
        lacking = (n for n, line in enumerate(self.line_items) if line.properties is None)
        return [_MISSING.format(f"line_items.{number}.properties") for number in lacking]

    def order(
        self, names: AttributeNames, *, is_whole: bool = True, max_photos: int | None = None
    ) -> ShopOrder:
        """Convert to a ``ShopOrder``; items are complete only if ``is_whole`` and none lacks attributes.

        Photos beyond ``max_photos`` are ignored. Raises ``OrderTooLargeError``.
        """
        customer = self.customer or CustomerPayload()
        lines = self.line_items or ()
        items = tuple(_item(line, names) for line in {line.id: line for line in lines}.values())
        if max_photos is not None:
            items = without_photos_beyond(items, max_photos)
        is_whole &= self.line_items is not None and all(one.properties is not None for one in lines)
        return ShopOrder(
            shopify_id=self.id,
            name=self.name or "",
            items=items if is_whole else None,
            readable_items=items,
            created_at=self.created_at,
            updated_at=self.updated_at,
            cancelled_at=self.cancelled_at,
            has_cancellation="cancelled_at" in self.model_fields_set,
            customer_name=full_name(customer.first_name, customer.last_name),
            customer_email=self.email or customer.email or self.contact_email,
            payment_status=self.financial_status.lower() if self.financial_status else None,
            shipping_method=None
            if self.shipping_lines is None
            else delivery_of((line.title, bool(line.is_removed)) for line in self.shipping_lines),
        )


def _item(line: LineItemPayload, names: AttributeNames) -> ShopItem:
    attributes = [(one.name, one.value) for one in line.properties or () if one.name]
    quantity = line.quantity if line.current_quantity is None else line.current_quantity
    return names.item(line.id, line.title, quantity, attributes)


def normalise(document: dict[str, Any]) -> None:
    """Normalise undocumented variants of an order.

    Some apps write attributes as an object; the order's id may only be in its global id.
    """
    found = _ORDER_GID.fullmatch(str(document.get("admin_graphql_api_id"))[:100])
    if found is not None and not str(document.get("id")).isdecimal():
        document["id"] = int(found[1])
    lines = document.get("line_items")
    for line in lines if isinstance(lines, list) else ():
        if isinstance(line, dict) and isinstance(properties := line.get("properties"), dict):
            line["properties"] = [{"name": name, "value": value} for name, value in properties.items()]
