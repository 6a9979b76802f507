"""Photos are moved and deleted, line items added and removed; lost updates are refused."""

import asyncio
from typing import Any

import asyncpg
import httpx

from pastelka_orders.erasure import Retention
from services.orders.tests.api.test_photo_uploads import CHANGES, STOPS, added, photos, send
from services.orders.tests.api_client import jpeg


async def move(api: Any, image_id: int, status: int = 200, *, tag: str = "", **place: int) -> Any:
    headers = {"If-Match": tag} if tag else {}
    response = await api.http.patch(f"/images/{image_id}/photo", json=place, headers=headers)
    assert response.status_code == status, response.text
    return response.json()


async def etag(api: Any, image_id: int) -> str:
    return str((await api.http.get(f"/images/{image_id}/photo")).headers["etag"])


async def remove(api: Any, path: str, status: int = 204, **headers: str) -> httpx.Response:
    found: httpx.Response = await api.http.delete(
        path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    assert found.status_code == status, found.text
    return found


async def test_photos_are_reordered_and_their_files_stay(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order(3)
    before = {one["id"]: one["url"] for one in await photos(api)}
    version = await api.post("/images/3/generate-coloring")
    await sql.execute("DELETE FROM outbox")
    state = await move(api, 3, position=1)
    assert (state["position"], state["line_item_id"], state["version"]) == (1, 1, 1)
    found = await photos(api)
    assert [(one["id"], one["position"]) for one in found] == [(3, 1), (1, 2), (2, 3)]
    assert {one["id"]: one["url"] for one in found} == before
    assert await sql.fetchval(CHANGES) == 1
    await move(api, 3, position=1)  # nothing changes
    assert await sql.fetchval(CHANGES) == 1
    # A page that was being made arrives under the name that its job has.
    await worker.end("coloring", version["id"])
    await api.post("/images/1/generate-coloring")
    await worker.end("coloring", 2)
    urls = [one["versions"]["coloring"][0]["url"] for one in await photos(api) if one["id"] != 2]
    assert [url.rpartition("/images/")[2] for url in urls] == [
        "1/1/coloring/v1/image_3.png",
        "1/1/coloring/v1/image_1.png",
    ]
    await move(api, 3, position=99)
    assert [one["id"] for one in await photos(api)] == [1, 2, 3]


async def test_a_photo_moves_to_another_line_item_and_names_are_not_used_twice(
    api: Any, sql: asyncpg.Connection
) -> None:
    await api.order(2)
    item = (await api.post("/orders/M1000/line-items", {"title": "Druhá"}, status=201))["id"]
    path = f"/orders/M1000/line-items/{item}/photos"
    await added(api, jpeg(5), path=path)
    state = await move(api, 1, position=1, line_item_id=item)
    assert (state["line_item_id"], state["position"]) == (item, 1)
    assert [one["id"] for one in await photos(api)] == [2]
    assert [one["id"] for one in await photos(api, item=1)] == [1, 3]
    # The next photo of the first item has another name than the one that left.
    again = await added(api, jpeg(6))
    assert (again["position"], again["url"].endswith("/1/1/image_3.jpg")) == (2, True)
    urls = [one["url"] for one in [*await photos(api), *await photos(api, item=1)]]
    assert len(set(urls)) == 4
    await api.order(1)
    for wrong in (3, 99):
        assert (await move(api, 1, 404, position=1, line_item_id=wrong))["code"] == "line_item_not_found"
    assert (await move(api, 99, 404, position=1))["code"] == "image_not_found"
    await sql.execute("UPDATE line_items SET quantity = 0 WHERE id = 1")
    assert (await move(api, 1, 409, position=1, line_item_id=1))["code"] == "line_item_removed"


async def test_a_stale_if_match_is_rejected_with_412(api: Any) -> None:
    await api.order(3)
    read = await etag(api, 2)
    await move(api, 2, position=1, tag=read)
    assert (await move(api, 2, 412, position=3, tag=read))["code"] == "precondition_failed"
    await remove(api, "/images/2/photo", 412, If_Match=read)
    response = await api.http.put("/images/2/photo", content=jpeg(9), headers={"If-Match": read})
    assert response.status_code == 412
    assert [one["id"] for one in await photos(api)] == [2, 1, 3]
    assert (await api.http.get("/images/2/photo", headers={"If-None-Match": read})).status_code == 200
    await remove(api, "/images/2/photo", If_Match=await etag(api, 2))


async def test_moves_at_once_leave_an_order(api: Any) -> None:
    await api.order(5)
    item = (await api.post("/orders/M1000/line-items", status=201))["id"]
    await asyncio.gather(
        *(
            move(api, image, position=n, line_item_id=(1, item)[n % 2])
            for n in (1, 2, 3)
            for image in (1, 2, 3)
        ),
        *(send(api, jpeg(n), key=str(n)) for n in range(6, 10)),
        *(remove(api, f"/images/{image}/photo") for image in (4, 5)),
    )
    first, second = await photos(api), await photos(api, item=1)
    assert len(first) + len(second) == 7
    for found in (first, second):
        positions = [one["position"] for one in found]
        assert positions == sorted(set(positions))


async def test_a_deleted_photo_leaves_nothing(
    api: Any, worker: Any, sql: asyncpg.Connection, database: Any
) -> None:
    await api.order(2)
    for image_id in (1, 2):
        await api.post(f"/images/{image_id}/generate-coloring")
        await worker.end("coloring", image_id)
        await api.stored.write(f"1/1/coloring/v1/image_{image_id}.png", b"page")
    running = await api.post("/images/2/generate-coloring", {"steps": 9})
    await worker.tell(worker.fact("coloring", running["id"], "processing"))
    await api.post("/images/2/approve", status=200)
    frozen = await remove(api, "/images/2/photo", 409)
    assert frozen.json()["code"] == "image_approved"
    await remove(api, "/images/2/approve", 200)
    await sql.execute("DELETE FROM outbox")

    await remove(api, "/images/2/photo")
    assert await sql.fetchval(STOPS) == f"$KV.CANCELS.coloring.{running['id']}.1"
    assert await sql.fetchval(CHANGES) == 1
    kept = ["1/1/coloring/v1/image_1.png", "1/1/image_1.jpg", "1/1/thumb_image_1.jpg.webp"]
    assert api.files() == kept
    assert [one["id"] for one in await photos(api)] == [1]
    assert (await api.get("/orders/M1000"))["stage"] == "to_review"
    await remove(api, "/images/2/photo", 404)

    # What a worker still writes and reports is deleted, and ignored.
    assert await worker.tell(worker.fact("coloring", running["id"], "completed", step=2)) == 0
    await api.stored.write("1/1/coloring/v2/image_2.png", b"late")
    await api.stored.write("1/1/coloring/v2/.image_2.png.run", b"late")
    await sql.execute("UPDATE removed_photos SET next_check_at = now()")
    retention = Retention(database, api.stored, days=None, interval=60)
    assert await retention.run_once()
    assert api.files() == kept
    # A new photo does not get the name of the deleted one.
    assert (await added(api, jpeg(3)))["url"].endswith("/1/1/image_3.jpg")
    for _ in range(20):
        await sql.execute("UPDATE removed_photos SET next_check_at = now()")
        await retention.run_once()
    assert await sql.fetchval("SELECT count(*) FROM removed_photos") == 0


async def test_line_items_of_manual_orders_are_added_and_removed(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order(1)
    await sql.execute("DELETE FROM outbox")
    last = await remove(api, "/orders/M1000/line-items/1", 409)
    assert last.json()["code"] == "last_line_item"
    response = await api.http.post(
        "/orders/M1000/line-items", json={"title": " Pro Káju ", "quantity": 2, "dedication": "Ahoj"}
    )
    assert response.status_code == 201
    item = response.json()
    assert (item["title"], item["quantity"], item["dedication"]) == ("Pro Káju", 2, "Ahoj")
    path = f"/orders/M1000/line-items/{item['id']}"
    assert response.headers["location"] == f"/api/v1{path}"
    assert (await api.http.get(path)).headers["etag"] == response.headers["etag"]
    assert await sql.fetchval(CHANGES) == 1
    image = await added(api, jpeg(2), path=f"{path}/photos", process="coloring")
    await worker.end("coloring", 1)
    await api.post(f"/images/{image['id']}/approve", status=200)
    assert (await remove(api, path, 409)).json()["code"] == "image_approved"
    await remove(api, f"/images/{image['id']}/approve", 200)
    await api.http.patch(path, json={"quantity": 3})
    await remove(api, path, 412, If_Match=response.headers["etag"])
    again = await api.post(f"/images/{image['id']}/generate-coloring", {"steps": 8})
    await sql.execute("DELETE FROM outbox")
    await remove(api, path, If_Match=(await api.http.get(path)).headers["etag"])
    assert await sql.fetchval(STOPS) == f"$KV.CANCELS.coloring.{again['id']}.1"
    order = await api.get("/orders/M1000")
    assert [one["id"] for one in order["line_items"]] == [1]
    assert not [name for name in api.files() if name.startswith(f"1/{item['id']}/")]
    await remove(api, path, 404)
    for wrong in ("/orders/M9/line-items", "/orders/M9/line-items/1"):
        response = await api.http.request("POST" if wrong.endswith("items") else "DELETE", wrong)
        assert response.status_code == 404
