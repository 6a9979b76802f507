"""Photos are added and replaced one a request; the same request twice stores one photo."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from pillow_heif import register_heif_opener

from pastelka_orders.database import Database
from pastelka_orders.settings import OrdersSettings
from services.orders.tests.api_client import jpeg
from services.orders.tests.hostile.files import encoded

ITEM = "/orders/M1000/line-items/1/photos"
CHANGES = "SELECT count(*) FROM outbox WHERE subject LIKE 'events.order.%.order_changed'"
STOPS = "SELECT subject FROM outbox WHERE subject LIKE '$KV.CANCELS.%'"


@pytest.fixture
def settings(settings: OrdersSettings) -> OrdersSettings:
    """An order may have six photos, so that the limit is reached."""
    return settings.model_copy(update={"order_max_photos": 6})


async def send(
    api: Any, content: bytes, *, key: str = "", path: str = ITEM, method: str = "POST", **query: str
) -> httpx.Response:
    """One photo as a request's body."""
    headers = {"Idempotency-Key": key} if key else {}
    found: httpx.Response = await api.http.request(
        method, path, content=content, params=query, headers=headers
    )
    return found


async def added(api: Any, content: bytes, *, status: int = 201, **sent: str) -> Any:
    response = await send(api, content, **sent)
    assert response.status_code == status, response.text
    return response.json()


async def photos(api: Any, number: str = "M1000", item: int = 0) -> list[Any]:
    found: list[Any] = (await api.get(f"/orders/{number}"))["line_items"][item]["images"]
    return found


async def test_a_photo_is_added_and_browsers_are_notified(api: Any, sql: asyncpg.Connection) -> None:
    await api.order(2)
    await sql.execute("DELETE FROM outbox")
    response = await send(api, jpeg(3), key="a")
    assert response.status_code == 201
    assert response.headers["location"] == "/api/v1/orders/M1000/images/3"
    image = response.json()
    assert (image["id"], image["position"]) == (3, 3)
    assert image["url"].endswith("/images/1/1/image_3.jpg")
    assert await sql.fetchval(CHANGES) == 1
    assert [one["id"] for one in await photos(api)] == [1, 2, 3]
    assert (await api.get("/orders/M1000"))["stage"] == "to_generate"
    assert {"1/1/image_3.jpg", "1/1/thumb_image_3.jpg.webp"} <= set(api.files())


async def test_the_same_key_stores_one_photo(api: Any, sql: asyncpg.Connection) -> None:
    await api.order(1)
    first = await added(api, jpeg(2), key="a", process="coloring")
    again = await added(api, jpeg(2), key="a", process="coloring", status=200)
    assert (again["id"], len(again["versions"]["coloring"])) == (first["id"], 1)
    assert len(await photos(api)) == 2
    other = await added(api, jpeg(3), key="a", status=409)
    assert other["code"] == "idempotency_key_reused"
    assert (await api.http.delete(f"/images/{first['id']}/photo")).status_code == 204
    gone = await added(api, jpeg(2), key="a", status=409)
    assert (gone["code"], "deleted" in gone["detail"]) == ("idempotency_key_reused", True)
    # Of another order, the key is another one.
    await api.order(1)
    await added(api, jpeg(2), key="a", path="/orders/M1001/line-items/2/photos")


async def test_requests_with_one_key_at_once_store_one_photo(api: Any, sql: asyncpg.Connection) -> None:
    await api.order(1)
    before = api.files()
    answers = await asyncio.gather(*(send(api, jpeg(2), key="a", process="coloring") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert {answer.json()["id"] for answer in answers} == {2}
    assert len(await photos(api)) == 2
    assert await sql.fetchval("SELECT count(*) FROM coloring_versions") == 1
    assert len(api.files()) == len(before) + 2  # the photo and its thumbnail


async def test_photos_at_once_have_places_of_their_own(api: Any) -> None:
    await api.order(1)
    answers = await asyncio.gather(*(send(api, jpeg(n), key=str(n)) for n in range(2, 7)))
    assert [answer.status_code for answer in answers] == [201] * 5
    found = await photos(api)
    assert [one["position"] for one in found] == [1, 2, 3, 4, 5, 6]
    assert len({one["url"] for one in found}) == 6
    full = await added(api, jpeg(9), key="9", status=409)
    assert (full["code"], full["limit"]) == ("photos_too_many", 6)


async def test_photos_keep_the_order_of_the_client_however_they_arrive(api: Any) -> None:
    await api.order(1)
    for position in (4, 2, 3, 2):
        await added(api, jpeg(position), position=str(position))
    assert [(one["id"], one["position"]) for one in await photos(api)] == [
        (1, 1),
        (3, 2),
        (4, 3),
        (2, 4),
        (5, 5),
    ]
    assert (await added(api, jpeg(1), position="0", status=422))["code"] == "invalid_request"


async def test_processing_starts_with_its_options(api: Any) -> None:
    await api.order(1)
    image = await added(api, jpeg(2), process="svg", coloring_options=json.dumps({"steps": 7}))
    (version,) = image["versions"]["coloring"]
    assert (version["status"], version["options"]["steps"]) == ("pending", 7)
    wrong = await added(api, jpeg(2), status=422, coloring_options='{"steps": 99}')
    assert wrong["errors"][0]["field"] == "coloring_options.steps"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "photo_empty"),
        (b"<html>", "photo_not_an_image"),
        (jpeg(1)[:400], "photo_truncated"),
        (b"\xff\xd8" + b"x" * 2_000_001, "photo_too_large"),
    ],
)
async def test_what_is_no_photo_is_refused_by_its_name(
    api: Any, content: bytes, code: str, sql: asyncpg.Connection
) -> None:
    await api.order(1)
    before = api.files()
    problem = await added(api, content, key="a", name="a/děti.jpg", status=422)
    assert problem["code"] == code
    assert problem["detail"].startswith("děti.jpg: ")
    assert (api.files(), len(await photos(api))) == (before, 1)
    # The right file may be sent with the same key.
    await added(api, jpeg(2), key="a")


@pytest.mark.parametrize("media_type", ["", "application/octet-stream", "image/jpeg", "text/plain"])
async def test_the_content_says_what_a_photo_is(api: Any, media_type: str) -> None:
    """A browser sends no type, or a wrong one, for HEIC."""
    register_heif_opener()
    await api.order(1)
    headers = {"Content-Type": media_type} if media_type else {}
    response = await api.http.post(ITEM, content=encoded("HEIF"), headers=headers, params={"name": "IMG_1"})
    assert response.status_code == 201, response.text
    assert response.json()["url"].endswith(".jpg")


async def test_a_body_that_breaks_off_stores_nothing(api: Any) -> None:
    await api.order(1)
    before = api.files()
    messages = [
        {"type": "http.request", "body": jpeg(2)[:300], "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def respond(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"/api/v1{ITEM}",
        "raw_path": f"/api/v1{ITEM}".encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"idempotency-key", b"a")],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "state": {},
    }
    await api.app(scope, receive, respond)
    assert sent[0]["status"] == 400
    assert b"upload_interrupted" in sent[1]["body"]
    assert (api.files(), len(await photos(api))) == (before, 1)
    await added(api, jpeg(2), key="a")


async def test_nothing_is_read_before_it_is_known_who_asks(locked_api: Any, people: Any) -> None:
    read: list[bytes] = []

    async def chunks() -> AsyncIterator[bytes]:
        read.append(b"x")
        yield b"x"

    callers: list[dict[str, str]] = [{}, await people.signed_in("viewer")]
    for headers in callers:
        response = await locked_api.http.post(ITEM, content=chunks(), headers=headers)
        assert response.status_code in {401, 403}
    assert read == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE orders SET cancelled_at = now()", "order_cancelled"),
        ("UPDATE line_items SET quantity = 0", "line_item_removed"),
    ],
)
async def test_nothing_is_added_where_nothing_is_generated(
    api: Any, sql: asyncpg.Connection, change: str, code: str
) -> None:
    await api.order(1)
    await sql.execute(change)
    assert (await added(api, jpeg(2), status=409))["code"] == code
    refused = await send(api, jpeg(2), path="/images/1/photo", method="PUT")
    assert (refused.status_code, refused.json()["code"]) == (409, code)


async def test_an_order_deleted_meanwhile_keeps_no_file(
    api: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.order(1)
    storage = api.stored
    real = type(storage).put_file

    async def put(self: Any, path: str, source: Any) -> None:
        await real(self, path, source)
        assert (await api.http.delete("/orders/M1000")).status_code == 204
        await real(self, path, source)

    monkeypatch.setattr(type(storage), "put_file", put)
    assert (await added(api, jpeg(2), key="a", status=404))["code"] == "line_item_not_found"
    assert api.files() == []


async def test_a_replacement_takes_back_choice_and_approval_is_frozen(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order(2)
    first = await api.post("/images/1/generate-coloring")
    await worker.end("coloring", first["id"])
    await api.post("/images/1/approve", status=200)
    frozen = await send(api, jpeg(5), path="/images/1/photo", method="PUT")
    assert (frozen.status_code, frozen.json()["code"]) == (409, "image_approved")
    assert "lift the approval before its photo is replaced" in frozen.json()["detail"]
    assert (await api.http.delete("/images/1/approve")).status_code == 200

    running = await api.post("/images/1/generate-coloring", {"steps": 9})
    await worker.tell(worker.fact("coloring", running["id"], "processing"))
    await sql.execute("DELETE FROM outbox")
    response = await send(api, jpeg(5), path="/images/1/photo", method="PUT", key="r")
    assert response.status_code == 200, response.text
    image = response.json()
    assert image["url"].endswith("/images/1/1/photo/v2/image_1.jpg")
    assert image["selected_version_ids"] == {"coloring": None, "svg": None}
    assert [one["status"] for one in image["versions"]["coloring"]] == ["completed", "error"]
    assert image["versions"]["coloring"][1]["error"]["code"] == "photo_replaced"
    assert await sql.fetchval(STOPS) == f"$KV.CANCELS.coloring.{running['id']}.1"
    assert await sql.fetchval(CHANGES) == 1
    # What the worker still reports is not chosen.
    assert await worker.tell(worker.fact("coloring", running["id"], "completed", step=2)) == 0
    assert (await photos(api))[0]["selected_version_ids"]["coloring"] is None
    assert (await api.get("/orders/M1000"))["stage"] == "to_generate"
    # The same request again changes nothing.
    again = await send(api, jpeg(5), path="/images/1/photo", method="PUT", key="r")
    assert (again.status_code, again.json()["url"]) == (200, image["url"])
    (made,) = [v for v in await api.post("/orders/M1000/generate-coloring") if v["id"] > running["id"]][:1]
    await worker.end("coloring", made["id"])
    assert (await photos(api))[0]["selected_version_ids"]["coloring"] == made["id"]


async def test_a_failed_download_is_repaired_by_a_photo(api: Any, sql: asyncpg.Connection) -> None:
    await api.order(1)
    await sql.execute(
        "UPDATE images SET path = NULL, download_error_code = 'x', original_url = 'http://x/1.jpg';"
    )
    await sql.execute("UPDATE orders SET status = 'error'")
    assert (await api.get("/orders/M1000"))["stage"] == "attention"
    response = await send(api, jpeg(2), path="/images/1/photo", method="PUT")
    assert response.status_code == 200
    assert "error" not in response.json()
    order = await api.get("/orders/M1000")
    assert (order["status"], order["stage"]) == ("ready_for_review", "to_generate")


async def test_a_replacement_of_what_is_not_there_any_more_is_refused(api: Any) -> None:
    await api.order(1)
    tag = (await api.http.get("/images/1/photo")).headers["etag"]

    async def replace(content: bytes) -> httpx.Response:
        found: httpx.Response = await api.http.put(
            "/images/1/photo", content=content, headers={"If-Match": tag}
        )
        return found

    answers = await asyncio.gather(*(replace(jpeg(n)) for n in range(2, 6)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200, 412, 412, 412]
    refused = next(answer.json() for answer in answers if answer.status_code == 412)
    assert refused["code"] == "precondition_failed"
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    (image,) = await photos(api)
    assert image["url"] == winner["url"]
    assert sum("photo/" in name and "thumb" not in name for name in api.files()) == 1
    # Without If-Match, too, the slower of two does not replace what it has not seen.
    answers = await asyncio.gather(
        *(send(api, jpeg(n), path="/images/1/photo", method="PUT") for n in range(2, 6))
    )
    assert {answer.status_code for answer in answers} <= {200, 412}
    (image,) = await photos(api)
    assert image["url"] in {answer.json().get("url") for answer in answers}


async def test_an_order_is_created_once_and_its_photos_follow(api: Any, sql: asyncpg.Connection) -> None:
    wanted = {"customer_name": " Jana ", "note": "x", "title": "Pro Aničku", "quantity": 2}
    answers = await asyncio.gather(
        *(api.http.post("/orders/manual", json=wanted, headers={"Idempotency-Key": "o"}) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    numbers = {answer.json()["order_number"] for answer in answers}
    assert len(numbers) == 1
    assert await sql.fetchval("SELECT count(*) FROM orders") == 1
    number = numbers.pop()
    order = await api.get(f"/orders/{number}")
    assert (order["customer_name"], order["note"], order["stage"]) == ("Jana", "x", "intake")
    (item,) = order["line_items"]
    assert (item["title"], item["quantity"], item["images"]) == ("Pro Aničku", 2, [])
    image = await added(api, jpeg(1), path=f"/orders/{number}/line-items/{item['id']}/photos")
    assert image["url"].endswith(f"/images/{order['id']}/{item['id']}/image_1.jpg")
    assert (await api.get("/orders?q=jana"))["items"][0]["order_number"] == number
    for wrong in ({"quantity": 0}, {"title": " "}, {"more": 1}, {"customer_name": "x" * 201}):
        assert (await api.post("/orders/manual", wrong, status=422))["code"] == "invalid_request"
    await api.post("/orders/manual", status=201)
