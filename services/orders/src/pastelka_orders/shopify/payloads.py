"""An order as a webhook brings it.

https://shopify.dev/docs/api/webhooks?reference=toml (``orders/create`` and its like) and
https://shopify.dev/docs/api/admin-rest/latest/resources/order
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema, field_validator

from pastelka_orders.domain import text
from pastelka_orders.shopify.attributes import AttributeNames
from pastelka_orders.shopify.fields import (
    MAX_ITEMS,
    VALUE_LENGTH,
    Moment,
    Quantity,
    Shape,
    ShopId,
    Words,
    full_name,
)
from pastelka_orders.shopify.orders import ShopItem, ShopOrder


class Property(Shape):
    """One attribute of a line item."""

    name: Words = None
    value: Annotated[str, WithJsonSchema({"description": "Nothing, if it is neither text nor number"})] = ""

    @field_validator("value", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        if isinstance(value, str):
            return text.lines(value[:VALUE_LENGTH])
        return str(value) if isinstance(value, int | float) else ""


class LineItem(Shape):
    """One line item. ``properties`` is ``None`` where the subscription leaves it out."""

    id: ShopId
    title: Words = None
    quantity: Quantity = 1
    current_quantity: Quantity | None = None
    properties: Annotated[tuple[Property, ...], Field(max_length=MAX_ITEMS)] | None = None


class Customer(Shape):
    """Who ordered."""

    email: Words = None
    first_name: Words = None
    last_name: Words = None


class ShippingLine(Shape):
    """How it is delivered."""

    title: Words = None


class OrderPayload(Shape):
    """One order. ``line_items`` is ``None`` where the subscription leaves it out."""

    id: ShopId
    name: Words = None
    email: Words = None
    contact_email: Words = None
    financial_status: Words = None
    created_at: Moment | None = None
    updated_at: Moment | None = None
    cancelled_at: Moment | None = None
    customer: Customer | None = None
    shipping_lines: tuple[ShippingLine, ...] | None = None
    line_items: Annotated[tuple[LineItem, ...], Field(max_length=MAX_ITEMS)] | None = None

    def order(self, names: AttributeNames) -> ShopOrder:
        """The order that is meant; its items only if all of them are there with their attributes."""
        customer = self.customer or Customer()
        return ShopOrder(
            shopify_id=self.id,
            name=self.name or "",
            items=_items(self.line_items, names),
            created_at=self.created_at,
            updated_at=self.updated_at,
            cancelled_at=self.cancelled_at,
            customer_name=full_name(customer.first_name, customer.last_name),
            customer_email=self.email or customer.email or self.contact_email,
            payment_status=self.financial_status.lower() if self.financial_status else None,
            shipping_method=next((line.title for line in self.shipping_lines or () if line.title), None),
        )


def _items(lines: Sequence[LineItem] | None, names: AttributeNames) -> tuple[ShopItem, ...] | None:
    if lines is None or any(line.properties is None for line in lines):
        return None
    return tuple(_item(line, names) for line in lines)


def _item(line: LineItem, names: AttributeNames) -> ShopItem:
    attributes = [(one.name, one.value) for one in line.properties or () if one.name]
    return ShopItem(
        shopify_id=line.id,
        title=line.title or "",
        quantity=line.quantity if line.current_quantity is None else line.current_quantity,
        photos=names.photos(attributes),
        dedication=names.dedication_of(attributes),
        layout=names.layout_of(attributes),
    )
