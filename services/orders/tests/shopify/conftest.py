"""A shop with its webhooks, and the API that hears them."""

import json
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from pastelka_orders.settings import OrdersSettings
from services.orders.tests.fake_shopify import Bucket, FakeShopify, webhook_headers

FOLDER = Path(__file__).parent / "payloads"
SECRET = "a-webhook-secret"
HANDLE = "fotomalovanky-test"


@pytest_asyncio.fixture(loop_scope="session")
async def shopify() -> AsyncIterator[FakeShopify]:
    """The shop's Admin API, which has plenty of points."""
    async with FakeShopify(bucket=Bucket(size=10_000, rate=10_000)) as fake:
        yield fake


@pytest.fixture
def settings(settings: OrdersSettings, shopify: FakeShopify) -> OrdersSettings:
    """The API's settings, with the shop connected."""
    values = settings.model_dump() | {
        "shopify_store_url": shopify.url,
        "shopify_store_handle": HANDLE,
        "shopify_access_token": shopify.token,
        "shopify_webhook_secret": SECRET,
    }
    return OrdersSettings.model_validate(values)


def recorded(name: str) -> dict[str, Any]:
    """A payload in the shape that Shopify documents, with the attributes of this shop's form."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def payload() -> Callable[..., dict[str, Any]]:
    """``payload(name, **changed)``: a recorded payload of one's own."""

    def one(which: str = "create", /, **changed: Any) -> dict[str, Any]:
        return deepcopy(recorded(which)) | changed

    return one


@dataclass(frozen=True)
class Shop:
    """The shop as a sender of webhooks."""

    http: httpx.AsyncClient

    async def send(
        self,
        payload: Any,
        topic: str = "orders/create",
        *,
        status: int = 200,
        secret: str = SECRET,
        domain: str = f"{HANDLE}.myshopify.com",
        webhook_id: str | None = None,
        **headers: str | None,
    ) -> httpx.Response:
        """POST a signed webhook; ``headers`` replace or (``None``) leave out what is sent with it."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        sent: dict[str, str | None] = {
            **webhook_headers(body, secret=secret, topic=topic, domain=domain, webhook_id=webhook_id),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        given = {name: value for name, value in sent.items() if value is not None}
        response = await self.http.post("/webhooks/shopify", content=body, headers=given)
        assert response.status_code == status, response.text
        if status >= 400:
            assert response.headers["content-type"] == "application/problem+json"
        return response


@pytest.fixture
def shop(api: Any) -> Shop:
    """Sends webhooks to the API."""
    return Shop(api.http)
