"""Versions of a book: asked for, composed by a worker, shown, tried again, erased."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import pikepdf
import pytest
from PIL import Image

from pastelka_common.servers.ports import free_port
from pastelka_common.storage import FolderStorage
from pastelka_common.testing.waiting import until
from pastelka_orders.book import process
from pastelka_orders.book.process import BookComposer
from pastelka_orders.database import Database
from pastelka_orders.erasure import Eraser
from pastelka_orders.handlers import stored_files as noted
from pastelka_orders.handlers.book_versions import BookJobs
from pastelka_orders.repository import stored_files
from pastelka_orders.settings import OrdersSettings
from services.orders.tests.api.test_exports import page
from services.orders.tests.api_client import serving
from services.orders.tests.job_attempts import attempt_due

BOOKS = "/orders/M1000/books"
PDF = "1/book/v1/M1000.pdf"
PUSHES = "SELECT count(*) FROM outbox WHERE subject LIKE 'events.order.M1000.order_changed'"


def jobs(database: Database, api: Any) -> BookJobs:
    return BookJobs(database, api.stored, BookComposer(), {})


async def colored(api: Any, worker: Any, number: int = 1, photos: int = 2) -> None:
    """An order of which every photo has a chosen page."""
    await api.order(photos, customer_name="Jana Nováková")
    for version in await api.post(f"/orders/M{999 + number}/generate-coloring"):
        await worker.end("coloring", version["id"])
    for path in await chosen(api, f"/orders/M{999 + number}"):
        page(api.storage / path, size=(2000, 1500))


async def composed_book(api: Any, worker: Any, database: Database) -> None:
    """An order with a composed book."""
    await colored(api, worker)
    await api.post(BOOKS)
    await attempt_due(database, jobs(database, api))


async def chosen(api: Any, order: str) -> list[str]:
    """Paths of the chosen pages."""
    found = await api.get(order)
    return [
        version["url"].split("/images/", 1)[1]
        for item in found["line_items"]
        for image in item["images"]
        for version in image["versions"]["coloring"]
    ]


async def test_a_book_is_composed_in_the_background_and_shown(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await colored(api, worker)
    asked = await api.post(BOOKS, {"paper": "A5", "has_numbers": True})
    assert (asked["version"], asked["status"], asked["progress"], asked["url"]) == (1, "queued", 0, None)
    assert (asked["options"]["paper"], asked["options"]["font"]) == ("A5", "Nunito")
    # The same book again is that one; other options are another version.
    assert (await api.post(BOOKS, {"paper": "A5", "has_numbers": True}))["version"] == 1
    assert (await api.post(BOOKS))["version"] == 2
    await sql.execute("DELETE FROM outbox")
    await attempt_due(database, jobs(database, api))
    assert await sql.fetchval(PUSHES) == 6  # begun, composed and completed, of both
    newest, first = await api.get(BOOKS)
    assert (newest["version"], first["version"]) == (2, 1)
    assert (first["status"], first["progress"], first["sheets"], len(first["previews"])) == (
        "completed",
        100,
        4,
        4,
    )
    assert first["url"].endswith(f"/images/{PDF}")
    assert [url.rsplit("/", 1)[-1] for url in first["previews"]] == [f"sheet_{n}.webp" for n in (1, 2, 3, 4)]
    names = [name for name in api.files() if "/book/v1/" in name]
    assert names == sorted([PDF, *(f"1/book/v1/sheet_{n}.webp" for n in (1, 2, 3, 4))])
    with pikepdf.open(api.storage / PDF) as pdf:
        assert [round(float(page.trimbox[2])) for page in pdf.pages] == [420] * 4
    with Image.open(api.storage / "1/book/v1/sheet_2.webp") as preview:
        assert preview.size[1] == 560
    printed = await api.http.get("/orders/M1000/print")
    assert printed.content == (api.storage / "1/book/v2/M1000.pdf").read_bytes()
    older = await api.http.get("/orders/M1000/print?version=1")
    assert older.content == (api.storage / PDF).read_bytes()
    assert 'filename="M1000-print.pdf"' in older.headers["content-disposition"]
    assert (await api.get("/orders/M1000/print?version=3", status=404))["code"] == "book_not_found"
    assert (await api.get("/orders/M9/print?version=1", status=404))["code"] == "order_not_found"
    await api.get("/orders/M1000/print?version=0", status=422)
    # Composed again it is the same file to the byte: a second attempt changes nothing.
    await sql.execute("UPDATE book_versions SET status = 'queued', next_attempt_at = now() WHERE version = 1")
    before = (api.storage / PDF).read_bytes()
    await attempt_due(database, jobs(database, api))
    assert (api.storage / PDF).read_bytes() == before


async def test_the_preflight_stops_a_book_unless_it_is_forced(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await colored(api, worker)
    await sql.execute("UPDATE images SET selected_coloring_id = NULL WHERE id = 2")
    await sql.execute("UPDATE line_items SET layout = 'six'")
    found = await api.get(f"{BOOKS}/preflight?paper=A3")
    assert found["can_print"] is False
    assert found["findings"][0]["values"] == {"title": "Omalovánky z vlastních fotek", "layout": "six"}
    assert [(one["severity"], one["code"], one["image_id"]) for one in found["findings"]] == [
        ("warning", "unknown_layout", None),
        ("warning", "low_resolution", 1),
        ("error", "no_chosen_page", 2),
    ]
    refused = await api.post(BOOKS, status=409)
    assert refused["code"] == "book_has_errors"
    assert refused["findings"] == ["No page is chosen for photo 2; choose a completed one."]
    assert (await api.post(f"{BOOKS}?force=true"))["version"] == 1
    await attempt_due(database, jobs(database, api))
    (book,) = await api.get(BOOKS)
    assert (book["status"], book["sheets"]) == ("completed", 2)
    await sql.execute("UPDATE orders SET cancelled_at = now()")
    refused = await api.post(f"{BOOKS}?force=true", status=409)
    assert refused["findings"] == ["Order M1000 was cancelled in the shop; nothing is printed for it."]
    for query in ("", "?version=1"):
        assert (await api.get(f"/orders/M1000/print{query}", status=409))["code"] == "order_cancelled"


async def test_the_options_of_the_settings_are_listed(api: Any, settings: OrdersSettings) -> None:
    assert await api.get("/books/options") == settings.book_options.model_dump(mode="json")


async def test_missing_orders_and_books_and_invalid_options_are_reported(api: Any, worker: Any) -> None:
    for path in ("/orders/M1/books", "/orders/M1/books/preflight"):
        assert (await api.get(path, status=404))["code"] == "order_not_found"
    assert (await api.post("/orders/M1/books", status=404))["code"] == "order_not_found"
    await colored(api, worker)
    assert (await api.post(f"{BOOKS}/1/retry", status=404))["code"] == "book_not_found"
    assert (await api.post(f"{BOOKS}/99999999999/retry", status=404))["code"] == "book_not_found"
    await api.post(BOOKS, {"paper": "custom"}, status=422)
    await api.post(BOOKS, {"bleed_mm": 9}, status=422)
    await api.get(f"{BOOKS}/preflight?paper=A2", status=422)
    custom = await api.post(BOOKS, {"paper": "custom", "width_mm": 200, "height_mm": 200})
    assert custom["options"]["width_mm"] == 200


async def test_a_failed_book_can_be_retried(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await colored(api, worker)
    await api.post(BOOKS)
    file = api.storage / "1/1/coloring/v1/image_2.png"
    content = file.read_bytes()
    file.write_bytes(content[:500])
    await attempt_due(database, jobs(database, api))
    (book,) = await api.get(BOOKS)
    assert (book["status"], book["error"]["code"], book["url"]) == ("error", "not_printable", None)
    assert book["error"]["message"].startswith("Page M1000-2 is damaged")
    file.unlink()
    assert (await api.post(f"{BOOKS}/1/retry"))["status"] == "queued"
    await attempt_due(database, jobs(database, api))
    (book,) = await api.get(BOOKS)
    assert (book["status"], book["error"]["code"]) == ("error", "file_missing")
    assert [name for name in api.files() if "/book/" in name] == []
    file.write_bytes(content)
    await api.post(f"{BOOKS}/1/retry")
    await api.post(f"{BOOKS}/1/retry")  # a second click
    await attempt_due(database, jobs(database, api))
    (book,) = await api.get(BOOKS)
    assert (book["status"], "error" in book) == ("completed", False)
    assert (await api.post(f"{BOOKS}/1/retry", status=409))["code"] == "book_state"


async def test_a_book_is_marked_as_printed(api: Any, worker: Any, database: Database) -> None:
    await colored(api, worker)
    await api.post(BOOKS)
    assert (await change(api, is_printed=True)).status_code == 409
    await attempt_due(database, jobs(database, api))
    marked = (await change(api, is_printed=True)).json()
    assert marked["printed_at"]
    assert (await change(api, is_printed=True)).json()["printed_at"] == marked["printed_at"]
    assert (await change(api, is_printed=False)).json()["printed_at"] is None


async def change(api: Any, **values: Any) -> Any:
    return await api.http.patch(f"{BOOKS}/1", json=values)


async def test_books_of_several_orders_are_one_pdf_with_separators(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    for number in (1, 2):
        await colored(api, worker, number)
    await sql.execute("UPDATE line_items SET quantity = 2 WHERE id = 2")
    wanted = {"order_numbers": ["M1001", "M1000"]}
    await api.post("/orders/M1000/books")
    await attempt_due(database, jobs(database, api))
    missing = await api.post("/books", wanted, status=409)
    assert (missing["code"], missing["order_numbers"]) == ("books_missing", ["M1001"])
    await api.post("/orders/M1001/books?force=true")
    await attempt_due(database, jobs(database, api))
    response = await api.http.post("/books", json=wanted)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/pdf"
    with pikepdf.open(BytesIO(response.content)) as pdf:
        # A separator and two copies of a cover and two pages; a separator and one copy; all on fronts.
        assert len(pdf.pages) == 2 + 2 * 4 + 2 + 4
        assert pdf.docinfo["/Title"] == "M1001, M1000"
        assert not pdf.check_pdf_syntax()
    assert [name for name in api.files() if name.endswith(".pdf")] == [
        "1/book/v1/M1000.pdf",
        "2/book/v1/M1001.pdf",
    ]
    assert (await api.post("/books", {"order_numbers": ["M9"]}, status=404))["code"] == "order_not_found"
    for wrong in ([], ["M1001", "M1000", "M1001"]):
        await api.post("/books", {"order_numbers": wrong}, status=422)
    await sql.execute("UPDATE orders SET cancelled_at = now() WHERE id = 1")
    assert (await api.post("/books", wanted, status=409))["code"] == "order_cancelled"


async def test_a_book_is_erased_with_its_order(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await colored(api, worker)
    await api.post(BOOKS)
    kind = jobs(database, api)
    await attempt_due(database, kind)
    await api.post(BOOKS, {"paper": "A5"})  # asked for, and not composed any more
    assert (await api.http.delete("/orders/M1000")).status_code == 204
    assert api.files() == []
    await attempt_due(database, kind)
    assert api.files() == []
    assert await sql.fetchval("SELECT count(*) FROM book_versions") == 0
    await attempt_due(database, Eraser(database, api.stored))


async def test_a_book_is_stored_in_a_bucket(
    in_bucket: OrdersSettings, worker: Any, database: Database
) -> None:
    async with serving(in_bucket) as api:
        await api.order(1)
        (version,) = await api.post("/orders/M1000/generate-coloring")
        await worker.end("coloring", version["id"])
        image = BytesIO()
        Image.effect_noise((900, 600), 50).save(image, "PNG")
        await api.stored.write("1/1/coloring/v1/image_1.png", image.getvalue())
        await api.post(BOOKS)
        await attempt_due(database, jobs(database, api))
        (book,) = await api.get(BOOKS)
        assert book["status"] == "completed"
        assert (await api.stored.read(PDF)).startswith(b"%PDF-1.7")
        assert (await api.http.get("/orders/M1000/print")).content == await api.stored.read(PDF)


async def test_a_lost_claim_changes_nothing(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was suspended does not complete what another one has by now."""
    await colored(api, worker)
    await api.post(BOOKS)
    real = FolderStorage.put_file

    async def stolen(self: FolderStorage, path: str, source: Path) -> None:
        await real(self, path, source)
        if path == PDF:
            await sql.execute("UPDATE book_versions SET claimed_until = now() + interval '1 hour'")

    monkeypatch.setattr(FolderStorage, "put_file", stolen)
    await attempt_due(database, jobs(database, api))
    (book,) = await api.get(BOOKS)
    assert (book["status"], book["progress"], book["url"]) == ("composing", 70, None)
    # What is not finished is not served. (A quick book of the same second has the same bytes.)
    (api.storage / PDF).write_bytes(b"not finished")
    assert (await api.http.get("/orders/M1000/print")).content.startswith(b"%PDF-1.7")


@asynccontextmanager
async def worker_process(settings: OrdersSettings, nats_url: str) -> AsyncIterator[Any]:
    """A worker in a process of its own; killed with what it started when the body ends."""
    environment = {
        **os.environ,
        "NATS_URL": nats_url,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "STORAGE_PATH": str(settings.storage_path),
        "PORT": str(free_port()),
    }
    command = (sys.executable, "-m", "pastelka_orders.entrypoints.worker")
    found = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        yield found
    finally:
        if found.returncode is None:
            found.send_signal(signal.SIGKILL)
        await found.wait()


@pytest.mark.timeout(300)
async def test_a_book_whose_worker_is_killed_is_composed_once(
    api: Any, worker: Any, sql: asyncpg.Connection, settings: OrdersSettings, nats_server: Any
) -> None:
    await colored(api, worker, photos=8)
    await api.post(f"{BOOKS}?force=true")
    status = "SELECT status FROM book_versions"
    async with worker_process(settings, nats_server.url) as first:
        await until(lambda: _is(sql, status, {"composing"}), 200)
        first.send_signal(signal.SIGKILL)
        await first.wait()
    assert await sql.fetchval(status) in {"composing", "queued"}
    assert not (await api.get(BOOKS))[0]["url"]
    assert [name for name in api.files() if name.endswith(".pdf")] == []
    # As if the claim had ended by itself.
    await sql.execute("UPDATE book_versions SET claimed_until = now()")
    async with worker_process(settings, nats_server.url):
        await until(lambda: _is(sql, status, {"completed", "error"}), 200)
    (book,) = await api.get(BOOKS)
    assert (book["status"], book["sheets"]) == ("completed", 10)
    assert await sql.fetchval("SELECT lost_claims + attempts FROM book_versions") == 0
    with pikepdf.open(api.storage / PDF) as pdf:
        assert len(pdf.pages) == 10
    assert [name for name in api.files() if "/book/" in name and ".tmp" in name] == []


async def _is(sql: asyncpg.Connection, query: str, values: set[str]) -> bool:
    return await sql.fetchval(query) in values


def test_limits_of_the_composer_are_those_of_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert process.MEMORY_BYTES == 1536 * 2**20
    assert "at most 1.5 GiB of address space" in readme
    assert f"processor time ({process.CPU_SECONDS} s)" in readme


async def test_a_book_is_in_error_while_its_file_is_missing(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await composed_book(api, worker, database)
    content = (api.storage / PDF).read_bytes()
    (api.storage / PDF).unlink()
    assert (await api.get("/orders/M1000/print?version=1", status=409))["code"] == "file_missing"
    for is_there, status in ((False, "error"), (True, "completed")):
        if is_there:
            (api.storage / PDF).write_bytes(content)
        files = await database.read(lambda c: stored_files.page(c, "book", after=0, page=9, grace=0))
        assert [(file.path, file.is_noted) for file in files] == [(PDF, is_there)]
        note = noted.mark_found if is_there else noted.mark_missing
        assert await database.write(lambda c, note=note, files=files: note(c, files[0]))
        assert not await database.write(lambda c, note=note, files=files: note(c, files[0]))
        (book,) = await api.get(BOOKS)
        assert (book["status"], "error" in book) == (status, not is_there)
