"""Rows whose files are gone, and files that are there again."""

from typing import Any

import asyncpg
import pytest
from prometheus_client import REGISTRY

from pastelka_common.storage import Storage, open_storage
from pastelka_orders.handlers.downloads import Downloads, stored
from pastelka_orders.reconciler.storage_scrubber import StorageScrubber
from pastelka_orders.repository.orders import StoredPhoto
from pastelka_orders.settings import OrdersSettings
from services.orders.tests.job_attempts import claimed

MISSING = [("coloring", "file_missing")]
ALL = 1000


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.server)])
def settings(request: pytest.FixtureRequest, settings: OrdersSettings) -> OrdersSettings:
    """Settings of an API with its files in the one or the other."""
    if request.param == "folder":
        return settings
    found: OrdersSettings = request.getfixturevalue("in_bucket")
    return found


def path_of(version_id: int) -> str:
    """Where the page that ``PlayedWorker`` reports is to be."""
    return f"1/1/coloring/v1/image_{version_id}.png"


async def store(api: Any, version_id: int) -> None:
    await api.stored.write(path_of(version_id), b"a page")


async def lose(api: Any, version_id: int) -> None:
    await api.stored.remove(path_of(version_id))


async def photo_of(api: Any) -> tuple[str, bytes]:
    """Path and content of the only photo."""
    (path,) = [path async for path in api.stored.files("1") if path.endswith("/image_1.jpg")]
    return path, await api.stored.read(path)


def seconds_noted() -> list[float | None]:
    """How many versions were measured from the click to the end, by how they ended."""
    name = "pastelka_version_duration_seconds_count"
    return [
        REGISTRY.get_sample_value(name, {"kind": "coloring", "outcome": outcome})
        for outcome in ("completed", "error")
    ]


async def shown(api: Any) -> dict[str, Any]:
    order = await api.get("/orders/M1000")
    image = order["line_items"][0]["images"][0]
    return {"image": image, "version": image["versions"]["coloring"][0]}


async def test_a_completed_page_with_a_missing_file_is_in_error_and_can_be_retried(
    api: Any, broken: Any, coloring: Any, worker: Any
) -> None:
    version_id = await coloring()
    await worker.end("coloring", version_id)
    await broken.lose_jobs()
    await store(api, version_id)
    assert await broken.run_once(files=ALL) == []
    await lose(api, version_id)
    assert await broken.run_once(files=ALL, grace=60) == []
    assert await broken.run_once(files=ALL, dry_run=True) == MISSING
    assert (await shown(api))["version"]["status"] == "completed"
    took = seconds_noted()
    assert await broken.run_once(files=ALL) == MISSING
    assert seconds_noted() == took  # the months since the click are not how long a page takes
    version = (await shown(api))["version"]
    assert (version["status"], version["error"]["code"], version.get("url")) == (
        "error",
        "file_missing",
        None,
    )
    assert await broken.run_once(files=ALL) == []
    await api.post(f"/coloring-versions/{version_id}/retry")
    # It is still the chosen one, and a book without it must not be printed.
    problem = await api.get("/orders/M1000/download", status=409)
    assert problem["code"] == "file_missing"
    await broken.published()
    assert (await broken.job(f"jobs.coloring.{version_id}"))["run"] == 2
    await worker.end("coloring", version_id, run=2)
    await store(api, version_id)
    await broken.lose_jobs()
    assert await broken.run_once(files=ALL) == []
    assert (await shown(api))["image"]["selected_version_ids"]["coloring"] == version_id


async def test_a_reappeared_file_completes_its_version_without_a_new_run(
    api: Any, broken: Any, coloring: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    version_id = await coloring()
    await worker.end("coloring", version_id)
    await broken.lose_jobs()
    assert await broken.run_once(files=ALL) == MISSING
    await store(api, version_id)
    assert await broken.run_once(files=ALL) == [("coloring", "file_back")]
    version = (await shown(api))["version"]
    assert (version["status"], version.get("error")) == ("completed", None)
    assert version["url"].endswith(f"image_{version_id}.png")
    ends = await sql.fetch(
        "SELECT status FROM status_changes WHERE status IN ('completed', 'error') ORDER BY id"
    )
    assert [row["status"] for row in ends] == ["completed", "error", "completed"]


async def test_regenerating_a_page_does_not_request_its_svg_again(api: Any, broken: Any, worker: Any) -> None:
    await api.order(process="svg")
    await broken.published()
    await worker.end("coloring", 1)
    await worker.end("svg", 1, "error")
    await broken.lose_jobs()
    assert await broken.run_once(files=ALL) == MISSING
    await api.post("/coloring-versions/1/retry")
    await worker.end("coloring", 1, run=2)
    assert len((await shown(api))["image"]["versions"]["svg"]) == 1


@pytest.fixture(params=["not there", "empty", "another"])
async def elsewhere(request: pytest.FixtureRequest, settings: OrdersSettings) -> Storage:
    """A storage that is not the one of the rows."""
    folder = settings.storage_path.with_name("elsewhere")
    if request.param != "not there":
        folder.mkdir()
    change: dict[str, Any] = {"storage_path": folder, "storage_url": settings.storage_url}
    if settings.bucket is not None:
        change["storage_url"] += "-elsewhere"
        if request.param == "not there":
            change["aws_endpoint_url"] = "http://127.0.0.1:9"  # a free port may be another test's soon
    found = open_storage(settings.model_copy(update=change))
    if request.param == "another":
        await found.write("lost+found/1", b"x")
    return found


async def test_no_file_is_marked_missing_while_the_storage_is_unavailable(
    api: Any, broken: Any, worker: Any, sql: asyncpg.Connection, elsewhere: Storage
) -> None:
    await api.order(photos=20, process="coloring")
    for version_id in range(1, 21):
        await worker.end("coloring", version_id)
    await broken.lose_jobs()
    assert await broken.run_once(files=ALL, storage=elsewhere) == []
    assert await sql.fetchval("SELECT count(*) FROM coloring_versions WHERE status = 'completed'") == 20
    assert await sql.fetchval("SELECT count(*) FROM images WHERE download_error_code IS NOT NULL") == 0


async def test_a_file_whose_lookup_fails_is_neither_missing_nor_back(
    api: Any, broken: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order(photos=2, process="coloring")
    for version_id in (1, 2):
        await worker.end("coloring", version_id)
        await store(api, version_id)
    await broken.lose_jobs()
    await lose(api, 1)
    assert await broken.run_once(files=ALL) == MISSING
    # A name that no storage can have: whether there is such a file is answered with an error.
    await sql.execute("UPDATE coloring_versions SET path = repeat('x', 2000)")
    with pytest.raises(OSError, match=r"."):
        await api.stored.size("x" * 2000)
    assert await broken.run_once(files=ALL) == []
    rows = await sql.fetch("SELECT status::text FROM coloring_versions ORDER BY id")
    assert [row["status"] for row in rows] == ["error", "completed"]


async def test_files_are_checked_in_batches_and_rounds(
    api: Any, broken: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order(photos=5, process="coloring")
    for version_id in range(1, 6):
        await worker.end("coloring", version_id)
        await store(api, version_id)
    await broken.lose_jobs()
    reconciler = broken.reconciler(files=2)
    await lose(api, 5)
    found = [[one.about["id"] for one in (await reconciler.run_once()).repaired] for _ in range(3)]
    assert found == [[], [], [5]]
    await lose(api, 1)
    assert [one.about["id"] for one in (await reconciler.run_once()).repaired] == [1]


async def test_a_full_round_checks_each_file_once(api: Any, broken: Any, worker: Any) -> None:
    await api.order(photos=5, process="coloring")
    for version_id in range(1, 4):
        await worker.end("coloring", version_id)
    reconcile_pass = await broken.reconciler().run_once(dry_run=True)
    reconcile_pass.repaired.clear()
    await StorageScrubber(2).scrub_all(reconcile_pass)
    assert [(one.kind, one.about["id"]) for one in reconcile_pass.repaired] == [
        ("coloring", n) for n in (1, 2, 3)
    ]


async def test_missing_files_of_an_order_being_erased_are_ignored(
    api: Any, broken: Any, coloring: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    version_id = await coloring()
    await worker.end("coloring", version_id)
    await broken.lose_jobs()
    await sql.execute("INSERT INTO erasures (order_id, order_number, deleted_at) VALUES (1, 'M1000', NULL)")
    assert await broken.run_once(files=ALL) == []


async def test_an_uploaded_photo_is_marked_missing_and_restored(api: Any, broken: Any) -> None:
    await api.order()
    await broken.published()
    photo, content = await photo_of(api)
    await api.stored.remove(photo)
    assert await broken.run_once(files=ALL) == [("photo", "file_missing")]
    assert (await shown_image(api))["error"]["code"] == "photo_missing"
    assert await broken.run_once(files=ALL) == []
    await api.stored.write(photo, content)
    assert await broken.run_once(files=ALL) == [("photo", "file_back")]
    assert (await shown_image(api)).get("error") is None


async def shown_image(api: Any) -> dict[str, Any]:
    image: dict[str, Any] = (await api.get("/orders/M1000"))["line_items"][0]["images"][0]
    return image


async def test_a_missing_shop_photo_is_downloaded_again_and_its_pages_are_kept(
    api: Any, broken: Any, coloring: Any, worker: Any, database: Any, sql: asyncpg.Connection
) -> None:
    version_id = await coloring()
    await worker.end("coloring", version_id)
    await store(api, version_id)
    await broken.lose_jobs()
    await sql.execute("UPDATE images SET original_url = 'https://photos.test/1'")
    photo, content = await photo_of(api)
    await api.stored.remove(photo)
    assert await broken.run_once(files=ALL) == [("photo", "file_missing")]
    assert (await api.get("/orders/M1000"))["status"] == "downloading"
    claim = await claimed(database, Downloads.table, 1)
    await api.stored.write(photo, content)

    at = StoredPhoto(1, photo, 120, 90)
    await database.write(lambda c: stored(c, claim, at, "coloring"))
    assert await sql.fetchval("SELECT count(*) FROM coloring_versions") == 1
    assert (await api.get("/orders/M1000"))["status"] == "ready_for_review"
