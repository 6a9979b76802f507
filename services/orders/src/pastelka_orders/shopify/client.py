"""Client of the shop's Admin GraphQL API, with rate limiting and pagination."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import aiohttp
import structlog
from pydantic import ValidationError

from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.http_client import instrumented_request
from pastelka_common.response_body import MAX_HEADER_BYTES, ResponseBodyError, read_body
from pastelka_orders.domain.shop_orders import MAX_ITEMS, OrderTooLargeError, ShopOrder
from pastelka_orders.photos.http_responses import retry_after
from pastelka_orders.shopify import graphql_models
from pastelka_orders.shopify.api_errors import GraphQLErrors, body_error, malformed, require_ok
from pastelka_orders.shopify.attributes import AttributeNames
from pastelka_orders.shopify.graphql_models import GraphQLConnection, LineItemNode, OrderNode, PageInfo
from pastelka_orders.shopify.parsing import ShopifyModel
from pastelka_orders.shopify.settings import ShopifySettings

ORDERS_PER_PAGE = 25
LINES_PER_ORDER = 15
"""Per order of a page, which then costs about 500 points; one query may cost 1,000."""
LINES_PER_PAGE = 250
_MAX_TRIES = 20
_MAX_WAIT = 60.0
_MAX_RESPONSE_BYTES = 32 * 1024 * 1024
log = structlog.get_logger(__name__)


class ThrottleStatus(ShopifyModel):
    """State of the rate limit's bucket in cost points; ``restoreRate`` is points per second."""

    maximumAvailable: float  # noqa: N815 - the API's name
    currentlyAvailable: float  # noqa: N815
    restoreRate: float  # noqa: N815


class Cost(ShopifyModel):
    """Cost of one query, and the bucket after it."""

    requestedQueryCost: float  # noqa: N815
    throttleStatus: ThrottleStatus  # noqa: N815


class Throttle:
    """Estimate of the bucket's level, which other clients also use."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._cost: Cost | None = None
        self._at = 0.0
        self._costs: dict[str, float] = {}

    def record(self, query: str, cost: Cost) -> None:
        """Record the cost that a response to ``query`` reported."""
        self._cost = cost
        self._at = self._clock()
        self._costs[query] = cost.requestedQueryCost

    def seconds(self, query: str) -> float:
        """Seconds to wait before sending ``query``; 0 while its cost is unknown."""
        if self._cost is None or query not in self._costs:
            return 0.0
        status = self._cost.throttleStatus
        rate = max(status.restoreRate, 0.1)
        available = status.currentlyAvailable + (self._clock() - self._at) * rate
        # The bucket cannot exceed its size: a more expensive query is rejected by the API, not delayed.
        needed = min(self._costs[query], status.maximumAvailable)
        return max(0.0, (needed - available) / rate)


class OrdersPage(ShopifyModel):
    """One page of unparsed orders, so that a malformed one does not affect the others."""

    nodes: tuple[dict[str, Any], ...]
    page_info: PageInfo


class AdminApi:
    """Client with pooled connections; an async context manager, which owns them.

    Raises ``TransientError`` (network, timeouts, 429, 5xx, rate limit) and ``PermanentError`` (access denied,
    invalid query). ``timeout`` in seconds is for one request.
    """

    def __init__(self, settings: ShopifySettings, *, timeout: float = 30.0) -> None:
        base = settings.shopify_store_url or ""
        self._url = f"{base}/admin/api/{settings.shopify_api_version}/graphql.json"
        token = settings.shopify_access_token
        self._headers = {
            "X-Shopify-Access-Token": token.get_secret_value() if token else "",
            "Accept": "application/json",
        }
        self._names = AttributeNames.of(settings)
        self._timeout = timeout
        self._throttle = Throttle()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            trust_env=True,  # HTTPS_PROXY
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def orders(self, *, since: str, after: str | None = None) -> OrdersPage:
        """One page of the orders that changed ``since`` (RFC 3339), least recently updated first."""
        variables = {
            "first": ORDERS_PER_PAGE,
            "after": after,
            "filter": f"updated_at:>='{since}'",
            "lines": LINES_PER_ORDER,
        }
        data = await self._query("Orders", graphql_models.ORDERS, variables)
        try:
            found = GraphQLConnection[dict[str, Any]].model_validate(data.get("orders"))
        except ValidationError as error:
            raise malformed("The page of orders", error) from error
        return OrdersPage(nodes=found.nodes, page_info=found.page_info)

    async def order(self, shopify_id: int) -> ShopOrder:
        """One order with all its line items."""
        gid = f"gid://shopify/Order/{shopify_id}"
        data = await self._query("Order", graphql_models.ORDER, {"id": gid, "lines": LINES_PER_PAGE})
        node = data.get("order")
        if node is None:
            raise PermanentError("shop_order_gone", f"The shop no longer has order {shopify_id}.")
        return await self.complete(node)

    async def complete(self, node: dict[str, Any]) -> ShopOrder:
        """The order of a page's node, with the remaining pages of its line items."""
        try:
            found = await asyncio.to_thread(OrderNode.model_validate, node)
        except ValidationError as error:
            raise malformed(f"Order {node.get('name') or node.get('id')}", error) from error
        lines, cursor = list(found.lines.nodes), found.lines.page_info.next_cursor
        while cursor is not None and len(lines) <= MAX_ITEMS:
            page = await self._lines(found.id, cursor)
            lines += page.nodes
            cursor = page.page_info.next_cursor
        try:
            return await asyncio.to_thread(found.order, self._names, lines)
        except OrderTooLargeError as error:
            raise PermanentError("shop_order_too_large", str(error)) from None

    async def _lines(self, gid: str, after: str) -> GraphQLConnection[LineItemNode]:
        variables = {"id": gid, "lines": LINES_PER_PAGE, "after": after}
        data = await self._query("Lines", graphql_models.LINES, variables)
        try:
            return GraphQLConnection[LineItemNode].model_validate((data.get("order") or {}).get("lineItems"))
        except ValidationError as error:
            raise malformed(f"A page of line items of {gid}", error) from error

    async def _query(self, name: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Send a query once the rate limit allows it; returns ``data`` of the response."""
        for _ in range(_MAX_TRIES):
            await self._wait_for_budget(name)
            response = await self._post({"query": query, "operationName": name, "variables": variables})
            self._record_cost(name, response)
            refused = GraphQLErrors.of(response)
            if not refused.is_throttled:
                return refused.require_data()
            log.info("shopify request throttled", query=name)
        raise TransientError("shop_throttled", "Shopify's rate limit is exhausted; retrying later.")

    async def _wait_for_budget(self, name: str) -> None:
        seconds = self._throttle.seconds(name)
        if seconds > _MAX_WAIT:
            message = "Shopify's rate limit is exhausted; retrying later."
            raise TransientError("shop_throttled", message, retry_after=seconds)
        if seconds > 0:
            await asyncio.sleep(seconds)

    def _record_cost(self, name: str, response: dict[str, Any]) -> None:
        try:
            self._throttle.record(name, Cost.model_validate((response.get("extensions") or {}).get("cost")))
        except ValidationError:
            log.debug("shopify query cost missing", query=name)

    async def _post(self, document: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(_document, await self._send(document))

    async def _send(self, document: dict[str, Any]) -> bytes:
        try:
            with instrumented_request("POST", self._url, "graphql") as call:
                async with self._session.post(self._url, json=document, allow_redirects=False) as response:
                    call.status = response.status
                    wait = retry_after(response.headers.get("Retry-After"))
                    require_ok(response.status, wait)
                    return await read_body(
                        response.content.iter_any(), max_bytes=_MAX_RESPONSE_BYTES, timeout=self._timeout
                    )
        except ResponseBodyError as error:
            raise body_error(error) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = type(error).__name__
            raise TransientError("shop_unavailable", f"The shop did not respond ({reason}).") from error


def _document(body: bytes) -> dict[str, Any]:
    try:
        return _Document.model_validate_json(b'{"response":' + body + b"}").response
    except ValidationError as error:
        message = "The shop's response is not a JSON document."
        raise TransientError("shop_answer_unreadable", message) from error


class _Document(ShopifyModel):
    response: dict[str, Any]
