"""Orders by hand: making, showing, listing, deleting."""

from typing import Any

import asyncpg

from pastelka_common.storage import thumbnail_path
from services.orders.tests.api_client import jpeg


async def test_an_uploaded_order_is_stored_and_returned(api: Any, sql: asyncpg.Connection) -> None:
    order = await api.order(3, customer_name=" Jana Nováková ", note="")
    assert order["order_number"] == "M1000"
    assert order["source"] == "manual"
    assert order["customer_name"] == "Jana Nováková"
    assert order["status"] == "ready_for_review"
    (item,) = order["line_items"]
    assert [image["position"] for image in item["images"]] == [1, 2, 3]
    paths = [f"{order['id']}/{item['id']}/image_{n}.jpg" for n in (1, 2, 3)]
    assert [image["url"] for image in item["images"]] == [
        f"http://localhost:8081/static/images/{path}" for path in paths
    ]
    thumbnails = [f"{order['id']}/{item['id']}/thumb_image_{n}.jpg.webp" for n in (1, 2, 3)]
    assert api.files() == paths + thumbnails
    assert (await api.order())["order_number"] == "M1001"
    assert await sql.fetchval("SELECT count(*) FROM outbox WHERE subject LIKE 'events.%.order_created'") == 2


async def test_the_fields_of_the_book_are_sent_with_the_photos(api: Any) -> None:
    plain = (await api.order())["line_items"][0]
    assert (plain["title"], plain["quantity"], plain["dedication"], plain["layout"]) == (
        "Omalovánky z vlastních fotek",
        1,
        None,
        None,
    )
    given = {"title": " Pro\tAničku ", "quantity": "3", "dedication": "„Milá“\r\nAničko", "layout": "two"}
    (item,) = (await api.order(**given))["line_items"]
    assert (item["title"], item["quantity"], item["dedication"], item["layout"]) == (
        "Pro Aničku",
        3,
        "„Milá“\nAničko",
        "two",
    )
    assert "shop_values" not in item


async def test_valid_photos_of_an_upload_are_stored_and_refused_ones_named(api: Any) -> None:
    files = [("good.jpg", jpeg()), ("empty.jpg", b""), ("page.heic", b"<html>"), ("last.jpg", jpeg())]
    order = await api.upload(files, process="coloring")
    assert [(one["position"], one["name"], one["code"]) for one in order.pop("refused_photos")] == [
        (2, "empty.jpg", "photo_empty"),
        (3, "page.heic", "photo_not_an_image"),
    ]
    (item,) = order["line_items"]
    assert [image["position"] for image in item["images"]] == [1, 2]
    assert all(len(image["versions"]["coloring"]) == 1 for image in item["images"])
    # Only there where some were refused, and never on an order that is read.
    assert await api.get(f"/orders/{order['order_number']}") == order
    assert "refused_photos" not in await api.order(1)
    problem = await api.upload(files[1:3], status=422)
    assert (problem["code"], len(problem["errors"])) == ("photos_refused", 2)


async def test_every_endpoint_returns_the_same_order(api: Any) -> None:
    order = await api.order(2)
    assert await api.get("/orders/M1000") == order
    image = order["line_items"][0]["images"][1]
    assert await api.get(f"/orders/M1000/images/{image['id']}") == image


async def test_an_unchanged_document_is_not_sent_again(api: Any) -> None:
    order = await api.order()
    image_id = order["line_items"][0]["images"][0]["id"]
    for path in ("/orders", "/orders/M1000", f"/orders/M1000/images/{image_id}", "/orders/M1000/timeline"):
        first = await api.http.get(path)
        again = await api.http.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), path
        other = await api.http.get(path, headers={"If-None-Match": '"other"'})
        assert other.status_code == 200


async def test_times_are_local_with_offset(api: Any, sql: asyncpg.Connection) -> None:
    await api.order()
    await sql.execute("UPDATE orders SET created_at = '2026-07-16T12:00:00Z'")
    assert (await api.get("/orders/M1000"))["created_at"] == "2026-07-16T14:00:00+02:00"


async def test_the_list_is_paginated_newest_first(api: Any, sql: asyncpg.Connection) -> None:
    await sql.execute(
        """INSERT INTO orders (order_number, source, status, created_at)
        SELECT 'S' || n, 'shopify', 'pending', timestamptz '2026-01-01' + (n / 2) * interval '1 minute'
        FROM generate_series(1, 23) n"""
    )
    seen: list[str] = []
    cursor = ""
    while True:
        page = await api.get(f"/orders?limit=5{cursor}")
        seen += [item["order_number"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [f"S{n}" for n in range(23, 0, -1)]


async def test_the_list_counts_completed_versions(api: Any, worker: Any) -> None:
    order = await api.order(5)
    images = order["line_items"][0]["images"]
    colorings = await api.post("/orders/M1000/generate-coloring")
    for version in colorings[:3]:
        await worker.end("coloring", version["id"])
    svg = await api.post(f"/images/{images[0]['id']}/generate-svg")
    await worker.end("svg", svg["id"])
    (item,) = (await api.get("/orders"))["items"]
    assert (item["image_count"], item["coloring_completed"], item["svg_completed"]) == (5, 3, 1)
    assert item["thumbnails"] == [thumbnail_path(image["url"]) for image in images[:4]]
    assert "line_items" not in item


async def test_orders_are_found_by_number_and_customer(api: Any) -> None:
    await api.order(customer_name="Jana Nováková")
    await api.order(customer_name="Petr Dvořák")
    expected = {
        "novak": ["M1000"],
        "NOVÁK jan": ["M1000"],
        "m100": ["M1001", "M1000"],
        "M1001": ["M1001"],
        "unknown": [],
        "' | & !": [],
        "  ": ["M1001", "M1000"],
    }
    found = {}
    for q in expected:
        response = await api.http.get("/orders", params={"q": q})
        found[q] = [item["order_number"] for item in response.json()["items"]]
    assert found == expected


async def test_orders_are_filtered_by_status(api: Any, sql: asyncpg.Connection) -> None:
    await api.order()
    await api.order()
    await sql.execute("UPDATE orders SET status = 'error' WHERE order_number = 'M1000'")
    assert [o["order_number"] for o in (await api.get("/orders?status=error"))["items"]] == ["M1000"]
    await api.get("/orders?status=nonsense", status=422)


async def test_a_deleted_order_leaves_neither_rows_nor_files(api: Any, sql: asyncpg.Connection) -> None:
    await api.order(2, process="coloring")
    await api.order(1)
    response = await api.http.delete("/orders/M1000")
    assert (response.status_code, response.content) == (204, b"")
    await api.get("/orders/M1000", status=404)
    for table in ("images", "line_items", "orders"):
        assert await sql.fetchval(f"SELECT count(*) FROM {table}") == 1  # noqa: S608
    for table in ("coloring_versions", "status_changes"):
        assert await sql.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608
    assert api.files() == ["2/2/image_1.jpg", "2/2/thumb_image_1.jpg.webp"]
    subjects = [r["subject"] for r in await sql.fetch("SELECT subject FROM outbox ORDER BY id")]
    assert sum(subject.startswith("$KV.CANCELS.coloring.") for subject in subjects) == 2
    assert subjects[-1] == "events.order.M1000.order_deleted"
    assert await sql.fetchval("SELECT next_attempt_at <= now() FROM erasures WHERE order_id = 1")
    assert (await api.http.delete("/orders/M1000")).status_code == 404


async def test_the_timeline_lists_every_status_change_with_its_duration(api: Any, worker: Any) -> None:
    order = await api.order(process="coloring")
    version = (await api.get("/orders/M1000"))["line_items"][0]["images"][0]["versions"]["coloring"][0]
    facts = [worker.fact("coloring", version["id"], s, step=n) for n, s in enumerate(worker.happy, start=1)]
    await worker.tell(*facts)
    timeline = await api.get("/orders/M1000/timeline")
    assert timeline["order_number"] == "M1000"
    entries = timeline["entries"]
    assert [e["status"] for e in entries] == ["pending", "queued", *worker.happy]
    assert {e["image_id"] for e in entries} == {order["line_items"][0]["images"][0]["id"]}
    assert all(e["seconds"] >= 0 for e in entries[1:-1])
    assert entries[-1]["seconds"] is None
