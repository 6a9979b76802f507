"""A fake Shopify: its Admin GraphQL API, webhooks, and injected failures.

``python -m services.orders.tests.fake_shopify --port 9997`` or, in a test::

    async with FakeShopify() as shop:
        shop.add(shop_order(1270))
        shop.fail(503, "drop")          # the next two requests
        settings = {"shopify_store_url": shop.url, "shopify_access_token": shop.token}

Queries are executed by graphql-core against the part of Shopify's schema in ``shopify_schema``, so a field
that does not exist causes the same error as at Shopify. The rate limit's bucket refills in real time.

``POST /_control`` with ``{"orders": [...], "fail": [...]}`` does the same from another process
(``{"reset": true}`` forgets orders, failures and counts), ``GET /_stats`` answers
``{"requests": n, "throttled": n, "operations": [...]}``.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import re
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from aiohttp import web
from graphql import ExecutionResult, GraphQLError, execute, parse, validate

from pastelka_common.testing.wire import Wire
from services.orders.tests.shopify_schema import (
    MOST_PER_QUERY,
    SCHEMA,
    object_count,
    page_of,
    query_cost,
    resolvable,
)

Failure = str | int
"""An HTTP status, or ``drop`` (connection cut), ``garbage`` (200, no JSON), ``internal`` (200 with
``INTERNAL_SERVER_ERROR``), ``denied`` (200 with ``ACCESS_DENIED``)."""
_SINCE = re.compile(r"updated_at:>='?([^' ]+)'?")


def shop_order(number: int, lines: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    """An order in the API's shape: ``#<number>``, paid, changed at the ``number``-th second of a day."""
    moment = f"2026-11-20T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    order_id = 5_000_000_000 + number
    return {
        "id": f"gid://shopify/Order/{order_id}",
        "legacyResourceId": str(order_id),
        "name": f"#{number}",
        "email": f"customer{number}@example.com",
        "createdAt": moment,
        "updatedAt": moment,
        "cancelledAt": None,
        "displayFinancialStatus": "PAID",
        "customer": {"id": f"gid://shopify/Customer/{number}", "firstName": "Jana", "lastName": "Nováková"},
        "shippingLines": [{"title": "Zásilkovna"}],
        "lineItems": lines if lines is not None else [shop_line(order_id)],
        **fields,
    }


def shop_line(line_id: int, photos: list[str] | None = None, **fields: Any) -> dict[str, Any]:
    """A line item in the API's shape with these photos as ``Fotka 1``, ``Fotka 2``, ..."""
    attributes = [{"key": f"Fotka {place}", "value": url} for place, url in enumerate(photos or [], start=1)]
    return {
        "id": f"gid://shopify/LineItem/{line_id}",
        "title": "Omalovánky",
        "quantity": 1,
        "currentQuantity": 1,
        "customAttributes": attributes,
        **fields,
    }


def webhook_headers(
    body: bytes, *, secret: str, topic: str, domain: str | None = None, webhook_id: str | None = None
) -> dict[str, str]:
    """The headers that Shopify sends with a webhook of this body."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        "X-Shopify-Webhook-Id": webhook_id or str(uuid4()),
        "X-Shopify-Event-Id": str(uuid4()),
        "X-Shopify-API-Version": "2026-04",
        "X-Shopify-Triggered-At": "2026-11-20T10:00:00.000000000Z",
    }
    return headers | ({"X-Shopify-Shop-Domain": domain} if domain else {})


@dataclass
class Bucket:
    """The leaky bucket: ``size`` points, of which ``rate`` come back in a second."""

    size: float = 2000.0
    rate: float = 100.0
    _left: float | None = None
    _at: float = field(default_factory=time.monotonic)

    def take(self, cost: float) -> bool:
        """Take ``cost`` points if enough are left."""
        left = self.left()
        taken = left >= cost
        self._left = left - cost if taken else left
        return taken

    def give_back(self, points: float) -> None:
        """Return the points that a query did not use."""
        self._left = self.left() + points

    def left(self) -> float:
        """Points that are left."""
        now = time.monotonic()
        before = self.size if self._left is None else self._left
        self._left = min(self.size, before + (now - self._at) * self.rate)
        self._at = now
        return self._left


class FakeShopify:
    """The server. ``orders`` are in the API's shape, with all their line items as a list."""

    def __init__(
        self,
        *,
        token: str = "shpat_test",  # noqa: S107 (the fake's own)
        port: int = 0,
        bucket: Bucket | None = None,
        retry_after: str | None = None,
    ) -> None:
        self.token = token
        self.bucket = bucket or Bucket()
        self.retry_after = retry_after
        self.wire = Wire()
        self.orders: dict[str, dict[str, Any]] = {}
        self.operations: list[str] = []
        self.throttled = 0
        self._failures: deque[Failure] = deque()
        self._fails_from: tuple[int, Failure] | None = None
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Value of ``SHOPIFY_STORE_URL``."""
        return f"http://127.0.0.1:{self._port}"

    def add(self, *orders: dict[str, Any]) -> None:
        """Add orders; an order with the same id is replaced."""
        for order in orders:
            self.orders[order["id"]] = order

    def fail(self, *failures: Failure) -> None:
        """Let the next requests fail, one after another."""
        self._failures.extend(failures)

    def fail_from(self, request: int, failure: Failure) -> None:
        """Let every request fail from the ``request``-th on (from 1), until :meth:`recover`."""
        self._fails_from = (request, failure)

    def recover(self) -> None:
        """Let requests succeed again."""
        self._fails_from = None
        self._failures.clear()

    def stats(self) -> dict[str, Any]:
        """Response body of ``GET /_stats``."""
        return {
            "requests": len(self.operations),
            "throttled": self.throttled,
            "operations": self.operations[-1000:],
        }

    def app(self) -> web.Application:
        """The application: the API, ``/_control`` and ``/_stats``."""
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self.wire.middleware])
        app.router.add_post("/admin/api/{version}/graphql.json", self._graphql)
        app.router.add_post("/_control", self._control)
        app.router.add_get("/_stats", self._answer_stats)
        return app

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self.app(), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _graphql(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("X-Shopify-Access-Token") != self.token:
            text = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return web.json_response({"errors": text}, status=401)
        asked = await request.json()
        self.operations.append(str(asked.get("operationName")))
        if self._failures:
            return self._failed(self._failures.popleft(), request)
        if self._fails_from is not None and len(self.operations) >= self._fails_from[0]:
            return self._failed(self._fails_from[1], request)
        cost = query_cost(asked.get("variables") or {})
        if cost > MOST_PER_QUERY:
            message = f"Query cost is {cost:g}, which exceeds the single query max cost limit (1000)."
            return self._refused(message, "MAX_COST_EXCEEDED", cost)
        if not self.bucket.take(cost):
            self.throttled += 1
            return self._refused("Throttled", "THROTTLED", cost)
        answer = self._executed(asked)
        actual = min(cost, 1.0 + object_count(answer.get("data")))
        self.bucket.give_back(cost - actual)
        return web.json_response({**answer, "extensions": self._extensions(cost, actual)})

    def _executed(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            document = parse(asked["query"])
        except GraphQLError as error:
            return {"errors": [error.formatted]}
        wrong = validate(SCHEMA, document)
        if wrong:
            return {"errors": [error.formatted for error in wrong]}
        root = {"order": self._order, "orders": self._orders}
        result = execute(
            SCHEMA,
            document,
            root,
            variable_values=asked.get("variables"),
            operation_name=asked.get("operationName"),
        )
        if not isinstance(result, ExecutionResult):
            raise TypeError("the schema has no asynchronous resolver")
        return dict(result.formatted)

    def _order(self, _info: Any, id: str) -> dict[str, Any] | None:  # noqa: A002 - the schema's name
        found = self.orders.get(id)
        return resolvable(found) if found else None

    def _orders(self, _info: Any, **arguments: Any) -> dict[str, Any]:
        found = _SINCE.search(arguments.get("query") or "")
        since = _instant(found.group(1) if found else "2000-01-01T00:00:00Z")
        key = "updatedAt" if arguments.get("sortKey") == "UPDATED_AT" else "createdAt"
        wanted = [order for order in self.orders.values() if _instant(order["updatedAt"]) >= since]
        wanted.sort(key=lambda order: (_instant(order[key]), order["id"]))
        page = page_of(wanted, arguments.get("first"), arguments.get("after"))
        return {**page, "nodes": [resolvable(order) for order in page["nodes"]]}

    def _failed(self, failure: Failure, request: web.Request) -> web.StreamResponse:
        match failure:
            case "drop":
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            case "garbage":
                return web.Response(text="<html>a proxy's page</html>", content_type="text/html")
            case "internal":
                return self._refused(
                    "Internal error. Looks like something went wrong.", "INTERNAL_SERVER_ERROR", 1
                )
            case "denied":
                return self._refused("Access denied for orders field.", "ACCESS_DENIED", 1)
        headers = {"Retry-After": self.retry_after} if self.retry_after else {}
        return web.json_response({"errors": "injected"}, status=int(failure), headers=headers)

    def _refused(self, message: str, code: str, cost: float) -> web.Response:
        error = {"message": message, "extensions": {"code": code}}
        return web.json_response({"errors": [error], "extensions": self._extensions(cost, None)})

    def _extensions(self, requested: float, actual: float | None) -> dict[str, Any]:
        status = {
            "maximumAvailable": self.bucket.size,
            "currentlyAvailable": int(self.bucket.left()),
            "restoreRate": self.bucket.rate,
        }
        return {
            "cost": {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}
        }

    async def _control(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked.get("reset"):
            self.orders.clear()
            self._failures.clear()
            self.operations.clear()
            self.throttled = 0
        self.retry_after = asked.get("retry_after", self.retry_after)
        self.add(*asked.get("orders", []))
        self.fail(*asked.get("fail", []))
        return web.json_response({"orders": len(self.orders), "failures_left": len(self._failures)})

    async def _answer_stats(self, _request: web.Request) -> web.Response:
        return web.json_response(self.stats())


def _instant(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


async def serve(port: int, token: str) -> None:
    """Run until cancelled; the first line printed is JSON with the ``url``."""
    async with FakeShopify(port=port, token=token) as fake:
        print(json.dumps({"url": fake.url}), flush=True)  # noqa: T201 (a command line tool)
        await asyncio.Event().wait()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(description="A Shopify for tests, on this machine.")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--token", default="shpat_test")
    args = parser.parse_args()
    try:
        asyncio.run(serve(args.port, args.token))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
