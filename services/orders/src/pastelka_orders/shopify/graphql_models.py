"""Queries of the Admin API, and models of its responses.

https://shopify.dev/docs/api/admin-graphql/latest/queries/orders and .../objects/Order
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import Field

from pastelka_orders.domain import text
from pastelka_orders.domain.shop_orders import ShopItem, ShopOrder, delivery_of
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

_LINES = """nodes { id title quantity currentQuantity customAttributes { key value } }
      pageInfo { hasNextPage endCursor }"""

_ORDER = f"""fragment Head on Order {{
    id legacyResourceId name email createdAt updatedAt cancelledAt displayFinancialStatus
    customer {{ firstName lastName }}
    shippingLines(first: 10, includeRemovals: true) {{ nodes {{ title isRemoved }} }}
    lineItems(first: $lines) {{
      {_LINES}
    }}
  }}"""

ORDERS = f"""query Orders($first: Int!, $after: String, $filter: String, $lines: Int!) {{
    orders(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) {{
      nodes {{ ...Head }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
  {_ORDER}"""

ORDER = f"""query Order($id: ID!, $lines: Int!) {{
    order(id: $id) {{ ...Head }}
  }}
  {_ORDER}"""

LINES = f"""query Lines($id: ID!, $lines: Int!, $after: String) {{
    order(id: $id) {{
      lineItems(first: $lines, after: $after) {{
      {_LINES}
      }}
    }}
  }}"""


N = TypeVar("N")

_ORDER_GID = r"^gid://shopify/Order/[0-9]{1,19}$"
_LINE_ITEM_GID = r"^gid://shopify/LineItem/[0-9]{1,19}(\?.*)?$"


class PageInfo(ShopifyModel):
    """Pagination of a list."""

    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: str | None = Field(default=None, alias="endCursor")

    @property
    def next_cursor(self) -> str | None:
        """Cursor of the next page; ``None`` on the last."""
        return self.end_cursor if self.has_next_page else None


class GraphQLConnection(ShopifyModel, Generic[N]):
    """One page of a list."""

    nodes: tuple[N, ...]
    page_info: PageInfo = Field(alias="pageInfo")


class Attribute(ShopifyModel):
    """One attribute of a line item."""

    key: OptionalText = None
    value: str | None = None


class LineItemNode(ShopifyModel):
    """One line item."""

    id: str = Field(pattern=_LINE_ITEM_GID)
    title: OptionalText = None
    quantity: Quantity
    current_quantity: Quantity | None = Field(default=None, alias="currentQuantity")
    custom_attributes: tuple[Attribute, ...] = Field(alias="customAttributes")

    def item(self, names: AttributeNames) -> ShopItem:
        """Convert to a ``ShopItem``."""
        attributes = [
            (one.key, text.lines((one.value or "")[:VALUE_LENGTH]))
            for one in self.custom_attributes
            if one.key
        ]
        quantity = self.quantity if self.current_quantity is None else self.current_quantity
        shopify_id = int(self.id.partition("?")[0].rpartition("/")[2])
        return names.item(shopify_id, self.title, quantity, attributes)


class CustomerNode(ShopifyModel):
    """The customer."""

    first_name: OptionalText = Field(default=None, alias="firstName")
    last_name: OptionalText = Field(default=None, alias="lastName")


class ShippingLineNode(ShopifyModel):
    """One shipping line, possibly removed."""

    title: OptionalText = None
    is_removed: bool = Field(default=False, alias="isRemoved")


class ShippingLines(ShopifyModel):
    """First page of shipping lines; an order has one, plus removed ones."""

    nodes: tuple[ShippingLineNode, ...] = ()


class OrderNode(ShopifyModel):
    """One order with the first page of its line items."""

    id: str = Field(pattern=_ORDER_GID)
    legacy_id: ShopId = Field(alias="legacyResourceId")
    name: OptionalText = None
    email: OptionalText = None
    created_at: Moment = Field(alias="createdAt")
    updated_at: Moment = Field(alias="updatedAt")
    cancelled_at: Moment | None = Field(default=None, alias="cancelledAt")
    payment: OptionalText = Field(default=None, alias="displayFinancialStatus")
    customer: CustomerNode | None = None
    shipping: ShippingLines = Field(alias="shippingLines")
    lines: GraphQLConnection[LineItemNode] = Field(alias="lineItems")

    def order(self, names: AttributeNames, lines: Sequence[LineItemNode]) -> ShopOrder:
        """Convert to a ``ShopOrder`` with all its ``lines``."""
        customer = self.customer or CustomerNode()
        return ShopOrder(
            shopify_id=self.legacy_id,
            name=self.name or "",
            items=tuple(line.item(names) for line in lines),
            created_at=self.created_at,
            updated_at=self.updated_at,
            cancelled_at=self.cancelled_at,
            has_cancellation="cancelled_at" in self.model_fields_set,
            customer_name=full_name(customer.first_name, customer.last_name),
            customer_email=self.email,
            payment_status=self.payment.lower() if self.payment else None,
            shipping_method=delivery_of((line.title, line.is_removed) for line in self.shipping.nodes),
        )
