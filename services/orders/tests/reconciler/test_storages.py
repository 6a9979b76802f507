"""Files that nobody erases, in a folder and in a bucket."""

from typing import Any

import pytest

from pastelka_common.testing.places import Place
from pastelka_orders.settings import OrdersSettings


@pytest.fixture
def settings(settings: OrdersSettings, place: Place) -> OrdersSettings:
    return settings.model_copy(update=place.settings)


async def test_a_file_that_came_after_the_erasure_is_erased_too(api: Any, broken: Any) -> None:
    order = await api.order()
    await broken.published()
    await api.http.delete("/orders/M1000")
    await broken.published()
    await broken.lose_jobs()
    assert await broken.run_once() == []
    await broken.storage.write(f"{order['id']}/1/coloring/v1/image_1.png", b"of a frozen worker")
    assert await broken.run_once() == [("erase", "files_left")]


async def test_nothing_is_made_of_a_storage_that_is_away(api: Any, broken: Any, place: Place) -> None:
    order = await api.order()
    await broken.published()
    await api.http.delete("/orders/M1000")
    await broken.published()
    await broken.lose_jobs()
    await broken.storage.write(f"{order['id']}/1/image_1.jpg", b"late")
    await place.leave()
    assert await broken.run_once() == []
    await place.come_back()
    assert await broken.run_once() == [("erase", "files_left")]
