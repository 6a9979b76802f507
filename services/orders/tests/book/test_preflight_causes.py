"""Each finding of the preflight, caused by what happens to an order, asked of the API."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, get_args

import asyncpg
import pytest

from pastelka_orders.handlers import preflight
from services.orders.tests.api.test_exports import page

ORDER = "/orders/M1000"
PREFLIGHT = f"{ORDER}/books/preflight"
LARGE, SMALL = (2200, 3000), (800, 1200)
PHOTO_1 = "1/1/coloring/v1/image_1.png"


@dataclass(frozen=True, slots=True)
class Scene:
    """An order of two photos, each with a chosen page that is large enough for A4."""

    api: Any
    worker: Any
    sql: asyncpg.Connection

    async def change_item(self, **values: Any) -> None:
        response = await self.api.http.patch(f"{ORDER}/line-items/1", json=values)
        assert response.status_code == 200, response.text

    async def second_version(self) -> int:
        """Another page of the first photo that is asked for; the first one is not chosen any more."""
        version = await self.api.post("/images/1/generate-coloring", {"megapixels": 2, "steps": 8})
        await self.sql.execute("UPDATE images SET selected_coloring_id = NULL WHERE id = 1")
        return int(version["id"])


async def no_chosen_page(scene: Scene) -> None:
    await scene.sql.execute("UPDATE images SET selected_coloring_id = NULL WHERE id = 1")


async def page_in_progress(scene: Scene) -> None:
    await scene.second_version()


async def page_in_error(scene: Scene) -> None:
    await scene.worker.end("coloring", await scene.second_version(), "error")


async def file_missing(scene: Scene) -> None:
    (scene.api.storage / PHOTO_1).unlink()


async def file_damaged(scene: Scene) -> None:
    (scene.api.storage / PHOTO_1).write_bytes(b"not a picture")


async def newer_page_in_progress(scene: Scene) -> None:
    await scene.api.post("/images/1/generate-coloring", {"megapixels": 2, "steps": 8})


async def newer_page_in_error(scene: Scene) -> None:
    version = await scene.api.post("/images/1/generate-coloring", {"megapixels": 2, "steps": 8})
    await scene.worker.end("coloring", version["id"], "error")


async def low_resolution(scene: Scene) -> None:
    page(scene.api.storage / PHOTO_1, size=SMALL)


async def svg_outdated(scene: Scene) -> None:
    svg = await scene.api.post("/images/1/generate-svg")
    await scene.worker.end("svg", svg["id"])
    newer = await scene.second_version()
    await scene.worker.end("coloring", newer)
    (scene.api.storage / "1/1/coloring/v2").mkdir()
    (scene.api.storage / "1/1/coloring/v2/image_1.png").write_bytes(
        (scene.api.storage / PHOTO_1).read_bytes()
    )
    await scene.sql.execute(
        "UPDATE images SET selected_coloring_id = $1, selected_svg_id = $2 WHERE id = 1", newer, svg["id"]
    )


async def photo_replaced(scene: Scene) -> None:
    await scene.sql.execute("UPDATE images SET photo_replaced_at = clock_timestamp() WHERE id = 1")


async def photo_edited(scene: Scene) -> None:
    response = await scene.api.http.patch(f"{ORDER}/images/1/edit", json={"quarter_turns": 1})
    assert response.status_code == 200, response.text


async def item_removed(scene: Scene) -> None:
    await scene.sql.execute(
        "INSERT INTO line_items (order_id, position, title, quantity) VALUES (1, 2, 'Druhé', 0)"
    )


async def order_cancelled(scene: Scene) -> None:
    await scene.sql.execute("UPDATE orders SET cancelled_at = now()")


async def no_pages(scene: Scene) -> None:
    await scene.sql.execute("DELETE FROM images")


async def unknown_layout(scene: Scene) -> None:
    await scene.change_item(layout="Šest na stránku")


async def dedication_too_long(scene: Scene) -> None:
    await scene.change_item(title="Kniha", dedication="slovo " * 300)


async def characters_missing(scene: Scene) -> None:
    await scene.change_item(title="Kniha", dedication="Pro 涂 a 色")


async def changed_by_shop(scene: Scene) -> None:
    await scene.sql.execute(
        "UPDATE line_items SET title = 'Kniha', shop_changed_at = now(), shopify_line_item_id = 7,"
        ' shop_values = \'{"title": "Jiná"}\''
    )


CAUSES: list[tuple[Callable[[Scene], Awaitable[None]], str, str]] = [
    (no_chosen_page, "error", "No page is chosen for photo 1; choose a completed one."),
    (page_in_progress, "error", "Page 1 is still being generated; wait until it completes."),
    (page_in_error, "error", "Page 1 could not be generated; retry it."),
    (file_missing, "error", "The file of page 1 is not in the storage; generate it again."),
    (file_damaged, "error", "The file of page 1 is damaged; generate it again."),
    (
        newer_page_in_progress,
        "warning",
        "Another page of photo 1 is being generated; the chosen one is printed.",
    ),
    (
        newer_page_in_error,
        "warning",
        "The newest page of photo 1 could not be generated; the chosen one is printed.",
    ),
    (
        low_resolution,
        "warning",
        "Page 1 prints at 110 pixels per inch; at least 200 are needed: generate an SVG of it, or generate it"
        " with more megapixels.",
    ),
    (
        svg_outdated,
        "warning",
        "The SVG of page 1 is of an older page; the chosen page prints as a bitmap.",
    ),
    (photo_replaced, "error", "The photo of page 1 was replaced after the page was generated."),
    (photo_edited, "warning", "Page 1 was generated before its photo was edited."),
    (item_removed, "warning", "Druhé was removed in the shop; it is not printed."),
    (order_cancelled, "error", "Order M1000 was cancelled in the shop; nothing is printed for it."),
    (no_pages, "error", "No page to print; choose a completed one."),
    (
        unknown_layout,
        "warning",
        "The layout 'Šest na stránku' is unknown; one picture per sheet is printed. Add the word to"
        " PRINT_LAYOUTS, or choose a layout here.",
    ),
    (dedication_too_long, "error", "The dedication of Kniha is too long for the cover by "),
    (
        characters_missing,
        "warning",
        "Characters of Kniha that no typeface has are omitted: 涂色",
    ),
    (
        changed_by_shop,
        "warning",
        "The shop changed Kniha after it was edited here; the values set here are printed.",
    ),
]


@pytest.fixture(scope="module")
def large_pages(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Content of two coloring pages; it takes a second to encode one."""
    file = tmp_path_factory.mktemp("pages") / "page.png"
    return [page(file, size=LARGE) for _ in range(2)]


def test_every_finding_has_a_cause() -> None:
    assert {cause.__name__ for cause, *_ in CAUSES} == set(get_args(preflight.Code))


async def test_a_stored_path_outside_the_storage_is_a_missing_file(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order()
    (version,) = await api.post(f"{ORDER}/generate-coloring")
    await worker.end("coloring", version["id"])
    await sql.execute("UPDATE coloring_versions SET path = '../elsewhere/image_1.png'")
    assert [one["code"] for one in (await api.get(PREFLIGHT))["findings"]] == ["file_missing"]


@pytest.mark.parametrize(
    ("cause", "severity", "sentence"), CAUSES, ids=[cause.__name__ for cause, *_ in CAUSES]
)
async def test_each_finding_can_be_caused_and_errors_block_the_book(
    api: Any,
    worker: Any,
    sql: asyncpg.Connection,
    large_pages: list[bytes],
    cause: Callable[[Scene], Awaitable[None]],
    severity: str,
    sentence: str,
) -> None:
    await api.order(2)
    for version in await api.post(f"{ORDER}/generate-coloring"):
        await worker.end("coloring", version["id"])
    (api.storage / PHOTO_1).parent.mkdir(parents=True)
    for image, content in enumerate(large_pages, start=1):
        (api.storage / f"1/1/coloring/v1/image_{image}.png").write_bytes(content)
    assert await api.get(PREFLIGHT) == {"can_print": True, "findings": []}
    await cause(Scene(api, worker, sql))
    found = await api.get(PREFLIGHT)
    (finding,) = found["findings"]
    assert (finding["code"], finding["severity"]) == (cause.__name__, severity)
    assert finding["message"].startswith(sentence)
    assert found["can_print"] is (severity == "warning")
    if severity == "error":
        refused = await api.post(f"{ORDER}/books", status=409)
        assert refused["findings"] == [finding["message"]]
    else:
        assert (await api.post(f"{ORDER}/books"))["status"] == "queued"
