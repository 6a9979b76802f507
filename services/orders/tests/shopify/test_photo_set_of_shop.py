"""Photos of a shop's order that an operator changed, and what the shop says then."""

from typing import Any

import asyncpg
import pytest

from services.orders.tests.api_client import jpeg

ORDER = "/orders/1270"


@pytest.fixture
def photos_of(payload: Any) -> Any:
    """The shop's order with these photos of its first line item."""

    def sent(hour: int, *urls: str, **changed: Any) -> Any:
        order = payload(updated_at=f"2026-11-20T{hour}:00:00Z", **changed)
        order["line_items"] = order["line_items"][:1]
        order["line_items"][0]["properties"] = [
            {"name": f"Fotka {n}", "value": url} for n, url in enumerate(urls, start=1) if url
        ]
        return order

    return sent


def url(name: str) -> str:
    return f"https://uploads.example.com/{name}.jpg"


async def state(sql: asyncpg.Connection) -> list[tuple[int, int, str | None]]:
    rows = await sql.fetch("SELECT id, position, original_url FROM images ORDER BY position")
    return [(row[0], row[1], row[2]) for row in rows]


async def put(api: Any, image_id: int) -> None:
    response = await api.http.put(f"/images/{image_id}/photo", content=jpeg(image_id))
    assert response.status_code == 200, response.text


async def test_an_operators_photo_stays_and_a_later_one_of_the_customer_is_shown(
    shop: Any, api: Any, photos_of: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(photos_of(10, url("a"), url("b")))
    await put(api, 1)
    await put(api, 1)
    await shop.send(photos_of(11, url("a"), url("b")), "orders/updated")
    order = await api.get(ORDER)
    assert "attention" not in order
    before = order["line_items"][0]["images"][0]["url"]
    await shop.send(photos_of(12, url("other"), url("b")), "orders/updated")
    order = await api.get(ORDER)
    assert order["attention"] == ["shop_changed"]
    assert order["line_items"][0]["images"][0]["url"] == before
    response = await api.http.patch(ORDER, json={"is_attention_seen": True})
    assert "attention" not in response.json()
    await shop.send(photos_of(13, url("other"), url("b")), "orders/updated")
    assert "attention" not in await api.get(ORDER)


async def test_a_deleted_photo_does_not_come_back(
    shop: Any, api: Any, photos_of: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(photos_of(10, url("a"), url("b")))
    assert (await api.http.delete("/images/1/photo")).status_code == 204
    await shop.send(photos_of(11, url("a"), url("b"), url("c")), "orders/updated")
    assert await state(sql) == [(2, 2, url("b")), (3, 3, url("c"))]
    assert "attention" not in await api.get(ORDER)
    await shop.send(photos_of(12, url("new"), url("b"), url("c")), "orders/updated")
    assert [image for image, _, _ in await state(sql)] == [2, 3]
    assert (await api.get(ORDER))["attention"] == ["shop_changed"]


async def test_the_shop_knows_a_moved_photo_and_adds_beside_an_operators(
    shop: Any, api: Any, photos_of: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(photos_of(10, url("a"), url("b")))
    response = await api.http.patch("/images/2/photo", json={"position": 1})
    assert response.status_code == 200
    item = (await api.get(ORDER))["line_items"][0]["id"]
    response = await api.http.post(f"{ORDER}/line-items/{item}/photos", content=jpeg(1))
    assert response.status_code == 201
    assert response.json()["url"].endswith("/image_1001.jpg")
    assert await state(sql) == [(2, 1, url("b")), (1, 2, url("a")), (3, 3, None)]
    # The second photo of the shop is the first here; its third and fourth come last.
    await shop.send(photos_of(11, url("a"), url("B"), url("c"), url("d")), "orders/updated")
    found = await state(sql)
    assert found[:3] == [(2, 1, url("B")), (1, 2, url("a")), (3, 3, None)]
    assert [one[2] for one in found[3:]] == [url("d"), url("c")] or [one[2] for one in found[3:]] == [
        url("c"),
        url("d"),
    ]
    await shop.send(photos_of(12, url("a"), url("B"), url("c"), url("d")), "orders/updated")
    assert await state(sql) == found


async def test_only_the_shop_changes_its_line_items(shop: Any, api: Any, photos_of: Any) -> None:
    await shop.send(photos_of(10, url("a")))
    item = (await api.get(ORDER))["line_items"][0]["id"]
    refused = await api.post(f"{ORDER}/line-items", {"title": "x"}, status=409)
    assert (refused["code"], "in the shop" in refused["detail"]) == ("order_of_shop", True)
    response = await api.http.delete(f"{ORDER}/line-items/{item}")
    assert (response.status_code, response.json()["code"]) == (409, "order_of_shop")
