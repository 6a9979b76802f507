"""What is erased is gone from a folder and from a bucket; from one that is away, as soon as it is back."""

from datetime import timedelta
from typing import Any

import pytest

from pastelka_common.testing.places import Place
from pastelka_orders.settings import OrdersSettings

OLD = timedelta(days=31)


@pytest.fixture
def settings(settings: OrdersSettings, place: Place) -> OrdersSettings:
    return settings.model_copy(update=place.settings)


async def test_every_file_of_an_old_order_is_erased_and_no_other(house: Any) -> None:
    order_id = await house.order(age=OLD)
    other = await house.order(number="4712", shopify_id=99, age=timedelta(days=3))
    assert len([path async for path in house.storage.files(str(order_id))]) == 7
    assert await house.run_once() == (1, 0)
    assert not await house.storage.prefix_exists(str(order_id))
    assert len([path async for path in house.storage.files(str(other))]) == 7
    record = await house.record()
    assert (record["files"], record["bytes"]) == (7, 3 * 1000 + 3 * 10 + 2)
    assert record["erased_at"] is not None


async def test_no_row_is_erased_while_the_storage_is_unavailable(house: Any, place: Place) -> None:
    order_id = await house.order(age=OLD)
    await place.leave()
    assert await house.run_once() == (0, 1)
    assert await house.numbers() == ["4711"]
    await place.come_back()
    assert len([path async for path in house.storage.files(str(order_id))]) == 7
    assert await house.run_once() == (1, 0)
    assert await house.numbers() == []
    assert not await house.storage.prefix_exists(str(order_id))
