"""An order's files as one: ZIP and PDF."""

from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import asyncpg
import pikepdf
import pytest
from anyio import to_thread
from PIL import Image

from pastelka_common.storage import FolderStorage
from pastelka_orders.exports import StoredEntry, file_name, zip_export


def page(path: Path, *, size: tuple[int, int] = (300, 200)) -> bytes:
    """Store a coloring page; returns the file's content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 50).save(path, "PNG", compress_level=1)
    return path.read_bytes()


async def colored(api: Any, worker: Any, photos: int = 3) -> list[bytes]:
    """An order with a chosen page for every image but the last; returns their contents."""
    await api.order(photos)
    versions = await api.post("/orders/M1000/generate-coloring")
    pages = []
    for number, version in enumerate(versions[:-1]):
        await worker.end("coloring", version["id"])
        name = f"1/1/coloring/v1/image_{version['id']}.png"
        pages.append(page(api.storage / name, size=(300, 200) if number % 2 else (200, 300)))
    return pages


async def test_the_selected_pages_are_exported_as_a_zip(api: Any, worker: Any) -> None:
    pages = await colored(api, worker)
    response = await api.http.get("/orders/M1000/download?what=coloring")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["content-disposition"] == 'attachment; filename="M1000-coloring.zip"'
    assert int(response.headers["content-length"]) == len(response.content)
    with ZipFile(BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["M1000-1.png", "M1000-2.png"]
        assert [archive.read(name) for name in archive.namelist()] == pages


async def test_svgs_and_photos_are_exported_as_a_zip(api: Any, worker: Any) -> None:
    await colored(api, worker, 2)
    svg = await api.post("/images/1/generate-svg")
    await worker.end("svg", svg["id"])
    (api.storage / "1/1/svg/v1").mkdir(parents=True)
    (api.storage / f"1/1/svg/v1/image_{svg['id']}.svg").write_text("<svg/>")
    expected = {"svg": ["M1000-1.svg"], "photos": ["M1000-1.jpg", "M1000-2.jpg"]}
    for what, names in expected.items():
        response = await api.http.get(f"/orders/M1000/download?what={what}")
        assert response.status_code == 200, response.text
        with ZipFile(BytesIO(response.content)) as archive:
            assert archive.namelist() == names


async def test_exported_files_of_several_line_items_have_distinct_names(
    api: Any, sql: asyncpg.Connection
) -> None:
    await api.order(1)
    await sql.execute("INSERT INTO line_items (id, order_id, position, title) VALUES (9, 1, 2, 'Second')")
    await sql.execute(
        "INSERT INTO images (line_item_id, position, path) VALUES (9, 1, $1)", "1/1/image_1.jpg"
    )
    response = await api.http.get("/orders/M1000/download?what=photos")
    with ZipFile(BytesIO(response.content)) as archive:
        assert archive.namelist() == ["M1000-1-1.jpg", "M1000-2-1.jpg"]


async def test_a_rejected_export_reports_its_reason(api: Any, worker: Any) -> None:
    for way in ("download", "download?what=photos", "print"):
        assert (await api.get(f"/orders/M1000/{way}", status=404))["code"] == "order_not_found"
    await api.order(1)
    for way in ("download", "download?what=svg", "print"):
        assert (await api.get(f"/orders/M1000/{way}", status=409))["code"] == "nothing_chosen"
    await api.get("/orders/M1000/download?what=everything", status=422)
    (version,) = await api.post("/orders/M1000/generate-coloring")
    await worker.end("coloring", version["id"])
    for way in ("download", "print"):
        problem = await api.get(f"/orders/M1000/{way}", status=409)
        assert problem["code"] == "file_missing"
        assert "M1000-1.png" in problem["detail"]


async def test_the_books_are_exported_as_a_pdf_of_a4_sheets(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await colored(api, worker)
    await sql.execute("UPDATE line_items SET title = 'Omalovánky', dedication = 'Pro Káju', quantity = 2")
    response = await api.http.get("/orders/M1000/print")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"] == 'attachment; filename="M1000-print.pdf"'
    assert int(response.headers["content-length"]) == len(response.content)
    with pikepdf.open(BytesIO(response.content)) as pdf:
        sizes = [tuple(round(float(side)) for side in page.trimbox.as_list()[2:]) for page in pdf.pages]
        # A cover, two pages and a blank back, twice: all sheets have one size, a lying page is turned.
        assert sizes == [(595, 842)] * 8
        assert pdf.docinfo["/Title"] == "M1000: Omalovánky"


async def test_an_svg_is_printed_only_if_it_was_made_from_the_selected_page(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await colored(api, worker, 2)
    made = await api.post("/images/1/generate-svg")
    await worker.end("svg", made["id"])
    vectors = api.storage / f"1/1/svg/v1/image_{made['id']}.svg"
    vectors.parent.mkdir(parents=True)
    vectors.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><path d="M1 1h9v9z"/></svg>'
    )
    assert await raster_pages(api) == 0
    # Another page is chosen now: the SVG is one of the page before.
    other = await api.post("/images/1/generate-coloring", {"steps": 9})
    await worker.end("coloring", other["id"])
    page(api.storage / "1/1/coloring/v2/image_1.png")
    await sql.execute("UPDATE images SET selected_coloring_id = $1 WHERE id = 1", other["id"])
    assert await raster_pages(api) == 1


async def raster_pages(api: Any) -> int:
    response = await api.http.get("/orders/M1000/print")
    assert response.status_code == 200, response.text
    with pikepdf.open(BytesIO(response.content)) as pdf:
        return sum(bool(page.Resources.get("/XObject")) for page in pdf.pages)


async def test_a_removed_item_is_not_printed(api: Any, worker: Any, sql: asyncpg.Connection) -> None:
    await colored(api, worker)
    await sql.execute("UPDATE line_items SET quantity = 0")
    assert (await api.get("/orders/M1000/print", status=409))["code"] == "nothing_chosen"


@pytest.mark.parametrize("length", [0, 20, 100])
async def test_a_damaged_page_is_not_printed(api: Any, worker: Any, length: int) -> None:
    await api.order(1)
    (version,) = await api.post("/orders/M1000/generate-coloring")
    await worker.end("coloring", version["id"])
    file = api.storage / f"1/1/coloring/v1/image_{version['id']}.png"
    file.write_bytes(page(file)[:length])
    assert (await api.get("/orders/M1000/print", status=409))["code"] == "not_printable"


def test_special_characters_in_file_names_are_replaced() -> None:
    assert file_name("M1000", "1") == "M1000-1"
    assert file_name('../a"b\r\n', "č.zip") == ".._a_b_-_.zip"


class _ReadStorage(FolderStorage):
    """Notes which files are read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads: list[str] = []

    async def read(self, path: str) -> bytes:
        self.reads.append(path)
        return await super().read(path)


async def test_a_zip_export_reads_each_file_lazily(tmp_path: Path) -> None:
    storage = _ReadStorage(tmp_path)
    entries = []
    for number in (1, 2, 3):
        await storage.write(f"1/{number}.png", bytes([number]) * 100_000)
        entries.append(StoredEntry(f"{number}.png", f"1/{number}.png"))
    export = await zip_export(storage, entries)
    assert storage.reads == []
    content, before_first = b"", 0
    while (piece := await to_thread.run_sync(next, export.pieces, b"")) != b"":
        content += piece
        if bytes([1]) * 1000 in content and not before_first:
            before_first = len(storage.reads)
    assert (before_first, storage.reads) == (1, ["1/1.png", "1/2.png", "1/3.png"])
    assert len(content) == export.size
    with ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.read("2.png") == bytes([2]) * 100_000
