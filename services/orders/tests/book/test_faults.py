"""What is not the book's fault: full disks, slow texts, damaged PDFs, claims that are extended meanwhile."""

import errno
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml

from pastelka_common.storage import FolderStorage
from pastelka_orders.api.routes import books as routes
from pastelka_orders.book import process
from pastelka_orders.book.description import Book, BookOptions, Picture
from pastelka_orders.book.process import ComposerError
from pastelka_orders.database import Database
from pastelka_orders.handlers import book_versions, books, preflight
from pastelka_orders.repository import claims
from pastelka_orders.row_jobs import JobRunner
from services.orders.tests.book.samples import composed, order, photo, png
from services.orders.tests.book.test_preflight import ITEM
from services.orders.tests.book.test_preflight import order as of_items
from services.orders.tests.book.test_versions import BOOKS, PDF, colored, composed_book, jobs
from services.orders.tests.job_attempts import attempt_due


@pytest.mark.parametrize("name", ["art_0_0.png", "photo_0_0.jpg", "sheets.json", "book.pdf", "sheet_2.webp"])
async def test_a_full_disk_is_not_reported_as_a_damaged_page(tmp_path: Path, name: str) -> None:
    art = png(tmp_path / "page.png", (300, 200), mode="RGBA")
    page = Picture(label="1270-1", art=art, photo=photo(tmp_path / "photo.jpg"))
    folder = tmp_path / "book"
    folder.mkdir()
    (folder / name).symlink_to("/dev/full")
    with pytest.raises(ComposerError) as caught:
        await composed(
            folder, order(Book(title="A", pictures=(page,))), has_previews=True, has_cover_photo=True
        )
    assert (caught.value.code, "TMPDIR" in caught.value.message) == ("temp_full", True)


def full(*_arguments: Any, **_options: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_book_waits_for_free_disk_space(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await colored(api, worker)
    await api.post(BOOKS)
    state = "SELECT status, attempts, last_error FROM book_versions"
    with monkeypatch.context() as patch:
        patch.setattr(books.anyio, "TemporaryDirectory", full)
        await attempt_due(database, jobs(database, api))
        assert (await api.get("/orders/M1000/print", status=503))["code"] == "book_not_composed"
    status, attempts, reason = await sql.fetchrow(state)
    assert (status, attempts) == ("composing", 1)
    assert reason.startswith("The folder for temporary files (TMPDIR) has no room")
    await sql.execute("UPDATE book_versions SET next_attempt_at = now(), attempts = 0")
    with monkeypatch.context() as patch:
        patch.setattr(FolderStorage, "put_file", full)
        await attempt_due(database, jobs(database, api))
    assert tuple(await sql.fetchrow(state)) == ("composing", 0, "The storage is full; free space in it.")


async def test_a_damaged_stored_book_is_reported_with_its_order(
    api: Any, worker: Any, database: Database
) -> None:
    await composed_book(api, worker, database)
    (api.storage / PDF).write_bytes(b"no PDF")
    problem = await api.post("/books", {"order_numbers": ["M1000"]}, status=409)
    assert problem["code"] == "not_printable"
    assert problem["detail"] == "The book of order M1000 is damaged; compose it again."


async def test_joined_books_above_the_size_limit_are_rejected(
    api: Any, worker: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await composed_book(api, worker, database)
    size = (api.storage / PDF).stat().st_size
    monkeypatch.setattr(routes, "MAX_JOINED_BYTES", size - 1)
    problem = await api.post("/books", {"order_numbers": ["M1000"]}, status=409)
    assert (problem["code"], problem["bytes"]) == ("books_too_large", size)
    monkeypatch.setattr(routes, "MAX_JOINED_BYTES", size)
    assert (await api.http.post("/books", json={"order_numbers": ["M1000"]})).status_code == 200


async def test_progress_is_stored_while_the_claim_is_extended(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await colored(api, worker)
    await api.post(BOOKS)
    kind = jobs(database, api)
    runner = JobRunner(database, kind, 1, claim_seconds=0.006)
    (claim,) = await database.write(lambda c: claims.claim_due(c, kind.table, free=1, lease=60))
    async with runner._extended(claim):
        for number in range(100):
            await kind._progress(claim, number)
    assert await sql.fetchval("SELECT progress FROM book_versions") == 99


def test_long_dedications_are_fitted_quickly() -> None:
    long = replace(ITEM, dedication=("Milá babičko, " * 300)[:3990])
    content = of_items(*[replace(long, line_item_id=number) for number in range(30)])
    preflight.check(content, BookOptions(), {}, {})
    begun = time.thread_time()
    found = preflight.check(content, BookOptions(), {}, {})
    assert time.thread_time() - begun < 0.5
    assert [one.code for one in found] == ["dedication_too_long"] * 30


async def test_the_preflight_runs_in_a_thread_and_copies_no_pages(
    api: Any, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await colored(api, worker)
    threads: list[int] = []

    def noted(*arguments: Any) -> Any:
        threads.append(threading.get_ident())
        return preflight.check(*arguments)

    monkeypatch.setattr(book_versions, "check", noted)
    monkeypatch.setattr(FolderStorage, "local_copy", full)
    found = await api.get(f"{BOOKS}/preflight?paper=A3")
    assert [one["code"] for one in found["findings"]] == ["low_resolution"] * 2
    assert threads
    assert threading.get_ident() not in threads


async def test_paper_without_a_printable_area_is_refused(api: Any, worker: Any) -> None:
    await colored(api, worker)
    small = "paper=custom&width_mm=50&height_mm=200&inner_margin_mm=40"
    problem = await api.get(f"{BOOKS}/preflight?{small}", status=422)
    assert "the printable area would be -10 x 180 mm" in problem["detail"]
    tiny = {"paper": "custom", "width_mm": 50, "height_mm": 50}
    assert (await api.post(BOOKS, tiny))["version"] == 1


async def test_options_that_conflict_with_the_settings_are_rejected(
    settings: Any, serving: Any, worker: Any
) -> None:
    async with serving(settings.model_copy(update={"print_numbers": True})) as api:
        await colored(api, worker)
        problem = await api.post(BOOKS, {"paper": "custom", "width_mm": 50, "height_mm": 50}, status=422)
        assert "30 x 24 mm" in problem["detail"]


@pytest.mark.parametrize(
    ("limit", "megabytes"), [("max", 1536), ("0", 384), (f"{2 * 2**30}", 1536), (f"{2**30}", 512)]
)
def test_the_composer_memory_limit_is_below_the_limit_of_its_container(
    tmp_path: Path, limit: str, megabytes: int
) -> None:
    file = tmp_path / "memory.max"
    file.write_text(f"{limit}\n")
    assert process.memory_bytes([tmp_path / "missing", file]) == megabytes * 2**20


def test_the_containers_of_orders_have_room_for_a_composer() -> None:
    deploy = Path(__file__).parents[4] / "deploy"
    values = yaml.safe_load((deploy / "helm/pastelka/values.yaml").read_text())
    needed = process.MEMORY_BYTES + process.RESERVED_BYTES
    for component in ("ordersApi", "ordersWorker"):
        assert values[component]["resources"]["limits"]["memory"] == f"{needed // 2**30}Gi"
    compose = yaml.safe_load((deploy / "compose/compose.yaml").read_text())
    for service in ("orders-api", "orders-worker"):
        limits = compose["services"][service]["deploy"]["resources"]["limits"]
        assert limits["memory"] == f"{needed // 2**30}g"
