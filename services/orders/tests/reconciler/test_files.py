"""Rows whose files are gone, and files that are there again."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from pastelka_common.contracts.messages import DownloadJob
from pastelka_orders.handlers.downloads import stored
from pastelka_orders.reconciler.files import FileRounds
from pastelka_orders.repository.orders import StoredPhoto

MISSING = [("coloring", "file_missing")]
ALL = 1000


def file_of(api: Any, version_id: int) -> Path:
    """Where the page that ``PlayedWorker`` reports is to be."""
    return api.storage / "1" / "1" / "coloring" / "v1" / f"image_{version_id}.png"


def store(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"a page")


async def shown(api: Any) -> dict[str, Any]:
    order = await api.get("/orders/M1000")
    image = order["line_items"][0]["images"][0]
    return {"image": image, "version": image["versions"]["coloring"][0]}


async def test_a_completed_page_whose_file_is_gone_is_in_error_and_can_be_made_again(
    api: Any, broken: Any, coloring: Any, worker: Any
) -> None:
    version_id = await coloring()
    await worker.end("coloring", version_id)
    await broken.lose_jobs()
    store(file_of(api, version_id))
    assert await broken.sweep(files=ALL) == []
    file_of(api, version_id).unlink()
    assert await broken.sweep(files=ALL, grace=60) == []
    assert await broken.sweep(files=ALL, dry_run=True) == MISSING
    assert (await shown(api))["version"]["status"] == "completed"
    assert await broken.sweep(files=ALL) == MISSING
    version = (await shown(api))["version"]
    assert (version["status"], version["error"]["code"], version.get("url")) == (
        "error",
        "file_missing",
        None,
    )
    assert await broken.sweep(files=ALL) == []
    await api.post(f"/coloring-versions/{version_id}/retry")
    # It is still the chosen one, and a book without it must not be printed.
    problem = await api.get("/orders/M1000/download", status=409)
    assert problem["code"] == "file_missing"
    await broken.published()
    assert (await broken.job(f"jobs.coloring.{version_id}"))["run"] == 2
    await worker.end("coloring", version_id, run=2)
    store(file_of(api, version_id))
    await broken.lose_jobs()
    assert await broken.sweep(files=ALL) == []
    assert (await shown(api))["image"]["selected_version_ids"]["coloring"] == version_id


async def test_a_file_that_comes_back_needs_no_new_run(
    api: Any, broken: Any, coloring: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    version_id = await coloring()
    await worker.end("coloring", version_id)
    await broken.lose_jobs()
    assert await broken.sweep(files=ALL) == MISSING
    store(file_of(api, version_id))
    assert await broken.sweep(files=ALL) == [("coloring", "file_back")]
    version = (await shown(api))["version"]
    assert (version["status"], version.get("error")) == ("completed", None)
    assert version["url"].endswith(f"image_{version_id}.png")
    ends = await sql.fetch(
        "SELECT status FROM status_changes WHERE status IN ('completed', 'error') ORDER BY id"
    )
    assert [row["status"] for row in ends] == ["completed", "error", "completed"]


async def test_a_page_that_is_made_again_does_not_ask_for_its_svg_again(
    api: Any, broken: Any, worker: Any
) -> None:
    await api.order(process="svg")
    await broken.published()
    await worker.end("coloring", 1)
    await worker.end("svg", 1, "error")
    await broken.lose_jobs()
    assert await broken.sweep(files=ALL) == MISSING
    await api.post("/coloring-versions/1/retry")
    await worker.end("coloring", 1, run=2)
    assert len((await shown(api))["image"]["versions"]["svg"]) == 1


@pytest.mark.parametrize("how", ["not there", "empty", "another"])
async def test_a_storage_that_is_away_is_no_reason_to_judge(
    api: Any, broken: Any, worker: Any, sql: asyncpg.Connection, how: str
) -> None:
    await api.order(photos=20, process="coloring")
    for version_id in range(1, 21):
        await worker.end("coloring", version_id)
    await broken.lose_jobs()
    away = api.storage.with_name("away")
    api.storage.rename(away)
    if how != "not there":
        api.storage.mkdir()
    if how == "another":
        (api.storage / "lost+found").mkdir()
    assert await broken.sweep(files=ALL) == []
    assert await sql.fetchval("SELECT count(*) FROM coloring_versions WHERE status = 'completed'") == 20
    assert await sql.fetchval("SELECT count(*) FROM images WHERE download_error_code IS NOT NULL") == 0


async def test_files_are_looked_for_in_rounds(
    api: Any, broken: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order(photos=5, process="coloring")
    for version_id in range(1, 6):
        await worker.end("coloring", version_id)
        store(file_of(api, version_id))
    await broken.lose_jobs()
    reconciler = broken.reconciler(files=2)
    file_of(api, 5).unlink()
    found = [[one.about["id"] for one in (await reconciler.sweep()).mended] for _ in range(3)]
    assert found == [[], [], [5]]
    file_of(api, 1).unlink()
    assert [one.about["id"] for one in (await reconciler.sweep()).mended] == [1]


async def test_a_whole_round_looks_for_each_file_once(api: Any, broken: Any, worker: Any) -> None:
    await api.order(photos=5, process="coloring")
    for version_id in range(1, 4):
        await worker.end("coloring", version_id)
    sweep = await broken.reconciler().sweep(dry_run=True)
    sweep.mended.clear()
    await FileRounds(2).look_at_all(sweep)
    assert [(one.kind, one.about["id"]) for one in sweep.mended] == [("coloring", n) for n in (1, 2, 3)]


async def test_files_of_an_order_that_is_being_erased_are_not_missed(
    api: Any, broken: Any, coloring: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    version_id = await coloring()
    await worker.end("coloring", version_id)
    await broken.lose_jobs()
    await sql.execute("INSERT INTO erasures (order_id, order_number, deleted_at) VALUES (1, 'M1000', NULL)")
    assert await broken.sweep(files=ALL) == []


async def test_an_uploaded_photo_that_is_gone_is_said_to_be_and_to_be_back(api: Any, broken: Any) -> None:
    await api.order()
    await broken.published()
    (photo,) = list(api.storage.rglob("image_1.jpg"))
    content = photo.read_bytes()
    photo.unlink()
    assert await broken.sweep(files=ALL) == [("photo", "file_missing")]
    assert (await shown_image(api))["error"]["code"] == "photo_missing"
    assert await broken.sweep(files=ALL) == []
    photo.write_bytes(content)
    assert await broken.sweep(files=ALL) == [("photo", "file_back")]
    assert (await shown_image(api)).get("error") is None


async def shown_image(api: Any) -> dict[str, Any]:
    image: dict[str, Any] = (await api.get("/orders/M1000"))["line_items"][0]["images"][0]
    return image


async def test_a_photo_of_the_shop_is_fetched_again_and_its_pages_are_not_made_again(
    api: Any, broken: Any, coloring: Any, worker: Any, database: Any, sql: asyncpg.Connection
) -> None:
    version_id = await coloring()
    await worker.end("coloring", version_id)
    store(file_of(api, version_id))
    await broken.lose_jobs()
    await sql.execute("UPDATE images SET original_url = 'https://photos.test/1'")
    (photo,) = list(api.storage.rglob("image_1.jpg"))
    content = photo.read_bytes()
    photo.unlink()
    assert await broken.sweep(files=ALL) == [("photo", "file_missing")]
    assert (await api.get("/orders/M1000"))["status"] == "downloading"
    assert await broken.sweep(files=ALL) == [("download", "job_missing")]
    job = await broken.job("jobs.download.1")
    photo.write_bytes(content)

    at = StoredPhoto(1, photo.relative_to(api.storage).as_posix(), 120, 90)
    await database.write(lambda c: stored(c, DownloadJob.model_validate(job), at, "coloring"))
    assert await sql.fetchval("SELECT count(*) FROM coloring_versions") == 1
    assert (await api.get("/orders/M1000"))["status"] == "ready_for_review"
