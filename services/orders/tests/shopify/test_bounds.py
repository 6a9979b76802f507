"""What the shop may send: more is left out and named, and texts that are too long are cut and say so."""

import json
import re
from typing import Any

import pytest

from pastelka_orders.domain.shop_orders import MAX_ITEMS, MAX_PHOTOS, ShopOrder
from pastelka_orders.shopify.attributes import AttributeNames
from pastelka_orders.shopify.parsing import LONG_TEXT_LENGTH, TEXT_LENGTH
from pastelka_orders.shopify.webhook import ParsedOrder, Webhook, order_of


def read_with_problems(**order: Any) -> ParsedOrder:
    body = json.dumps({"id": 1, "name": "#1", "line_items": [], **order}).encode()
    return order_of(Webhook("orders/create", None, body), AttributeNames())


def read(**order: Any) -> ShopOrder:
    found = read_with_problems(**order)
    assert found.order is not None
    assert found.problems == ()
    assert found.order.unread is None
    return found.order


def partly_read(**order: Any) -> tuple[ShopOrder, str]:
    """The order and the one problem with it."""
    found = read_with_problems(**order)
    assert found.order is not None
    assert found.order.items is None
    (problem,) = found.problems
    return found.order, problem


def items(count: int, properties: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": n, "properties": properties} for n in range(1, count + 1)]


def photos(count: int) -> list[dict[str, Any]]:
    return [{"name": f"Fotka {n}", "value": f"https://cdn.example.com/{n}.jpg"} for n in range(1, count + 1)]


def test_line_items() -> None:
    assert len(read(line_items=items(MAX_ITEMS, [])).items or ()) == MAX_ITEMS
    order, problem = partly_read(line_items=items(MAX_ITEMS + 1, []))
    assert len(order.readable_items) == MAX_ITEMS
    assert re.search(rf"line_items.*{MAX_ITEMS}.*{MAX_ITEMS + 1}", problem)


def test_attributes() -> None:
    assert read(line_items=items(1, photos(MAX_ITEMS))).has_photos
    order, problem = partly_read(line_items=items(1, photos(MAX_ITEMS + 1)))
    assert len(order.readable_items[0].photos) == MAX_ITEMS
    assert re.search(rf"properties.*{MAX_ITEMS}.*{MAX_ITEMS + 1}", problem)


def test_the_number_of_photos_of_an_order_is_limited() -> None:
    most = read(line_items=items(2, photos(MAX_PHOTOS // 2)))
    assert sum(len(item.photos) for item in most.items or ()) == MAX_PHOTOS
    order, problem = partly_read(
        line_items=[*items(2, photos(MAX_PHOTOS // 2)), {"id": 9, "properties": photos(5)}]
    )
    assert [len(item.photos) for item in order.readable_items] == [MAX_PHOTOS // 2, MAX_PHOTOS // 2, 0]
    assert f"photos in the order: {MAX_PHOTOS + 5}, limit {MAX_PHOTOS}" in problem


@pytest.mark.parametrize(("length", "kept"), [(-1, -1), (0, 0), (1, 0)])
def test_long_texts_are_truncated(length: int, kept: int) -> None:
    def cut(whole: str, most: int) -> str:
        return whole if length <= 0 else whole[: most - 1] + "…"

    title, words = "ž" * (TEXT_LENGTH + length), "x" * (LONG_TEXT_LENGTH + length)
    order = read(
        customer={"first_name": title},
        line_items=[{"id": 1, "title": title, "properties": [{"name": "Věnování", "value": words}]}],
    )
    (item,) = order.items or ()
    assert len(item.title) == TEXT_LENGTH + kept
    assert item.title == order.customer_name == cut(title, TEXT_LENGTH)
    assert item.dedication == cut(words, LONG_TEXT_LENGTH)


@pytest.mark.parametrize("url_length", [8192, 8193, 100_000])
def test_an_overlong_photo_url_is_kept_up_to_the_column_limit(
    url_length: int,
) -> None:
    url = "https://cdn.example.com/".ljust(url_length, "x")
    order = read(line_items=items(1, [{"name": "Fotka 1", "value": url}]))
    (kept,) = (order.items or ())[0].photos.values()
    assert len(kept) == min(url_length, 10_000)


@pytest.mark.parametrize(
    "wrong",
    [
        {"created_at": 1_700_000_000},
        {"created_at": "1700000000"},
        {"created_at": "2026-11-01"},
        {"created_at": "1999-12-31T23:59:59+00:00"},
        {"created_at": "2100-01-01T00:00:00+00:00"},
        {"line_items": [{"id": 1, "quantity": False}]},
        {"line_items": [{"id": 1, "quantity": 2**31}]},
        {"line_items": [{"id": 1, "quantity": -1}]},
    ],
)
def test_invalid_numbers_and_timestamps_are_reported(wrong: dict[str, Any]) -> None:
    found = read_with_problems(**wrong)
    assert found.order is not None
    assert found.order.created_at is None
    assert [item.quantity for item in found.order.readable_items] == [1] * len(wrong.get("line_items", ()))
    assert found.problems


@pytest.mark.parametrize("wrong", [True, 2**63, 0, None, "x", [], {}])
def test_an_invalid_id_is_reported(wrong: Any) -> None:
    found = read_with_problems(id=wrong)
    assert found.order is None
    assert found.problems[0].startswith("id: ")
