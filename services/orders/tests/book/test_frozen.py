"""A book is what was asked for: later changes of the order are noticed, and change no version."""

from typing import Any

import asyncpg
import pytest
from anyio import Path as AsyncPath

from pastelka_orders.database import Database
from pastelka_orders.handlers import stored_files as noted
from pastelka_orders.repository.stored_files import StoredFile
from services.orders.tests.book.samples import tool
from services.orders.tests.book.test_versions import BOOKS, PDF, colored, jobs
from services.orders.tests.job_attempts import attempt_due

REPLACED = """UPDATE images SET photo_replaced_at = now() + interval '1 minute', selected_coloring_id = NULL
    WHERE id = 2"""


async def newest(api: Any, order: str = "M1000") -> Any:
    return (await api.get(f"/orders/{order}/books"))[0]


async def composed(api: Any, database: Database, order: str = "M1000") -> Any:
    """A finished version of the order's book."""
    await api.post(f"/orders/{order}/books?force=true")
    await attempt_due(database, jobs(database, api))
    return await newest(api, order)


async def text_of(api: Any, tmp_path: Any, content: bytes) -> str:
    file = tmp_path / "said.pdf"
    await AsyncPath(file).write_bytes(content)
    return " ".join(tool("pdftotext", file, "-").split())


async def test_a_book_has_the_content_of_the_time_of_its_request(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection, tmp_path: Any
) -> None:
    await colored(api, worker)
    await sql.execute("UPDATE line_items SET title = 'Jablko', dedication = 'Pro Evu'")
    await api.post(BOOKS)
    assert (await newest(api))["is_outdated"] is False
    await sql.execute("UPDATE line_items SET title = 'Hruška', quantity = 2")
    await attempt_due(database, jobs(database, api))
    book = await newest(api)
    assert (book["status"], book["sheets"], book["is_outdated"]) == ("completed", 4, True)
    content = (api.storage / PDF).read_bytes()
    assert "Jablko" in await text_of(api, tmp_path, content)
    # What is served is never older than the order.
    printed = await api.http.get("/orders/M1000/print")
    assert printed.status_code == 200
    assert "Hruška" in await text_of(api, tmp_path, printed.content)
    # A lost file is composed again as it was: its address never shows anything else.
    (api.storage / PDF).unlink()
    lost = StoredFile("book", 1, PDF, is_noted=False)
    assert await database.write(lambda c: noted.mark_missing(c, lost))
    await api.post(f"{BOOKS}/1/retry")
    await attempt_due(database, jobs(database, api))
    assert (api.storage / PDF).read_bytes() == content
    assert (await api.post(BOOKS))["version"] == 2
    await attempt_due(database, jobs(database, api))
    book = await newest(api)
    assert (book["sheets"], book["is_outdated"], book["is_forced"]) == (8, False, False)


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ("UPDATE orders SET cancelled_at = now()", "order_cancelled", "Order M1000 was cancelled"),
        ("UPDATE line_items SET quantity = 0", "no_pages", "No page to print"),
        (
            "UPDATE images SET selected_coloring_id = NULL WHERE id = 2",
            "no_chosen_page",
            "No page is chosen for photo 2",
        ),
        (REPLACED, "photo_replaced", "The photo of page 2 was replaced"),
    ],
)
async def test_a_book_that_became_unprintable_is_not_composed(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection, change: str, code: str, sentence: str
) -> None:
    await colored(api, worker)
    await api.post(BOOKS)
    await sql.execute(change)
    await attempt_due(database, jobs(database, api))
    book = await newest(api)
    assert (book["status"], book["error"]["code"]) == ("error", code)
    assert book["error"]["message"].startswith(sentence)
    assert [name for name in api.files() if "/book/" in name] == []


async def test_a_forced_book_is_composed_as_requested_unless_the_shop_withdrew_it(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await colored(api, worker)
    await api.post(f"{BOOKS}?force=true")
    await sql.execute("UPDATE images SET selected_coloring_id = NULL")
    await attempt_due(database, jobs(database, api))
    assert ((await newest(api))["status"], (await newest(api))["sheets"]) == ("completed", 4)
    await sql.execute("UPDATE images SET selected_coloring_id = id")
    await api.post(f"{BOOKS}?force=true")
    await sql.execute("UPDATE line_items SET quantity = 0")
    await attempt_due(database, jobs(database, api))
    assert (await newest(api))["error"]["code"] == "item_removed"


async def test_force_leaves_out_pages_whose_files_are_missing(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await colored(api, worker)
    (api.storage / "1/1/coloring/v1/image_1.png").unlink()
    (api.storage / "1/1/image_2.jpg").unlink()
    with_photos = {"has_photo_page": True}
    refused = await api.post(BOOKS, with_photos, status=409)
    assert refused["findings"] == [
        "The file of page 1 is not in the storage; generate it again.",
        "The photo of page 2 is not in the storage.",
    ]
    await api.post(f"{BOOKS}?force=true", with_photos)
    await attempt_due(database, jobs(database, api))
    book = await newest(api)
    assert (book["status"], book["sheets"], book["is_forced"]) == ("completed", 2, True)
    assert book["is_outdated"]  # it lacks something that the order has
    (api.storage / "1/1/coloring/v1/image_2.png").unlink()
    refused = await api.post(f"{BOOKS}?force=true", status=409)
    assert refused["findings"][-1] == "No page to print; choose a completed one."


async def test_several_books_are_printed_as_composed_or_rejected_as_outdated(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection, tmp_path: Any
) -> None:
    for number, title in ((1, "Jablko"), (2, "Hruška")):
        await colored(api, worker, number)
        await sql.execute("UPDATE line_items SET title = $1 WHERE id = $2", title, number)
        await composed(api, database, f"M{999 + number}")
    wanted = {"order_numbers": ["M1000", "M1001"]}
    await sql.execute("UPDATE line_items SET title = 'Švestka', quantity = 7 WHERE id = 2")
    refused = await api.post("/books", wanted, status=409)
    assert (refused["code"], refused["order_numbers"]) == ("books_outdated", ["M1001"])
    response = await api.http.post("/books?force=true", json=wanted)
    assert response.status_code == 200, response.text
    said = await text_of(api, tmp_path, response.content)
    # The separator sheet says what the book is, not what the order is by now.
    assert ("1 \u00d7 Hruška" in said, "Švestka" in said) == (True, False)


async def test_a_replaced_photo_outdates_only_books_that_show_photos(
    api: Any, worker: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await colored(api, worker)
    await composed(api, database)
    await api.post(BOOKS, {"has_cover_photo": True})
    await attempt_due(database, jobs(database, api))
    await sql.execute("UPDATE images SET path = '1/1/other.jpg' WHERE id = 1")
    assert [book["is_outdated"] for book in await api.get(BOOKS)] == [True, False]
