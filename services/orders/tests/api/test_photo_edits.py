"""Editing a photo: parameters beside the original, and the edited photo wherever the photo is used."""

import asyncio
import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import asyncpg
import pytest
from PIL import Image

from pastelka_common.storage import FolderStorage
from pastelka_common.testing.waiting import until
from services.orders.tests.api_client import jpeg

EDIT = "/orders/M1000/images/1/edit"
IMAGE = "/orders/M1000/images/1"
CHANGES = "SELECT count(*) FROM outbox WHERE subject LIKE 'events.order.%.order_changed'"
ORIGINAL = "1/1/image_1.jpg"
NONE = {
    "quarter_turns": 0,
    "straighten": 0.0,
    "crop": {"left": 0.0, "top": 0.0, "width": 1.0, "height": 1.0},
    "brightness": 0,
    "contrast": 0,
}


async def edit(api: Any, values: Any, status: int = 200, path: str = EDIT, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    response = await api.http.patch(path, json=values, headers=sent)
    assert response.status_code == status, response.text
    return response.json()


async def ordered(api: Any, photos: int = 1) -> Any:
    files = [(f"{n}.jpg", jpeg(n, width=400, height=300)) for n in range(1, photos + 1)]
    return await api.upload(files)


def path_of(url: str) -> str:
    return url.split("/images/", 1)[1]


async def stored(api: Any, url: str) -> Image.Image:
    return Image.open(BytesIO(await api.stored.read(path_of(url))))


async def test_a_photo_is_edited_beside_its_original(api: Any, sql: asyncpg.Connection) -> None:
    await ordered(api)
    before = await api.stored.read(ORIGINAL)
    plain = await api.get(IMAGE)
    assert "photo_edit" not in plain
    assert "original_url" not in plain
    await sql.execute("DELETE FROM outbox")
    state = await edit(api, {"quarter_turns": 1, "crop": {"top": 0.5, "height": 0.5}})
    wanted = {**NONE, "quarter_turns": 1, "crop": {**NONE["crop"], "top": 0.5, "height": 0.5}}
    assert state == {
        "id": 1,
        "original_url": plain["url"],
        "width": 400,
        "height": 300,
        "edit": wanted,
    }
    assert await sql.fetchval(CHANGES) == 1
    shown = await api.get(IMAGE)
    assert (shown["photo_edit"], shown["original_url"]) == (wanted, plain["url"])
    assert (await stored(api, shown["url"])).size == (300, 200)
    assert await api.stored.read(ORIGINAL) == before
    (listed,) = (await api.get("/orders"))["items"]
    assert [path_of(url) for url in listed["thumbnails"]] == [
        path_of(shown["url"]).replace("image_1-", "thumb_image_1-") + ".webp"
    ]
    assert path_of(listed["thumbnails"][0]) in api.files()
    # Absent parameters stay, and the same again changes nothing.
    assert (await edit(api, {"brightness": 10}))["edit"] == {**wanted, "brightness": 10}
    await edit(api, {"brightness": 10})
    assert await sql.fetchval(CHANGES) == 2
    # Undone: the original again.
    state = await edit(api, {**NONE, "crop": None})
    assert state["edit"] == NONE
    assert await api.get(IMAGE) == plain


async def test_each_edit_has_its_own_file_and_the_same_edit_the_same(api: Any) -> None:
    await ordered(api)
    urls = []
    for turns in (1, 2, 1):
        await edit(api, {"quarter_turns": turns})
        urls.append((await api.get(IMAGE))["url"])
    assert urls[0] == urls[2] != urls[1]


async def test_a_lost_update_is_refused(api: Any) -> None:
    await ordered(api)
    first = (await api.http.get(EDIT)).headers["etag"]
    await edit(api, {"brightness": 10}, If_Match=first)
    refused = await edit(api, {"brightness": 20}, 412, If_Match=first)
    assert (refused["code"], "read it again" in refused["detail"]) == ("precondition_failed", True)
    again = await api.http.get(EDIT)
    assert again.json()["edit"]["brightness"] == 10
    assert (await api.http.get(EDIT, headers={"If-None-Match": again.headers["etag"]})).status_code == 304
    await edit(api, {"brightness": 20}, If_Match=again.headers["etag"])


async def test_of_two_edits_at_once_one_is_refused(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are processed before either is saved."""
    await ordered(api)
    go_on, waiting, real = asyncio.Event(), [], FolderStorage.write

    async def held(self: FolderStorage, path: str, content: bytes) -> None:
        waiting.append(path)
        await go_on.wait()
        await real(self, path, content)

    monkeypatch.setattr(FolderStorage, "write", held)
    tag = (await api.http.get(EDIT)).headers["etag"]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                api.http.patch(EDIT, json={"brightness": level}, headers={"If-Match": tag} if level else {})
            )
            for level in (10, 20)
        ]

        async def both_wait() -> bool:
            return len(waiting) == 2

        await until(both_wait, 60)
        go_on.set()
    assert sorted(task.result().status_code for task in tasks) == [200, 412]
    (kept,) = (task.result().json() for task in tasks if task.result().status_code == 200)
    assert (await api.get(EDIT))["edit"] == kept["edit"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"quarter_turns": 4}, "quarter_turns"),
        ({"quarter_turns": -1}, "quarter_turns"),
        ({"straighten": 15.1}, "straighten"),
        ({"straighten": "level"}, "straighten"),
        ({"crop": {"left": 0.6, "width": 0.5}}, "crop"),
        ({"crop": {"width": 0}}, "crop.width"),
        ({"crop": {"right": 1}}, "crop.right"),
        ({"brightness": 51}, "brightness"),
        ({"contrast": -51}, "contrast"),
        ({"hue": 1}, "hue"),
    ],
)
async def test_what_no_edit_can_be_is_refused(api: Any, wrong: Any, field: str) -> None:
    await ordered(api)
    problem = await edit(api, wrong, 422)
    assert problem["errors"][0]["field"] == field
    assert (await api.get(EDIT))["edit"] == NONE


async def test_numbers_that_json_has_not_are_refused(api: Any) -> None:
    await ordered(api)
    for number in ("NaN", "Infinity", "1e999"):
        response = await api.http.patch(
            EDIT, content=f'{{"straighten": {number}}}', headers={"Content-Type": "application/json"}
        )
        assert response.status_code == 422, response.text


async def test_a_crop_that_leaves_too_little_is_refused(api: Any) -> None:
    await ordered(api)
    problem = await edit(api, {"crop": {"width": 0.1}}, 422)
    assert (problem["code"], "40 x 300 pixels" in problem["detail"]) == ("photo_too_small", True)
    assert (await api.get(EDIT))["edit"] == NONE


async def test_another_orders_photo_is_not_found(api: Any) -> None:
    await ordered(api)
    await ordered(api)
    for path in ("/orders/M1000/images/2/edit", "/orders/M9/images/1/edit", f"{IMAGE}99999999999/edit"):
        assert (await api.get(path, status=404))["code"] == "image_not_found"
        assert (await edit(api, {"brightness": 1}, 404, path))["code"] == "image_not_found"


async def test_an_approved_photo_is_not_edited(api: Any, worker: Any) -> None:
    await ordered(api)
    version = await api.post("/images/1/generate-coloring")
    await worker.end("coloring", version["id"])
    await api.post("/images/1/approve", status=200)
    problem = await edit(api, {"quarter_turns": 1}, 409)
    assert problem["code"] == "image_approved"
    assert "lift the approval before its photo is edited" in problem["detail"]
    await api.http.delete("/images/1/approve")
    await edit(api, {"quarter_turns": 1})


async def test_an_approval_while_the_edit_is_processed_is_kept(
    api: Any, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ordered(api)
    version = await api.post("/images/1/generate-coloring")
    await worker.end("coloring", version["id"])
    real = FolderStorage.write

    async def approving(self: FolderStorage, path: str, content: bytes) -> None:
        await api.post("/images/1/approve", status=200)
        await real(self, path, content)

    monkeypatch.setattr(FolderStorage, "write", approving)
    assert (await edit(api, {"quarter_turns": 1}, 409))["code"] == "image_approved"
    shown = await api.get(IMAGE)
    assert (shown["approved_by"], "photo_edit" in shown) == ("open", False)


async def jobs(sql: asyncpg.Connection) -> list[Any]:
    rows = await sql.fetch("SELECT payload FROM outbox WHERE subject LIKE 'jobs.coloring.%' ORDER BY id")
    return [json.loads(row["payload"]) for row in rows]


async def test_coloring_gets_the_edited_photo_and_pages_of_another_are_marked(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await ordered(api)
    first = await api.post("/images/1/generate-coloring")
    await worker.end("coloring", first["id"])
    await edit(api, {"quarter_turns": 1})
    url = (await api.get(IMAGE))["url"]
    # The page of the original does not count as one of the edited photo.
    (second,) = await api.post("/orders/M1000/generate-coloring")
    assert (second["version"], "photo_changed" in second) == (2, False)
    sources = [job["source"] for job in await jobs(sql)]
    assert sources == [ORIGINAL, path_of(url)]
    assert (await stored(api, url)).size == (300, 400)
    marked = [version.get("photo_changed") for version in (await api.get(IMAGE))["versions"]["coloring"]]
    assert marked == [True, None]
    assert (await api.get(IMAGE))["selected_version_ids"]["coloring"] == first["id"]
    # Undone: the first page is of the photo again, the second is not, and its job keeps its photo.
    await edit(api, {"quarter_turns": 0})
    marked = [version.get("photo_changed") for version in (await api.get(IMAGE))["versions"]["coloring"]]
    assert marked == [None, True]
    # A page of the edited photo that failed is made from the photo as it is now.
    await worker.end("coloring", second["id"], "error")
    retried = await api.post(f"/coloring-versions/{second['id']}/retry")
    assert "photo_changed" not in retried
    assert (await jobs(sql))[-1]["source"] == ORIGINAL


async def test_exports_and_books_show_the_edited_photo(api: Any, worker: Any) -> None:
    await ordered(api)
    version = await api.post("/images/1/generate-coloring")
    await worker.end("coloring", version["id"])
    await edit(api, {"quarter_turns": 1})
    response = await api.http.get("/orders/M1000/download?what=photos")
    with ZipFile(BytesIO(response.content)) as archive:
        (name,) = archive.namelist()
        assert Image.open(BytesIO(archive.read(name))).size == (300, 400)
    preflight = await api.get("/orders/M1000/books/preflight")
    found = {finding["code"]: finding for finding in preflight["findings"]}
    assert found["photo_edited"]["severity"] == "warning"
    assert found["photo_edited"]["message"] == "Page 1 was generated before its photo was edited."


async def test_edits_are_in_the_history(api: Any) -> None:
    await ordered(api)
    await edit(api, {"quarter_turns": 1})
    await edit(api, {"quarter_turns": 0})
    await edit(api, {"quarter_turns": 2})
    await api.http.put("/images/1/photo", content=jpeg(2, width=400, height=300))
    entries = (await api.get("/orders/M1000/history"))["items"]
    assert [(entry["action"], entry.get("image_id")) for entry in reversed(entries)] == [
        ("created", None),
        ("photo_edited", 1),
        ("photo_edit_undone", 1),
        ("photo_edited", 1),
        ("photo_replaced", 1),
    ]


async def test_a_photo_that_is_not_here_yet_is_not_edited(api: Any, sql: asyncpg.Connection) -> None:
    await ordered(api)
    await sql.execute("UPDATE images SET path = NULL")
    assert (await api.get(EDIT))["original_url"] is None
    assert (await edit(api, {"quarter_turns": 1}, 409))["code"] == "photo_missing"
