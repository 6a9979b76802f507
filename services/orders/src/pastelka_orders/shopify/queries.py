"""What the Admin API is asked: https://shopify.dev/docs/api/admin-graphql/latest/queries/orders."""

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
