"""A person changes a line item, and then the shop does: neither is lost without a word."""

from typing import Any

import asyncpg

ORDER = "/orders/1270"


async def item(api: Any) -> Any:
    return (await api.get(ORDER))["line_items"][0]


async def patch(api: Any, **values: Any) -> Any:
    path = f"{ORDER}/line-items/{(await item(api))['id']}"
    response = await api.http.patch(path, json=values)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_later_change_by_the_shop_does_not_overwrite_a_local_edit(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload(updated_at="2026-11-20T10:00:00Z"))
    before = await item(api)
    changed = await patch(api, title="Pro Aničku", quantity=5)
    assert changed["shop_values"] == {"title": before["title"], "quantity": before["quantity"]}
    assert "shop_changed_at" not in changed

    # The same again is no change of the shop's.
    await shop.send(payload(updated_at="2026-11-20T11:00:00Z"))
    assert "shop_changed_at" not in await item(api)

    sent = payload(updated_at="2026-11-20T12:00:00Z")
    sent["line_items"][0].update(title="Nový název", current_quantity=2)
    await shop.send(sent, "orders/updated")
    found = await item(api)
    assert (found["title"], found["quantity"]) == ("Pro Aničku", 5)
    assert found["shop_values"] == {"title": "Nový název", "quantity": 2}
    assert found["shop_changed_at"]
    findings = (await api.get(f"{ORDER}/books/preflight"))["findings"]
    assert [one["message"] for one in findings if one["code"] == "changed_by_shop"] == [
        "The shop changed Pro Aničku after it was edited here; the values set here are printed."
    ]

    # The person takes over the shop's title: from then on it is the shop's again. The quantity is still open.
    taken = await patch(api, title="Nový název")
    assert (taken["shop_values"], taken["shop_changed_fields"]) == ({"quantity": 2}, ["quantity"])
    sent["updated_at"] = "2026-11-20T13:00:00Z"
    sent["line_items"][0].update(title="Ještě novější")
    await shop.send(sent, "orders/updated")
    assert (await item(api))["title"] == "Ještě novější"


async def test_an_item_removed_by_the_shop_is_removed_despite_local_edits(
    shop: Any, payload: Any, api: Any
) -> None:
    await shop.send(payload(updated_at="2026-11-20T10:00:00Z"))
    await patch(api, quantity=5, dedication="„Pro Aničku“")
    sent = payload(updated_at="2026-11-20T11:00:00Z")
    sent["line_items"][0]["current_quantity"] = 0
    await shop.send(sent, "orders/updated")
    found = await item(api)
    assert (found["quantity"], found["removed"], found["dedication"]) == (0, True, "„Pro Aničku“")
    assert "quantity" not in found["shop_values"]
    response = await api.http.patch(f"{ORDER}/line-items/{found['id']}", json={"quantity": 2})
    assert (response.status_code, response.json()["code"]) == (409, "line_item_removed")
    await shop.send(payload(updated_at="2026-11-20T12:00:00Z"), "orders/updated")
    found = await item(api)
    assert found["quantity"] == 1
    # The shop's value is the one that is printed: there is nothing to answer.
    assert not {"shop_changed_fields", "shop_changed_at"} & set(found)


async def test_an_item_absent_from_the_order_loses_its_local_edits(shop: Any, payload: Any, api: Any) -> None:
    await shop.send(payload(updated_at="2026-11-20T10:00:00Z"))
    await patch(api, quantity=5)
    sent = payload(updated_at="2026-11-20T11:00:00Z")
    sent["line_items"][0]["current_quantity"] = 3
    await shop.send(sent, "orders/updated")
    assert (await item(api))["shop_changed_fields"] == ["quantity"]
    sent = payload(updated_at="2026-11-20T12:00:00Z")
    sent["line_items"] = []
    await shop.send(sent, "orders/updated")
    found = await item(api)
    assert (found["quantity"], found["removed"]) == (0, True)
    assert not {"shop_values", "shop_changed_fields", "shop_changed_at"} & set(found)


async def test_a_change_by_the_shop_stays_pending_until_its_field_is_edited(
    shop: Any, payload: Any, api: Any, sql: asyncpg.Connection
) -> None:
    await shop.send(payload(updated_at="2026-11-20T10:00:00Z"))
    await patch(api, title="Pro Aničku", quantity=5)
    sent = payload(updated_at="2026-11-20T11:00:00Z")
    sent["line_items"][0]["title"] = "Nový název"
    await shop.send(sent, "orders/updated")
    assert (await item(api))["shop_changed_fields"] == ["title"]
    # Another field does not answer it.
    other = await patch(api, quantity=6, dedication="Pro Káju")
    assert (other["shop_changed_fields"], "shop_changed_at" in other) == (["title"], True)
    sent["updated_at"] = "2026-11-20T12:00:00Z"
    sent["line_items"][0]["current_quantity"] = 3
    await shop.send(sent, "orders/updated")
    assert sorted((await item(api))["shop_changed_fields"]) == ["quantity", "title"]
    kept = await patch(api, title="Pro Aničku")  # the same value: it stays as it is
    assert (kept["shop_changed_fields"], "shop_changed_at" in kept) == (["quantity"], True)
    settled = await patch(api, quantity=3)
    assert not {"shop_changed_fields", "shop_changed_at"} & set(settled)
    assert settled["shop_values"]["title"] == "Nový název"


async def test_a_customer_that_was_edited_here_stays_and_the_shops_is_marked(
    shop: Any, payload: Any, api: Any
) -> None:
    def sent(hour: int, first_name: str, **changes: Any) -> Any:
        found = payload(updated_at=f"2026-11-20T{hour}:00:00Z", **changes)
        found["customer"].update(first_name=first_name, last_name="Nováková")
        return found

    async def edit(name: str) -> Any:
        response = await api.http.patch(f"{ORDER}/details", json={"customer_name": name})
        assert response.status_code == 200, response.text
        return response.json()

    async def customer() -> tuple[Any, ...]:
        found = await api.get(ORDER)
        names = ("customer_name", "shop_values", "shop_changed_fields")
        return tuple(found.get(name) for name in names)

    await shop.send(sent(10, "Jana"))
    edited = await edit("Jana Dvořáková")
    assert edited["shop_values"] == {"customer_name": "Jana Nováková"}
    # Something else changes in the shop.
    await shop.send(sent(11, "Jana", financial_status="refunded"), "orders/updated")
    assert await customer() == ("Jana Dvořáková", {"customer_name": "Jana Nováková"}, None)
    await shop.send(sent(12, "Eva"), "orders/updated")
    assert await customer() == ("Jana Dvořáková", {"customer_name": "Eva Nováková"}, ["customer_name"])
    assert (await api.get("/orders?q=dvorakova"))["items"]
    await edit("Jana Dvořáková")  # the same value: it stays as it is
    assert await customer() == ("Jana Dvořáková", {"customer_name": "Eva Nováková"}, None)
    await edit("Eva Nováková")
    assert await customer() == ("Eva Nováková", None, None)
    await shop.send(sent(13, "Evička"), "orders/updated")
    assert await customer() == ("Evička Nováková", None, None)
    assert (await api.get("/orders?q=evicka"))["items"]

    history = (await api.get(f"{ORDER}/history"))["items"]
    by_shop = [(one["action"], one["actor"]["name"]) for one in history if one["actor"]["kind"] == "shop"]
    assert by_shop == [
        ("order_changed", "orders/updated"),
        ("shop_value_kept_apart", "orders/updated"),
        ("order_changed", "orders/updated"),  # the payment, twice
        ("order_changed", "orders/updated"),
        ("created", "orders/create"),
    ]
    assert [one["action"] for one in history if one["actor"]["kind"] == "open"] == ["order_changed"] * 2


async def test_an_order_cancelled_by_the_shop_is_recorded(shop: Any, payload: Any, api: Any) -> None:
    await shop.send(payload(updated_at="2026-11-20T10:00:00Z"))
    await shop.send(payload("cancelled", updated_at="2026-11-20T11:00:00Z"), "orders/cancelled")
    newest = (await api.get(f"{ORDER}/history"))["items"][0]
    assert (newest["action"], newest["actor"]) == ("cancelled", {"kind": "shop", "name": "orders/cancelled"})
