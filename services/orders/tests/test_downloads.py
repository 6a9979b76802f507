"""Download jobs on a real nats-server: what is tried again, when, and what a person sees."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from PIL import Image

from pastelka_common.contracts.messages import DownloadJob, Failure
from pastelka_common.messaging.attempts import AttemptStats, Delivery, RetryPolicy
from pastelka_common.messaging.consumer import JobConsumer
from pastelka_common.messaging.topology import DOWNLOAD_CONSUMER, ensure_consumer, ensure_streams
from pastelka_common.servers import NatsServer, running
from pastelka_common.storage import FolderStorage, Storage, StorageUnavailableError
from pastelka_common.testing.waiting import until
from pastelka_common.testing.wire import write_in_pieces
from pastelka_orders import attempts
from pastelka_orders.attempts import AttemptRows
from pastelka_orders.consumers import Downloads
from pastelka_orders.database import Database
from pastelka_orders.database_errors import DatabaseUnavailableError
from pastelka_orders.photos import PhotoDownloader, PhotoIntake
from pastelka_orders.photos.urls import UrlRules

SOON = RetryPolicy(attempts=4, base=0.05, longest=0.2)
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


@pytest_asyncio.fixture(loop_scope="session")
async def nc(tmp_path: Path) -> AsyncIterator[Client]:
    """A nats-server of this test's own."""
    async with running(NatsServer(folder=tmp_path / "nats", sync_always=False)) as server:
        connection = await nats.connect(server.url)
        await ensure_streams(connection)
        await ensure_consumer(connection, DOWNLOAD_CONSUMER)
        yield connection
        await connection.close()


@asynccontextmanager
async def downloading(
    nc: Client,
    database: Database,
    storage: Path | Storage,
    *hosts: str,
    concurrency: int = 4,
    per_host: int = 4,
) -> AsyncIterator[None]:
    """The worker's part that fetches photos."""
    intake, stop = PhotoIntake(), asyncio.Event()
    async with PhotoDownloader(
        intake, rules=UrlRules(allowed_hosts=hosts), per_host=per_host, patience=0.1
    ) as downloader:
        stored = FolderStorage(storage) if isinstance(storage, Path) else storage
        downloads = Downloads(database, stored, downloader, "none", lambda: None)
        consumer = JobConsumer(
            nc,
            DOWNLOAD_CONSUMER,
            DownloadJob,
            downloads.handle,
            concurrency=concurrency,
            retries=SOON,
            on_rejected=downloads.reject,
            attempts=AttemptRows(database),
        )
        task = asyncio.create_task(consumer.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, LONG)
    await intake.aclose()


async def awaiting(api: Any, sql: asyncpg.Connection, nc: Client, *urls: str) -> None:
    """An order whose photos are to be fetched from there, with their jobs."""
    await api.order(len(urls))
    await FolderStorage(api.storage).delete_tree("1")
    await sql.execute("UPDATE images SET path = NULL, downloaded_at = NULL")
    await sql.execute("UPDATE orders SET status = 'downloading'")
    for image_id, url in enumerate(urls, start=1):
        await sql.execute("UPDATE images SET original_url = $1 WHERE id = $2", url, image_id)
        job = DownloadJob(image_id=image_id, order_number="M1000", url=url)
        await nc.jetstream().publish(job.subject, job.model_dump_json().encode())


def image(api: Any, number: int = 1) -> Callable[[], Any]:
    """Reads an image that has a photo or an error; anything else is not true yet."""

    async def read() -> Any:
        found = (await api.get("/orders/M1000"))["line_items"][0]["images"][number - 1]
        return found if found["url"] or "error" in found else None

    return read


async def test_what_may_pass_is_tried_again(
    api: Any, sql: asyncpg.Connection, database: Database, nc: Client
) -> None:
    async with serving(Host(503, 500, 200)) as host:
        await awaiting(api, sql, nc, host.url())
        async with downloading(nc, database, api.storage, host.name):
            found = await until(image(api), LONG)
    assert found["url"]
    assert len(host.times) == 3
    assert (await api.get("/orders/M1000"))["status"] == "ready_for_review"


async def test_a_hosts_wish_to_wait_is_respected(
    api: Any, sql: asyncpg.Connection, database: Database, nc: Client
) -> None:
    async with serving(Host(429, 200, headers="Retry-After: 2\r\n")) as host:
        await awaiting(api, sql, nc, host.url())
        async with downloading(nc, database, api.storage, host.name):
            assert (await until(image(api), LONG))["url"]
    first, second = host.times
    assert second - first >= 1.9


@pytest.mark.parametrize(
    ("status", "code"), [(404, "photo_gone"), (403, "photo_access_refused"), (400, "photo_answer_unexpected")]
)
async def test_what_does_not_pass_is_asked_once_and_said(
    api: Any, sql: asyncpg.Connection, database: Database, nc: Client, status: int, code: str
) -> None:
    async with serving(Host(status)) as host:
        await awaiting(api, sql, nc, host.url())
        async with downloading(nc, database, api.storage, host.name):
            found = await until(image(api), LONG)
    assert found["url"] is None
    assert found["error"]["code"] == code
    assert found["error"]["message"].endswith(".")
    assert len(host.times) == 1
    assert (await api.get("/orders/M1000"))["status"] == "error"
    assert api.files() == []


async def test_what_never_passes_ends_after_all_attempts(
    api: Any, sql: asyncpg.Connection, database: Database, nc: Client
) -> None:
    async with serving(Host(503)) as host:
        await awaiting(api, sql, nc, host.url())
        async with downloading(nc, database, api.storage, host.name):
            found = await until(image(api), LONG)
    assert found["error"]["code"] == "photo_server_busy"
    assert len(host.times) == SOON.attempts


async def test_each_image_has_its_own_fate(
    api: Any, sql: asyncpg.Connection, database: Database, nc: Client
) -> None:
    async with serving(Host(404)) as bad, serving(Host(200)) as good:
        await awaiting(api, sql, nc, good.url(1), bad.url(2), good.url(3))
        async with downloading(nc, database, api.storage, good.name, bad.name):
            found = [await until(image(api, number), LONG) for number in (1, 2, 3)]
    assert [bool(one["url"]) for one in found] == [True, False, True]
    assert [one["error"]["code"] for one in found if "error" in one] == ["photo_gone"]


async def test_a_host_that_does_not_answer_holds_up_nobody_else(
    api: Any, sql: asyncpg.Connection, database: Database, nc: Client
) -> None:
    """All slots could be taken by the photos of one host; a photo of another comes all the same."""
    async with serving(Host(200)) as slow, serving(Host(200), "127.0.0.2") as good:
        slow.gate.clear()
        good_name = f"127.0.0.2:{good.port}"
        urls = [slow.url(number) for number in range(1, 13)]
        await awaiting(api, sql, nc, *urls, f"http://{good_name}/13.jpg")
        async with downloading(nc, database, api.storage, slow.name, good_name, concurrency=3, per_host=2):
            assert (await until(image(api, 13), LONG))["url"]
            assert len(slow.times) == 2
            slow.gate.set()
            assert all([(await until(image(api, number), LONG))["url"] for number in range(1, 13)])
    assert len(slow.times) == 12


async def test_a_photo_that_was_replaced_on_the_way_is_not_stored(
    api: Any, sql: asyncpg.Connection, database: Database, nc: Client
) -> None:
    async with serving(Host(200)) as old, serving(Host(200)) as new:
        old.gate.clear()
        await awaiting(api, sql, nc, old.url())
        async with downloading(nc, database, api.storage, old.name, new.name):
            await until(lambda: old.times, LONG)
            await sql.execute("UPDATE images SET original_url = $1, photo_version = 2", new.url())
            job = DownloadJob(image_id=1, order_number="M1000", url=new.url())
            await nc.jetstream().publish(job.subject, job.model_dump_json().encode())
            old.gate.set()
            assert (await until(image(api), LONG))["url"].endswith("/1/1/photo/v2/image_1.jpg")
            await until(lambda: _idle(nc), LONG)
    row = await sql.fetchrow("SELECT path, original_url FROM images")
    assert (row["path"], row["original_url"]) == ("1/1/photo/v2/image_1.jpg", new.url())


async def _idle(nc: Client) -> bool:
    info = await nc.jetstream().consumer_info("JOBS", DOWNLOAD_CONSUMER.name)
    return not info.num_pending and not info.num_ack_pending


class Unmounted(FolderStorage):
    """A storage that is away for the next ``refusals`` writes."""

    refusals = 3 * SOON.attempts

    async def write(self, path: str, content: bytes) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            raise StorageUnavailableError("The folder of all files is not there")
        await super().write(path, content)


async def test_a_storage_that_is_away_for_long_costs_no_attempt(
    api: Any, sql: asyncpg.Connection, database: Database, nc: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with two replicas, of which none sees what the other was refused."""
    monkeypatch.setattr(attempts, "OUTAGE_SECONDS", 0.02)
    storage = Unmounted(api.storage)
    async with serving(Host(200)) as host:
        await awaiting(api, sql, nc, host.url())
        async with (
            downloading(nc, database, storage, host.name, concurrency=1),
            downloading(nc, database, storage, host.name, concurrency=1),
        ):
            found = await until(image(api), LONG)
    assert found["url"], found
    assert storage.refusals == 0
    assert (await nc.jetstream().stream_info("DEAD")).state.messages == 0


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


async def test_a_database_that_is_away_for_long_costs_no_attempt(
    api: Any, sql: asyncpg.Connection, orders_url: str, nc: Client
) -> None:
    database = Unreachable(orders_url)
    database.refusals = 6 * SOON.attempts
    try:
        async with serving(Host(200)) as host:
            await awaiting(api, sql, nc, host.url())
            async with downloading(nc, database, api.storage, host.name):
                found = await until(image(api), LONG)
    finally:
        await database.aclose()
    assert found["url"], found
    assert database.refusals == 0


async def test_attempts_are_counted_over_all_replicas(database: Database) -> None:
    job = DownloadJob(image_id=1, order_number="M1000", url="https://example.com/1.jpg")
    one, other = AttemptRows(database), AttemptRows(database)
    failure = Failure(code="photo_server_busy", message="Busy.")
    for number in range(1, 21):
        await one.begin(job, Delivery(number, is_last=False, sequence=7))
        await one.released(job, Delivery(number, is_last=False, sequence=7))
    assert await other.begin(job, Delivery(21, is_last=False, sequence=7)) == AttemptStats()
    assert await other.failed(job, Delivery(21, is_last=False, sequence=7), failure) == 1
    assert await one.begin(job, Delivery(22, is_last=False, sequence=7)) == AttemptStats(
        failed=1, last=failure
    )
    # Two processes die with it; nothing is heard of their deliveries.
    assert (await other.begin(job, Delivery(23, is_last=False, sequence=7))).silent_deliveries == 1
    assert (await one.begin(job, Delivery(24, is_last=False, sequence=7))).silent_deliveries == 2
    assert await one.failed(job, Delivery(24, is_last=False, sequence=7), failure) == 2
    assert await one.begin(job, Delivery(2, is_last=False, sequence=8)) == AttemptStats()
