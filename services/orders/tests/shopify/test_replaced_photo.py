"""The customer replaces a photo: what was made from the one before is not taken for the new one's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import asyncpg
import pytest_asyncio
from aiohttp import web
from PIL import Image

from pastelka_common.storage import FolderStorage
from pastelka_common.testing.wire import Wire
from pastelka_orders.database import Database
from pastelka_orders.handlers.downloads import Downloads
from pastelka_orders.handlers.orders import Process
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.urls import UrlRules
from services.orders.tests.job_attempts import attempt_due


def picture(color: tuple[int, int, int]) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (90, 80), color).save(buffer, "JPEG")
    return buffer.getvalue()


@dataclass
class PhotoHost:
    """Serves photos by name, and tells when it is asked for one."""

    address: str = ""
    photos: dict[str, bytes] = field(default_factory=dict)
    before_answer: Any = None
    asked: list[str] = field(default_factory=list)

    def url(self, name: str) -> str:
        return f"http://{self.address}/{name}.jpg"

    async def serve(self, request: web.Request) -> web.Response:
        self.asked.append(request.match_info["name"])
        if self.before_answer is not None:
            await self.before_answer()
        return web.Response(body=self.photos[request.match_info["name"]], content_type="image/jpeg")


@asynccontextmanager
async def serving() -> AsyncIterator[PhotoHost]:
    host = PhotoHost(photos={"old": picture((200, 0, 0)), "new": picture((0, 0, 200))})
    app = web.Application(middlewares=[Wire().middleware])
    app.router.add_get("/{name}.jpg", host.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host.address = f"127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield host
    finally:
        await runner.cleanup()


@dataclass
class Studio:
    """An order of one photo, and the means to follow it."""

    api: Any
    shop: Any
    payload: Any
    sql: asyncpg.Connection
    host: PhotoHost
    downloader: PhotoDownloader
    database: Database

    async def order(self, name: str, updated_at: str, **changed: Any) -> None:
        """The shop says that the order has this photo."""
        sent = self.payload(updated_at=updated_at, **changed)
        sent["line_items"] = sent["line_items"][:1]
        sent["line_items"][0]["properties"] = [{"name": "Fotka 1", "value": self.host.url(name)}]
        await self.shop.send(sent, "orders/updated")

    async def download(self, process: Process = "none") -> None:
        """One attempt at the photo that the shop has now."""
        downloads = Downloads(self.database, FolderStorage(self.api.storage), self.downloader, process)
        await attempt_due(self.database, downloads)

    async def image(self) -> Any:
        return (await self.api.get("/orders/1270"))["line_items"][0]["images"][0]


@pytest_asyncio.fixture(loop_scope="session")
async def studio(
    api: Any, shop: Any, payload: Any, sql: asyncpg.Connection, database: Database
) -> AsyncIterator[Studio]:
    """With the first photo stored."""
    async with (
        serving() as host,
        PhotoDownloader(PhotoIntake(), rules=UrlRules(allowed_hosts=[host.address])) as downloader,
    ):
        found = Studio(api, shop, payload, sql, host, downloader, database)
        await found.order("old", "2026-11-20T10:00:00Z")
        await found.download()
        yield found


async def test_the_new_photo_has_another_path(studio: Studio) -> None:
    before = (await studio.image())["url"]
    await studio.order("new", "2026-11-20T11:00:00Z")
    image = await studio.image()
    assert (image["id"], image["url"], image["downloaded_at"]) == (1, None, None)
    await studio.download()
    after = (await studio.image())["url"]
    assert before.endswith("/images/1/1/image_1.jpg")
    assert after.endswith("/images/1/1/photo/v2/image_1.jpg")
    assert studio.api.files() == [
        "1/1/image_1.jpg",
        "1/1/photo/v2/image_1.jpg",
        "1/1/photo/v2/thumb_image_1.jpg.webp",
        "1/1/thumb_image_1.jpg.webp",
    ]
    assert (studio.api.storage / "1/1/image_1.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert (await studio.api.get("/orders/1270"))["status"] == "ready_for_review"


async def test_pages_of_the_old_photo_are_neither_selected_nor_counted(studio: Studio, worker: Any) -> None:
    await studio.api.post("/images/1/generate-coloring")
    await worker.end("coloring", 1)
    await studio.api.post("/images/1/generate-svg")
    await worker.end("svg", 1)
    assert (await studio.image())["selected_version_ids"] == {"coloring": 1, "svg": 1}
    await studio.api.post("/images/1/approve", status=200)
    await studio.order("new", "2026-11-20T11:00:00Z")
    await studio.download()
    image = await studio.image()
    assert "approved_at" not in image
    assert (await studio.api.get("/orders/1270"))["attention"] == ["shop_changed"]
    assert image["selected_version_ids"] == {"coloring": None, "svg": None}
    assert [version["status"] for version in image["versions"]["coloring"]] == ["completed"]
    (listed,) = (await studio.api.get("/orders"))["items"]
    assert (listed["coloring_completed"], listed["svg_completed"]) == (0, 0)
    assert (await studio.api.post("/images/1/generate-svg", status=409))["code"] == "no_completed_coloring"
    (made,) = await studio.api.post("/orders/1270/generate-coloring")
    assert made["version"] == 2
    await worker.end("coloring", made["id"])
    assert (await studio.image())["selected_version_ids"]["coloring"] == made["id"]


async def test_versions_of_the_old_photo_are_cancelled(studio: Studio, worker: Any) -> None:
    await studio.api.post("/images/1/generate-coloring")
    await worker.tell(worker.fact("coloring", 1, "processing"))
    await studio.order("new", "2026-11-20T11:00:00Z")
    (version,) = (await studio.image())["versions"]["coloring"]
    assert (version["status"], version["error"]["code"]) == ("error", "photo_replaced")
    stops = await studio.sql.fetchval(
        "SELECT count(*) FROM outbox WHERE subject = '$KV.CANCELS.coloring.1.1'"
    )
    assert stops == 1
    assert await worker.tell(worker.fact("coloring", 1, "completed", step=2)) == 0
    answer = await studio.api.post("/coloring-versions/1/retry", status=409)
    assert answer["code"] == "photo_missing"


async def test_a_download_of_the_old_photo_is_not_stored_as_the_new_one(studio: Studio) -> None:
    await studio.sql.execute("UPDATE images SET path = NULL, downloaded_at = NULL")

    async def replaced() -> None:
        studio.host.before_answer = None
        await studio.order("new", "2026-11-20T11:00:00Z")

    studio.host.before_answer = replaced
    await studio.download()
    assert (await studio.image())["url"].endswith("/photo/v2/image_1.jpg")
    assert studio.host.asked == ["old", "old", "new"]


async def test_automatic_processing_starts_for_the_new_photo(studio: Studio) -> None:
    await studio.order("new", "2026-11-20T11:00:00Z")
    await studio.download("coloring")
    assert len((await studio.image())["versions"]["coloring"]) == 1


async def test_no_automatic_processing_starts_for_a_cancelled_order(studio: Studio) -> None:
    cancelled = "2026-11-20T10:59:00Z"
    await studio.order("new", "2026-11-20T11:00:00Z", cancelled_at=cancelled, financial_status="voided")
    await studio.download("svg")
    image = await studio.image()
    assert image["url"] is not None
    assert image["versions"]["coloring"] == []
