"""The part of Shopify's Admin GraphQL schema that the fake executes, and its pages and costs."""

import base64
from typing import Any

from graphql import GraphQLError, build_schema

SCHEMA = build_schema(
    """
    scalar DateTime
    scalar UnsignedInt64
    enum OrderSortKeys { CREATED_AT ID PROCESSED_AT UPDATED_AT }
    enum OrderDisplayFinancialStatus {
      AUTHORIZED EXPIRED PAID PARTIALLY_PAID PARTIALLY_REFUNDED PENDING REFUNDED VOIDED
    }
    type PageInfo { hasNextPage: Boolean! endCursor: String }
    type Attribute { key: String! value: String }
    type Customer { id: ID! firstName: String lastName: String }
    type ShippingLine { title: String! isRemoved: Boolean! }
    type ShippingLineConnection { nodes: [ShippingLine!]! pageInfo: PageInfo! }
    type LineItem {
      id: ID! title: String! quantity: Int! currentQuantity: Int! customAttributes: [Attribute!]!
    }
    type LineItemConnection { nodes: [LineItem!]! pageInfo: PageInfo! }
    type Order {
      id: ID! legacyResourceId: UnsignedInt64! name: String! email: String note: String
      createdAt: DateTime! updatedAt: DateTime! cancelledAt: DateTime
      displayFinancialStatus: OrderDisplayFinancialStatus
      customer: Customer
      shippingLines(first: Int, after: String, includeRemovals: Boolean = false): ShippingLineConnection!
      lineItems(first: Int, after: String): LineItemConnection!
    }
    type OrderConnection { nodes: [Order!]! pageInfo: PageInfo! }
    type QueryRoot {
      order(id: ID!): Order
      orders(
        first: Int, after: String, query: String, sortKey: OrderSortKeys = PROCESSED_AT,
        reverse: Boolean = false
      ): OrderConnection!
    }
    schema { query: QueryRoot }
    """
)
MOST_PER_PAGE = 250
MOST_PER_QUERY = 1000.0


def query_cost(variables: dict[str, Any]) -> float:
    """Cost of a query as Shopify counts it: 1 an object, 2 plus the size a list, nested lists multiplied."""
    lines = 2.0 + float(variables.get("lines", 0))
    return 2.0 + float(variables["first"]) * (3.0 + lines) if "first" in variables else 3.0 + lines


def object_count(value: Any) -> int:
    """Number of objects in a response."""
    if isinstance(value, list):
        return sum(object_count(one) for one in value)
    return 1 + sum(object_count(one) for one in value.values()) if isinstance(value, dict) else 0


def resolvable(order: dict[str, Any]) -> dict[str, Any]:
    """An order with resolvers for its connections."""

    def lines(_info: Any, first: int | None = None, after: str | None = None) -> dict[str, Any]:
        return page_of(order["lineItems"], first, after)

    def shipping_lines(_info: Any, first: int | None = None, **arguments: Any) -> dict[str, Any]:
        found = [{"id": one["title"], "isRemoved": False} | one for one in order["shippingLines"]]
        wanted = [one for one in found if arguments.get("includeRemovals") or not one["isRemoved"]]
        return page_of(wanted, first, arguments.get("after"))

    return {**order, "lineItems": lines, "shippingLines": shipping_lines}


def page_of(items: list[dict[str, Any]], first: int | None, after: str | None) -> dict[str, Any]:
    """A page of a connection; raises ``GraphQLError`` if ``first`` is not valid."""
    if first is None or not 0 < first <= MOST_PER_PAGE:
        raise GraphQLError(f"you must provide first, from 1 to {MOST_PER_PAGE}")
    ids = [_cursor(item) for item in items]
    start = ids.index(after) + 1 if after is not None else 0
    nodes = items[start : start + first]
    info = {"hasNextPage": start + first < len(items), "endCursor": _cursor(nodes[-1]) if nodes else None}
    return {"nodes": nodes, "pageInfo": info}


def _cursor(item: dict[str, Any]) -> str:
    return base64.b64encode(item["id"].encode()).decode()
