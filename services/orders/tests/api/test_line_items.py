"""Changing what a book is made of: by a person, and by the shop afterwards."""

from typing import Any

import asyncpg
import pytest

ITEM = "/orders/M1000/line-items/1"
CHANGES = "SELECT count(*) FROM outbox WHERE subject LIKE 'events.order.%.order_changed'"


async def change(api: Any, path: str, values: Any, status: int = 200, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    response = await api.http.patch(path, json=values, headers=sent)
    assert response.status_code == status, response.text
    return response.json()


async def test_changing_a_line_item_publishes_an_event(api: Any, sql: asyncpg.Connection) -> None:
    await api.order(1)
    await sql.execute("DELETE FROM outbox")
    changed = await change(
        api,
        ITEM,
        {"title": " Pro\tAničku ", "quantity": 3, "dedication": "„Milá“\r\nAničko \u202e", "layout": "two"},
    )
    assert changed == {
        "id": 1,
        "title": "Pro Aničku",
        "quantity": 3,
        "dedication": "„Milá“\nAničko",
        "layout": "two",
    }
    assert await sql.fetchval(CHANGES) == 1
    (item,) = (await api.get("/orders/M1000"))["line_items"]
    assert {name: item[name] for name in changed} == changed
    assert "shop_values" not in item
    emptied = await change(api, ITEM, {"dedication": None, "layout": " "})
    assert (emptied["title"], emptied["dedication"], emptied["layout"]) == ("Pro Aničku", None, None)
    await change(api, ITEM, {"dedication": None})  # nothing changes
    assert await sql.fetchval(CHANGES) == 2


async def test_a_stale_if_match_is_rejected_with_412(api: Any) -> None:
    await api.order(1)
    first = (await api.http.get(ITEM)).headers["etag"]
    await change(api, ITEM, {"title": "Mine"}, If_Match=first)
    refused = await change(api, ITEM, {"title": "Yours"}, 412, If_Match=first)
    assert (refused["code"], "read it again" in refused["detail"]) == ("precondition_failed", True)
    again = await api.http.get(ITEM)
    assert again.json()["title"] == "Mine"
    await change(api, ITEM, {"title": "Yours"}, If_Match=f'"x", {again.headers["etag"]}')
    await change(api, ITEM, {"title": "Anyone's"}, If_Match="*")
    assert (await api.http.get(ITEM, headers={"If-None-Match": again.headers["etag"]})).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "  "},
        {"title": None},
        {"title": "x" * 201},
        {"quantity": 0},
        {"quantity": 1000},
        {"quantity": "many"},
        {"dedication": "x" * 2001},
        {"position": 2},
    ],
)
async def test_invalid_line_item_fields_are_rejected(api: Any, wrong: Any) -> None:
    await api.order(1)
    before = await api.get(ITEM)
    await change(api, ITEM, wrong, 422)
    assert await api.get(ITEM) == before


async def test_another_orders_item_is_not_found(api: Any) -> None:
    await api.order(1)
    await api.order(1)
    for path in (
        "/orders/M1000/line-items/2",
        "/orders/M9/line-items/1",
        "/orders/M1000/line-items/99999999999",
    ):
        assert (await api.get(path, status=404))["code"] == "line_item_not_found"
        assert (await change(api, path, {"quantity": 2}, 404))["code"] == "line_item_not_found"
