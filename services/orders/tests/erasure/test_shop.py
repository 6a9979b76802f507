"""What the shop sends again, and what it asks for by its privacy webhooks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from pastelka_common.contracts.messages import now
from pastelka_orders.repository import shop_jobs
from pastelka_orders.settings import OrdersSettings
from pastelka_orders.shop_requests import FetchOrders
from pastelka_orders.shopify.client import AdminApi
from pastelka_orders.shopify.jobs import ShopJobs
from services.orders.tests.fake_shopify import Bucket, FakeShopify, shop_line, shop_order
from services.orders.tests.job_attempts import attempt_due

OLD = timedelta(days=31)


@pytest.fixture
def settings(settings: OrdersSettings) -> OrdersSettings:
    """Orders are kept for 30 days."""
    return settings.model_copy(update={"retention_days": 30})


@pytest_asyncio.fixture(loop_scope="session")
async def shopify() -> AsyncIterator[FakeShopify]:
    """The shop's Admin API."""
    async with FakeShopify(bucket=Bucket(size=10_000, rate=10_000)) as fake:
        yield fake


Fetch = Callable[..., Awaitable[None]]


@pytest.fixture
def fetch(house: Any, settings: OrdersSettings, shopify: FakeShopify) -> Fetch:
    """Fetch the shop's orders of the last year; it has ours, of this age."""

    async def run(*, kept: timedelta | None, age: timedelta = timedelta(days=3)) -> None:
        made = (now() - age).isoformat()
        order = shop_order(
            4711,
            [shop_line(7, photos=[house.photo])],
            id=f"gid://shopify/Order/{house.shop_id}",
            legacyResourceId=str(house.shop_id),
            email=house.email,
            createdAt=made,
            updatedAt=made,
        )
        shopify.add(order)
        values = {"shopify_store_url": shopify.url, "shopify_access_token": shopify.token}
        connected = OrdersSettings.model_validate(settings.model_dump() | values)
        async with AdminApi(connected) as shop:
            request = FetchOrders(since=now() - timedelta(days=365))
            await house.database.write(lambda c: shop_jobs.enqueue(c, request))
            await attempt_due(
                house.database, ShopJobs(house.database, shop, lambda: None, retention_period=kept)
            )

    return run


async def redact(house: Any, **changes: Any) -> None:
    """What Shopify sends ten days after a customer asked."""
    payload = {
        "shop_id": 954889,
        "shop_domain": "pastelka.myshopify.com",
        "customer": {"id": 191167, "email": house.email.upper(), "phone": "555-625-1199"},
        "orders_to_redact": [house.shop_id],
    }
    await house.hook(payload | changes, "customers/redact")


async def test_a_repeated_webhook_does_not_restore_an_erased_order(house: Any) -> None:
    await house.hook(house.shop_order(age=timedelta(days=29)))
    await house.sql.execute("UPDATE orders SET created_at = now() - interval '31 days'")
    await house.run_once()
    for topic in ("orders/create", "orders/updated"):
        await house.hook(house.shop_order(age=OLD), topic)
        await house.hook(house.shop_order(age=timedelta(days=2)), topic)  # remembered by the shop's id, too
    assert await house.numbers() == []
    await house.published()
    assert await house.traces() == []


async def test_a_webhook_does_not_add_an_order_past_its_retention(house: Any) -> None:
    await house.hook(house.shop_order(age=OLD))
    assert await house.numbers() == []
    await house.hook(house.shop_order(age=timedelta(days=29)))
    assert await house.numbers() == ["4711"]


async def test_a_fetch_does_not_add_an_order_past_its_retention(house: Any, fetch: Fetch) -> None:
    await fetch(kept=timedelta(days=30), age=OLD)
    assert await house.numbers() == []
    await fetch(kept=timedelta(days=30), age=timedelta(days=29))
    assert await house.numbers() == ["4711"]


async def test_a_redacted_order_is_restored_by_neither_webhook_nor_fetch(house: Any, fetch: Fetch) -> None:
    await house.order(age=timedelta(days=3))
    await redact(house)
    assert await house.run_once(None) == (1, 0)
    await house.hook(house.shop_order(), "orders/updated")
    await fetch(kept=None)
    assert await house.numbers() == []
    await house.published()
    assert await house.traces() == []


async def test_an_order_deleted_by_an_operator_is_restored_by_a_fetch_only(house: Any, fetch: Fetch) -> None:
    await house.order(age=timedelta(days=3))
    assert (await house.api.http.delete("/orders/4711")).status_code == 204
    await house.hook(house.shop_order(), "orders/updated")
    assert await house.numbers() == []
    await fetch(kept=None, age=timedelta(days=3))
    assert await house.numbers() == ["4711"]


async def test_a_deletion_is_recorded(house: Any) -> None:
    await house.order(age=timedelta(days=3))
    assert (await house.api.http.delete("/orders/4711")).status_code == 204
    await house.published()
    assert await house.run_once(None) == (1, 0)
    assert await house.traces() == []
    record = await house.record()
    assert (record["reason"], record["asked_by"]) == ("operator", "open")
    assert (record["files"], record["photos"], record["pages"]) == (7, 1, 2)
    assert record["erased_at"] is not None


async def test_the_shops_request_erases_the_customer_once(house: Any) -> None:
    """By the ids it names, and all orders of the e-mail in whatever case."""
    await house.order(age=timedelta(days=3))
    await house.order(number="4712", shopify_id=99, email=house.email.lower(), age=timedelta(days=3))
    await house.order(number="4713", shopify_id=199, email="someone.else@example.com", age=timedelta(days=3))
    await redact(house)
    await redact(house)
    assert await house.run_once(None) == (2, 0)
    await redact(house)
    assert await house.run_once(None) == (0, 0)
    assert await house.numbers() == ["4713"]
    for number in ("4711", "4712"):
        record = await house.record(number)
        assert (record["reason"], record["asked_by"]) == ("customer", "shopify")


async def test_an_order_received_after_its_redact_request_is_not_stored(house: Any) -> None:
    await redact(house, orders_to_redact=[house.shop_id], customer={"id": 1, "email": None})
    await house.hook(house.shop_order())
    assert await house.numbers() == []


async def test_a_new_order_of_an_erased_customer_is_stored(house: Any) -> None:
    await house.order(age=timedelta(days=3))
    await redact(house)
    await house.run_once(None)
    await house.hook(house.shop_order(number="4800", shopify_id=4242))
    assert await house.numbers() == ["4800"]


async def test_a_data_request_names_the_orders_and_changes_nothing(house: Any) -> None:
    await house.order(age=timedelta(days=3))
    payload = {
        "shop_domain": "pastelka.myshopify.com",
        "customer": {"email": house.email},
        "orders_requested": [house.shop_id],
        "data_request": {"id": 9999},
    }
    with capture_logs() as logs:
        await house.hook(payload, "customers/data_request")
    told = next(line for line in logs if "data_request" in line)
    assert (told["data_request"], told["orders"], told["log_level"]) == (9999, ["4711"], "warning")
    assert await house.numbers() == ["4711"]


async def test_removing_the_app_erases_nothing_and_logs_a_warning(house: Any) -> None:
    await house.order(age=timedelta(days=3))
    with capture_logs() as logs:
        await house.hook({"shop_id": 954889, "shop_domain": "pastelka.myshopify.com"}, "shop/redact")
    assert any(line["log_level"] == "warning" for line in logs)
    assert await house.numbers() == ["4711"]


@pytest.mark.parametrize("body", [{"orders_to_redact": ["x"]}, {"customer": 5}, []])
async def test_an_unreadable_redact_request_is_kept_and_logged_as_an_error(house: Any, body: Any) -> None:
    with capture_logs() as logs:
        await house.hook(body, "customers/redact")
    assert any(line["log_level"] == "error" for line in logs)
    assert await house.sql.fetchval("SELECT count(*) FROM unread_webhooks") == 1


async def test_the_readable_part_of_a_redact_request_is_applied(house: Any) -> None:
    await house.order(age=timedelta(days=3))
    await redact(house, orders_to_redact=["x", house.shop_id], customer={"email": 5})
    assert await house.run_once(None) == (1, 0)


async def test_logs_name_no_customer(house: Any, fetch: Fetch) -> None:
    with capture_logs() as logs:
        await house.order(age=timedelta(days=3))
        await fetch(kept=None, age=timedelta(days=3))
        await redact(house)
        await house.run_once(None)
        await house.hook(house.shop_order(), "orders/updated")
    assert logs
    assert not [line for line in logs if any(needle in str(line).lower() for needle in house.needles)]
