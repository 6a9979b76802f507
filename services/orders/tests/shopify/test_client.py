"""The Admin API asked within its limits, against a Shopify that runs here."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.testing.wire import WireFault
from pastelka_orders.settings import OrdersSettings
from pastelka_orders.shopify.client import ORDERS_PER_PAGE, AdminApi
from services.orders.tests.fake_shopify import Bucket, FakeShopify, shop_line, shop_order

SINCE = "2026-11-01T00:00:00Z"


def connected_to(fake: FakeShopify, **changed: Any) -> OrdersSettings:
    """Settings for this shop."""
    values = {
        "database_url": "postgresql+asyncpg://localhost/none",
        "shopify_store_url": fake.url,
        "shopify_access_token": fake.token,
    }
    return OrdersSettings.model_validate(values | changed)


@pytest_asyncio.fixture(loop_scope="session")
async def client(shopify: FakeShopify) -> AsyncIterator[AdminApi]:
    """Asks a shop that has plenty of points."""
    async with AdminApi(connected_to(shopify)) as found:
        yield found


async def all_names(client: AdminApi) -> list[str]:
    names: list[str] = []
    cursor: str | None = None
    while True:
        page = await client.orders(since=SINCE, after=cursor)
        names += [node["name"] for node in page.nodes]
        cursor = page.page_info.next_cursor
        if cursor is None:
            return names


async def test_the_shop_is_called_through_the_configured_proxy(
    shopify: FakeShopify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", shopify.url)
    shopify.add(shop_order(1271, [shop_line(8)]))
    async with AdminApi(connected_to(shopify, shopify_store_url="http://shop.invalid")) as through:
        assert (await through.order(5_000_001_271)).order_number == "1271"


async def test_an_order_is_read_with_every_stored_field(client: AdminApi, shopify: FakeShopify) -> None:
    attributes = [
        {"key": "Fotka 1", "value": "https://uploads.example.com/1.jpg"},
        {"key": "Věnování", "value": "Pro Aničku"},
        {"key": "Rozvržení", "value": None},
    ]
    line = shop_line(7, customAttributes=attributes, quantity=3, currentQuantity=2)
    shopify.add(shop_order(1270, [line], displayFinancialStatus="PARTIALLY_REFUNDED"))
    order = await client.order(5_000_001_270)
    assert (order.order_number, order.payment_status) == ("1270", "partially_refunded")
    assert (order.customer_name, order.customer_email) == ("Jana Nováková", "customer1270@example.com")
    assert order.shipping_method == "Zásilkovna"
    (item,) = order.items or ()
    assert (item.shopify_id, item.quantity, dict(item.photos)) == (
        7,
        2,
        {1: "https://uploads.example.com/1.jpg"},
    )
    assert (item.dedication, item.layout) == ("Pro Aničku", None)


async def test_all_pages_of_orders_and_line_items_are_read(client: AdminApi, shopify: FakeShopify) -> None:
    shopify.add(*(shop_order(number) for number in range(1000, 1060)))
    assert await all_names(client) == [f"#{number}" for number in range(1000, 1060)]
    assert shopify.operations == ["Orders"] * 3
    shopify.add(shop_order(2000, [shop_line(number) for number in range(1, 621)]))
    order = await client.order(5_000_002_000)
    assert [item.shopify_id for item in order.items or ()] == list(range(1, 621))
    assert shopify.operations[3:] == ["Order", "Lines", "Lines"]


async def test_only_orders_changed_since_the_date_are_read(client: AdminApi, shopify: FakeShopify) -> None:
    shopify.add(shop_order(1), shop_order(2, updatedAt="2026-10-31T23:59:59Z"))
    assert await all_names(client) == ["#1"]


async def test_an_order_without_customer_email_and_shipping_lines_is_read(
    client: AdminApi, shopify: FakeShopify
) -> None:
    shopify.add(shop_order(1, customer=None, email=None, shippingLines=[], displayFinancialStatus=None))
    order = await client.order(5_000_000_001)
    assert (order.customer_name, order.customer_email, order.shipping_method) == (None, None, "")
    assert order.payment_status is None


async def test_the_client_waits_before_it_would_exceed_the_rate_limit() -> None:
    # A page may cost some 500 points and costs some 150: after the first, each has to wait for the rest.
    async with FakeShopify(bucket=Bucket(size=600, rate=300)) as fake:
        fake.add(*(shop_order(number) for number in range(1, 4 * ORDERS_PER_PAGE)))
        async with AdminApi(connected_to(fake)) as client:
            assert len(await all_names(client)) == 4 * ORDERS_PER_PAGE - 1
        assert fake.operations == ["Orders"] * 4
        assert fake.throttled == 0


async def test_a_throttled_request_waits_until_the_rate_limit_allows_it() -> None:
    bucket = Bucket(size=1000, rate=500)
    async with FakeShopify(bucket=bucket) as fake:
        fake.add(shop_order(1))
        bucket.take(1000)  # another program was here
        async with AdminApi(connected_to(fake)) as client:
            assert (await client.order(5_000_000_001)).name == "#1"
        assert 1 <= fake.throttled <= 2
        assert len(fake.operations) == fake.throttled + 1


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (500, "shop_unavailable"),
        (502, "shop_unavailable"),
        (503, "shop_unavailable"),
        (429, "shop_unavailable"),
        ("drop", "shop_unavailable"),
        ("garbage", "shop_answer_unreadable"),
        ("internal", "shop_unavailable"),
    ],
)
async def test_temporary_failures_are_transient_errors(
    client: AdminApi, shopify: FakeShopify, failure: str | int, code: str
) -> None:
    shopify.add(shop_order(1))
    shopify.retry_after = "2.5" if failure == 503 else "7"
    shopify.fail(failure)
    with pytest.raises(TransientError) as found:
        await client.order(5_000_000_001)
    assert found.value.code == code
    assert found.value.retry_after == (7 if failure in {500, 502, 429} else None)
    assert (await client.order(5_000_000_001)).name == "#1"


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (401, "shop_access_refused"),
        (403, "shop_access_refused"),
        (404, "shop_not_found"),
        (302, "shop_not_found"),
        ("denied", "shop_access_refused"),
    ],
)
async def test_lasting_failures_are_permanent_errors(
    client: AdminApi, shopify: FakeShopify, failure: str | int, code: str
) -> None:
    shopify.fail(failure)
    with pytest.raises(PermanentError) as found:
        await client.orders(since=SINCE)
    assert found.value.code == code
    assert shopify.token not in str(found.value)


async def test_a_wrong_token_is_reported_without_its_value(shopify: FakeShopify) -> None:
    async with AdminApi(connected_to(shopify, shopify_access_token="shpat_wrong")) as client:
        with pytest.raises(PermanentError) as found:
            await client.order(1)
    assert found.value.code == "shop_access_refused"
    assert "shpat" not in str(found.value)


async def test_an_order_missing_in_the_shop_is_a_permanent_error(client: AdminApi) -> None:
    with pytest.raises(PermanentError) as found:
        await client.order(1)
    assert found.value.code == "shop_order_gone"


async def test_an_order_that_cannot_be_read_is_named(client: AdminApi, shopify: FakeShopify) -> None:
    shopify.add(shop_order(7, [shop_line(1, quantity=-1, currentQuantity=-1)]))
    with pytest.raises(PermanentError) as found:
        await client.order(5_000_000_007)
    assert found.value.code == "shop_answer_unreadable"
    assert "#7" in found.value.message
    assert "lineItems.nodes.0.quantity" in found.value.message


async def test_a_response_of_many_chunks_is_read_completely(client: AdminApi, shopify: FakeShopify) -> None:
    photos = [f"https://uploads.example.com/{number}/{'x' * 1000}.jpg" for number in range(300)]
    shopify.add(shop_order(1, [shop_line(7, photos)]))
    order = await client.order(5_000_000_001)
    assert list((order.items or ())[0].photos.values()) == photos


@pytest.mark.parametrize("fault", ["chunked", "length", "gzip", "long_headers", "slow"])
async def test_a_response_is_read_in_any_framing(
    client: AdminApi, shopify: FakeShopify, fault: WireFault
) -> None:
    shopify.add(shop_order(1))
    shopify.wire.misbehave(fault)
    assert (await client.order(5_000_000_001)).name == "#1"


@pytest.mark.parametrize("framing", ["chunked", "length", "gzip"])
async def test_a_truncated_response_is_a_transient_error(
    client: AdminApi, shopify: FakeShopify, framing: WireFault
) -> None:
    shopify.add(shop_order(1))
    shopify.wire.misbehave(frozenset[WireFault]({"truncated", framing}))
    with pytest.raises(TransientError, match="ended early") as found:
        await client.order(5_000_000_001)
    assert found.value.code == "shop_answer_truncated"
    assert (await client.order(5_000_000_001)).name == "#1"


async def test_an_oversized_response_is_a_permanent_error(
    client: AdminApi, shopify: FakeShopify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pastelka_orders.shopify.client._MAX_RESPONSE_BYTES", 1000)
    shopify.add(shop_order(1, [shop_line(7, ["https://uploads.example.com/" + "x" * 1000])]))
    with pytest.raises(PermanentError, match="more than 1,000 bytes") as found:
        await client.order(5_000_000_001)
    assert found.value.code == "shop_answer_too_large"


async def test_a_slow_response_times_out(shopify: FakeShopify) -> None:
    shopify.add(shop_order(1))
    shopify.wire.pause = 0.5
    shopify.wire.misbehave("slow")
    async with AdminApi(connected_to(shopify), timeout=0.2) as client:
        with pytest.raises(TransientError) as found:
            await client.order(5_000_000_001)
    assert found.value.code == "shop_unavailable"


async def test_names_of_attributes_may_be_of_any_length(client: AdminApi, shopify: FakeShopify) -> None:
    url = "https://uploads.example.com/1.jpg"
    attributes = [{"key": f"Fotka{' ' * 100_000}x", "value": url}, {"key": "Fotka 1", "value": url}]
    shopify.add(shop_order(1, [shop_line(7, customAttributes=attributes)]))
    order = await client.order(5_000_000_001)
    assert dict((order.items or ())[0].photos) == {1: url}


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([{"title": "PPL", "isRemoved": True}, {"title": "Zásilkovna"}], "Zásilkovna"),
        ([{"title": "PPL", "isRemoved": True}], ""),
        ([], ""),
    ],
)
async def test_a_removed_shipping_line_is_ignored(
    client: AdminApi, shopify: FakeShopify, lines: list[dict[str, Any]], shown: str
) -> None:
    shopify.add(shop_order(1, shippingLines=lines))
    assert (await client.order(5_000_000_001)).shipping_method == shown
