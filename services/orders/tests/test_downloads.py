"""Images that wait for their photos: what is tried again, when, and what a person sees."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from PIL import Image

from pastelka_common.messaging.attempts import RetryPolicy
from pastelka_common.storage import FolderStorage, Storage, StorageUnavailableError
from pastelka_common.testing.waiting import until
from pastelka_common.testing.wire import write_in_pieces
from pastelka_orders import row_jobs
from pastelka_orders.database import Database
from pastelka_orders.database_errors import DatabaseUnavailableError
from pastelka_orders.handlers.downloads import Downloads
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.urls import UrlRules
from pastelka_orders.repository import shop_items
from pastelka_orders.row_jobs import JobRunner

SOON = RetryPolicy(attempts=4, base=0.05, max_delay=0.2)
LONG = 60.0


class Host:
    """A file server. ``answers`` are statuses (200 is the photo), the last stays; it waits for ``gate``."""

    def __init__(self, *answers: int, headers: str = "") -> None:
        self.answers = list(answers)
        self.headers = headers
        self.times: list[float] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.times.append(asyncio.get_running_loop().time())
            await self.gate.wait()
            status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            body = photo() if status == 200 else b""
            head = f"HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
            await write_in_pieces(writer, f"{head}{self.headers}\r\n".encode() + body)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the downloader left
        finally:
            writer.close()

    def url(self, number: int = 1) -> str:
        return f"http://{self.name}/{number}.jpg"

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"


def photo() -> bytes:
    file = BytesIO()
    Image.new("RGB", (90, 80), (1, 99, 9)).save(file, "JPEG")
    return file.getvalue()


@asynccontextmanager
async def serving(host: Host, address: str = "127.0.0.1") -> AsyncIterator[Host]:
    server = await asyncio.start_server(host.serve, address, 0)
    host.port = server.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        host.gate.set()
        server.close()


@asynccontextmanager
async def downloading(
    database: Database, storage: Path | Storage, *hosts: str, concurrency: int = 4, per_host: int = 4
) -> AsyncIterator[JobRunner]:
    """The worker's part that downloads photos."""
    intake, stop = PhotoIntake(), asyncio.Event()
    async with PhotoDownloader(
        intake, rules=UrlRules(allowed_hosts=hosts), per_host=per_host, slot_timeout=0.1
    ) as downloader:
        stored = FolderStorage(storage) if isinstance(storage, Path) else storage
        runner = JobRunner(database, Downloads(database, stored, downloader, "none"), concurrency, SOON)
        task = asyncio.create_task(runner.run(stop))
        try:
            yield runner
        finally:
            stop.set()
            await asyncio.wait_for(task, LONG)
    await intake.aclose()


async def awaiting(api: Any, sql: asyncpg.Connection, *urls: str) -> None:
    """An order whose photos are to be downloaded from there."""
    await api.order(len(urls))
    await FolderStorage(api.storage).erase("1", [])
    await sql.execute("UPDATE orders SET status = 'downloading'")
    await sql.execute(
        """UPDATE images SET path = NULL, downloaded_at = NULL, original_url = n.url
        FROM unnest($1::text[]) WITH ORDINALITY AS n(url, id) WHERE images.id = n.id""",
        list(urls),
    )


def image(api: Any, number: int = 1) -> Callable[[], Any]:
    """Reads an image that has a photo or an error; anything else is not true yet."""

    async def read() -> Any:
        found = (await api.get("/orders/M1000"))["line_items"][0]["images"][number - 1]
        return found if found["url"] or "error" in found else None

    return read


async def test_a_transient_failure_is_retried(api: Any, sql: asyncpg.Connection, database: Database) -> None:
    async with serving(Host(503, 500, 200)) as host:
        await awaiting(api, sql, host.url())
        async with downloading(database, api.storage, host.name):
            found = await until(image(api), LONG)
    assert found["url"]
    assert len(host.times) == 3
    assert (await api.get("/orders/M1000"))["status"] == "ready_for_review"


async def test_the_retry_after_of_a_photo_host_is_respected(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    async with serving(Host(429, 200, headers="Retry-After: 2\r\n")) as host:
        await awaiting(api, sql, host.url())
        async with downloading(database, api.storage, host.name):
            assert (await until(image(api), LONG))["url"]
    first, second = host.times
    assert second - first >= 1.9


@pytest.mark.parametrize(
    ("status", "code"), [(404, "photo_gone"), (403, "photo_access_refused"), (400, "photo_answer_unexpected")]
)
async def test_a_permanent_failure_is_reported_after_one_request(
    api: Any, sql: asyncpg.Connection, database: Database, status: int, code: str
) -> None:
    async with serving(Host(status)) as host:
        await awaiting(api, sql, host.url())
        async with downloading(database, api.storage, host.name):
            found = await until(image(api), LONG)
    assert found["url"] is None
    assert found["error"]["code"] == code
    assert found["error"]["message"].endswith(".")
    assert len(host.times) == 1
    assert (await api.get("/orders/M1000"))["status"] == "error"
    assert api.files() == []


async def test_a_download_that_keeps_failing_ends_after_all_attempts(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    async with serving(Host(503)) as host:
        await awaiting(api, sql, host.url())
        async with downloading(database, api.storage, host.name):
            found = await until(image(api), LONG)
    assert found["error"]["code"] == "photo_server_busy"
    assert len(host.times) == SOON.attempts


async def test_each_image_fails_or_succeeds_on_its_own(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    async with serving(Host(404)) as bad, serving(Host(200)) as good:
        await awaiting(api, sql, good.url(1), bad.url(2), good.url(3))
        async with downloading(database, api.storage, good.name, bad.name):
            found = [await until(image(api, number), LONG) for number in (1, 2, 3)]
    assert [bool(one["url"]) for one in found] == [True, False, True]
    assert [one["error"]["code"] for one in found if "error" in one] == ["photo_gone"]


async def test_a_host_that_does_not_respond_delays_no_other_host(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    """All slots could be taken by the photos of one host; a photo of another comes all the same."""
    async with serving(Host(200)) as slow, serving(Host(200), "127.0.0.2") as good:
        slow.gate.clear()
        good_name = f"127.0.0.2:{good.port}"
        urls = [slow.url(number) for number in range(1, 13)]
        await awaiting(api, sql, *urls, f"http://{good_name}/13.jpg")
        async with downloading(database, api.storage, slow.name, good_name, concurrency=3, per_host=2):
            assert (await until(image(api, 13), LONG))["url"]
            assert len(slow.times) == 2
            slow.gate.set()
            assert all([(await until(image(api, number), LONG))["url"] for number in range(1, 13)])
    assert len(slow.times) == 12


async def test_a_photo_replaced_during_its_download_is_not_stored(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    async with serving(Host(200)) as old, serving(Host(200)) as new:
        old.gate.clear()
        await awaiting(api, sql, old.url())
        async with downloading(database, api.storage, old.name, new.name):
            await until(lambda: old.times, LONG)
            await database.write(lambda c: shop_items.replace_photos(c, {1: new.url()}))
            old.gate.set()
            assert (await until(image(api), LONG))["url"].endswith("/1/1/photo/v2/image_1.jpg")
    row = await sql.fetchrow("SELECT path, original_url FROM images")
    assert (row["path"], row["original_url"]) == ("1/1/photo/v2/image_1.jpg", new.url())


class Unmounted(FolderStorage):
    """A storage that is away for the next ``refusals`` writes."""

    refusals = 3 * SOON.attempts

    async def write(self, path: str, content: bytes) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            raise StorageUnavailableError("The folder of all files is not there")
        await super().write(path, content)


async def test_a_long_storage_outage_counts_no_attempt(
    api: Any, sql: asyncpg.Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with two replicas, of which none sees what the other was refused."""
    monkeypatch.setattr(row_jobs, "STORAGE_RETRY_DELAY", 0.02)
    storage = Unmounted(api.storage)
    async with serving(Host(200)) as host:
        await awaiting(api, sql, host.url())
        async with (
            downloading(database, storage, host.name, concurrency=1),
            downloading(database, storage, host.name, concurrency=1),
        ):
            found = await until(image(api), LONG)
    assert found["url"], found
    assert storage.refusals == 0
    assert await sql.fetchval("SELECT count(*) FROM outbox WHERE subject LIKE 'dead.%'") == 0


class Unreachable(Database):
    """A database that is away for the next ``refusals`` transactions."""

    refusals = 0

    async def write(self, work: Any) -> Any:
        if self.refusals > 0:
            self.refusals -= 1
            error = DatabaseUnavailableError("connection refused")
            error.seconds = 0.02
            raise error
        return await super().write(work)


async def test_a_long_database_outage_counts_no_attempt(
    api: Any, sql: asyncpg.Connection, orders_url: str
) -> None:
    database = Unreachable(orders_url)
    database.refusals = 6 * SOON.attempts
    try:
        async with serving(Host(200)) as host:
            await awaiting(api, sql, host.url())
            async with downloading(database, api.storage, host.name):
                found = await until(image(api), LONG)
    finally:
        await database.aclose()
    assert found["url"], found
    assert database.refusals == 0
