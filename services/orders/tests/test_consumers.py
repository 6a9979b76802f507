"""What the worker consumes, on a real nats-server: facts and dead letters; and what downloads change."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import nats
import pytest_asyncio
from aiohttp import web
from nats.aio.client import Client
from PIL import Image
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import (
    DeadLetter,
    Failure,
    VersionJob,
    now,
)
from pastelka_common.messaging.consumer import Delivery, JobConsumer
from pastelka_common.messaging.topology import (
    DEAD_CONSUMER,
    FACTS_CONSUMER,
    ConsumerSpec,
    ensure_consumer,
    ensure_streams,
)
from pastelka_common.servers import NatsServer, PostgresServer, running
from pastelka_common.storage import FolderStorage
from pastelka_common.testing.wire import Wire
from pastelka_orders import migrations_runner
from pastelka_orders.consumers import DeadLetters, FactsConsumer
from pastelka_orders.database import Database
from pastelka_orders.handlers.create_versions import job_of
from pastelka_orders.handlers.downloads import Downloads, stored
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.urls import UrlRules
from pastelka_orders.repository import claims, versions
from pastelka_orders.repository.claims import Claim
from pastelka_orders.repository.orders import StoredPhoto
from services.orders.tests.job_attempts import attempt_due

FIRST = Delivery(attempt=1, is_last=False)


@pytest_asyncio.fixture(loop_scope="session")
async def nc(tmp_path: Path) -> AsyncIterator[Client]:
    """A nats-server of this test's own, with the streams and the facts' consumer."""
    async with running(NatsServer(folder=tmp_path / "nats", sync_always=False)) as server:
        connection = await nats.connect(server.url)
        await ensure_streams(connection)
        await ensure_consumer(connection, FACTS_CONSUMER)
        yield connection
        await connection.close()


@asynccontextmanager
async def consuming(nc: Client, database: Database) -> AsyncIterator[asyncio.Event]:
    """The facts' consumer at work; yields an event that is set at every commit."""
    stop, committed = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(FactsConsumer(nc, database, committed.set).run(stop))
    try:
        yield committed
    finally:
        stop.set()
        await asyncio.wait_for(task, 15)


async def acknowledged(nc: Client, spec: ConsumerSpec = FACTS_CONSUMER) -> None:
    """Wait until the server holds nothing that was not acknowledged or dropped."""
    async with asyncio.timeout(20):
        while True:
            info = await nc.jetstream().consumer_info(spec.stream, spec.name)
            if not info.num_pending and not info.num_ack_pending:
                return
            await asyncio.sleep(0.02)


async def publish(nc: Client, *received: Any) -> None:
    for one in received:
        await nc.jetstream().publish(one.fact.subject, one.fact.model_dump_json().encode())


async def test_facts_are_applied_and_then_acknowledged(
    api: Any, worker: Any, nc: Client, database: Database
) -> None:
    await api.order(3)
    versions = await api.post("/orders/M1000/generate-coloring")
    facts = [
        worker.fact("coloring", version["id"], status, step=step)
        for version in versions
        for step, status in enumerate(worker.happy, start=1)
    ]
    async with consuming(nc, database):
        await publish(nc, *facts)
        await acknowledged(nc)
    for number in (1, 2, 3):
        assert (await api.get(f"/images/{number}/coloring-versions"))[0]["status"] == "completed"


async def test_a_malformed_fact_is_dropped_and_blocks_no_other(
    api: Any, worker: Any, nc: Client, database: Database
) -> None:
    await api.order()
    (version,) = await api.post("/orders/M1000/generate-coloring")
    for subject, data in (
        ("status.coloring.1", b"no json"),
        ("status.coloring.1", b'{"version_id": 1}'),
        ("status.painting.1", b"{}"),
        ("status.svg.1", worker.fact("coloring", 1, "runpod_queued").fact.model_dump_json().encode()),
    ):
        await nc.jetstream().publish(subject, data)
    await publish(nc, worker.fact("coloring", version["id"], "processing"))
    async with consuming(nc, database):
        await acknowledged(nc)
    assert (await api.get("/images/1/coloring-versions"))[0]["status"] == "processing"


async def test_a_fact_the_database_refuses_is_dropped_and_the_others_are_applied(
    api: Any, worker: Any, nc: Client, database: Database
) -> None:
    await api.order(2)
    first, second = await api.post("/orders/M1000/generate-coloring")
    refused = worker.fact("coloring", first["id"], "error")
    reason = Failure(code="provider_failed", message="\0")  # no text of the database holds that
    unstorable = refused.fact.model_copy(update={"failure": reason})
    await nc.jetstream().publish(unstorable.subject, unstorable.model_dump_json().encode())
    await publish(nc, worker.fact("coloring", second["id"], "processing"))
    async with consuming(nc, database):
        await acknowledged(nc)
    assert (await api.get("/images/1/coloring-versions"))[0]["status"] == "pending"
    assert (await api.get("/images/2/coloring-versions"))[0]["status"] == "processing"


async def queued(api: Any, database: Database) -> VersionJob:
    """A coloring whose job JetStream has; returns the job."""
    await api.order()
    await api.post("/orders/M1000/generate-coloring")

    async def queue(connection: AsyncConnection) -> VersionJob:
        await connection.execute(text("UPDATE coloring_versions SET status = 'queued'"))
        (version,) = await versions.lock(connection, "coloring", [1])
        return job_of(version)

    return await database.write(queue)


async def test_a_dead_letter_is_handled_after_earlier_facts_of_its_worker(
    api: Any, worker: Any, nc: Client, database: Database, sql: asyncpg.Connection
) -> None:
    job = await queued(api, database)
    await publish(
        nc, worker.fact("coloring", 1, "processing", step=1), worker.fact("coloring", 1, "error", step=2)
    )
    letter = DeadLetter(
        original_subject=job.subject,
        original_payload=job.model_dump_json(),
        failure=Failure(code="provider_refused", message="No."),
        attempt=1,
        at=now(),
    )
    await nc.jetstream().publish(letter.subject, letter.model_dump_json().encode())
    await ensure_consumer(nc, DEAD_CONSUMER)
    stop = asyncio.Event()
    dead = DeadLetters(database, nc, lambda: None)
    handling = asyncio.create_task(
        JobConsumer(nc, DEAD_CONSUMER, DeadLetter, dead.handle, concurrency=4).run(stop)
    )
    try:
        # The letter is handled at least once while nothing applies facts.
        async with asyncio.timeout(20):
            while (await nc.jetstream().consumer_info("DEAD", DEAD_CONSUMER.name)).num_redelivered == 0:
                assert await sql.fetchval("SELECT status::text FROM coloring_versions") == "queued"
        async with consuming(nc, database):
            await acknowledged(nc)
            await acknowledged(nc, DEAD_CONSUMER)
    finally:
        stop.set()
        await handling
    lines = await sql.fetch("SELECT status FROM status_changes WHERE attempt > 0 ORDER BY id")
    assert [line["status"] for line in lines] == ["processing", "error"]


async def test_a_dead_letter_ends_a_version_whose_fact_was_refused(
    api: Any, worker: Any, nc: Client, database: Database, sql: asyncpg.Connection
) -> None:
    job = await queued(api, database)
    refused = worker.fact("coloring", 1, "completed").fact.model_copy(update={"path": "../../etc/passwd"})
    await nc.jetstream().publish(refused.subject, refused.model_dump_json().encode())
    async with consuming(nc, database):
        await acknowledged(nc)
    letter = DeadLetter(
        original_subject=job.subject,
        original_payload=job.model_dump_json(),
        failure=Failure(code="provider_refused", message="No."),
        attempt=1,
        at=now(),
    )
    await DeadLetters(database, nc, lambda: None).handle(letter, FIRST)
    row = await sql.fetchrow("SELECT status::text, error_code, path FROM coloring_versions")
    assert tuple(row) == ("error", "provider_refused", None)


async def test_facts_are_applied_after_a_database_outage(worker: Any, nc: Client, tmp_path: Path) -> None:
    async with running(PostgresServer(folder=tmp_path / "postgres", durable=True)) as server:
        url = server.url.replace("postgresql://", "postgresql+asyncpg://", 1)
        await migrations_runner.upgrade(url)
        sql = await asyncpg.connect(server.url)
        await sql.execute(
            """INSERT INTO orders (id, order_number, source) VALUES (1, 'M1', 'manual');
            INSERT INTO line_items (id, order_id, position, title) VALUES (1, 1, 1, 'Book');
            INSERT INTO images (id, line_item_id, position, path) VALUES (1, 1, 1, '1/1/image_1.jpg');
            INSERT INTO coloring_versions (id, image_id, version, status) VALUES (1, 1, 1, 'queued')"""
        )
        await sql.close()
        database = Database(url)
        try:
            async with consuming(nc, database):
                await publish(nc, worker.fact("coloring", 1, "processing", step=1))
                await acknowledged(nc)
                await server.kill()
                await publish(nc, worker.fact("coloring", 1, "runpod_submitting", step=2))
                await server.start()
                await acknowledged(nc)
            sql = await asyncpg.connect(server.url)
            assert await sql.fetchval("SELECT status FROM coloring_versions") == "runpod_submitting"
            await sql.close()
        finally:
            await database.aclose()


@asynccontextmanager
async def photo_host(content: bytes) -> AsyncIterator[str]:
    """A shop's file server; yields its address (``host:port``)."""

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=content, content_type="image/jpeg")

    app = web.Application(middlewares=[Wire().middleware])
    app.add_routes([web.get("/photo.jpg", serve)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def awaiting_photo(api: Any, sql: asyncpg.Connection, url: str) -> None:
    """An order whose photo is still to be fetched."""
    await api.order()
    await sql.execute("UPDATE images SET path = NULL, downloaded_at = NULL, original_url = $1", url)
    await sql.execute("UPDATE orders SET status = 'downloading'")
    await FolderStorage(api.storage).erase("1", [])


async def test_a_photo_is_downloaded_once_and_starts_its_coloring(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    buffer = BytesIO()
    Image.new("RGB", (90, 80), (1, 99, 9)).save(buffer, "JPEG")
    async with photo_host(buffer.getvalue()) as host:
        url = f"http://{host}/photo.jpg"
        await awaiting_photo(api, sql, url)
        async with PhotoDownloader(PhotoIntake(), rules=UrlRules(allowed_hosts=[host])) as downloader:
            downloads = Downloads(database, FolderStorage(api.storage), downloader, "svg")
            await attempt_due(database, downloads)
            await attempt_due(database, downloads)
    assert api.files() == ["1/1/image_1.jpg", "1/1/thumb_image_1.jpg.webp"]
    order = await api.get("/orders/M1000")
    assert order["status"] == "ready_for_review"
    image = order["line_items"][0]["images"][0]
    assert image["url"].endswith("/images/1/1/image_1.jpg")
    assert [version["status"] for version in image["versions"]["coloring"]] == ["pending"]


async def test_photos_stored_concurrently_are_all_counted(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    await api.order(12)
    await sql.execute(
        "UPDATE images SET path = NULL, downloaded_at = NULL, original_url = 'https://a/' || id"
    )
    for _ in range(5):
        await sql.execute("UPDATE images SET path = NULL; UPDATE orders SET status = 'downloading'")

        async def store(claim: Claim) -> None:
            photo = StoredPhoto(claim.key, f"1/1/image_{claim.key}.jpg", 10, 10)
            await database.write(lambda c: stored(c, claim, photo, "none"))

        due = await database.write(lambda c: claims.claim_due(c, Downloads.table, free=20, lease=30))
        assert len(due) == 12
        await asyncio.gather(*(store(claim) for claim in due))
        assert await sql.fetchval("SELECT status FROM orders") == "ready_for_review"


async def test_a_failed_download_shows_its_error(
    api: Any, sql: asyncpg.Connection, database: Database
) -> None:
    await awaiting_photo(api, sql, "http://127.0.0.1:9/photo.jpg")
    async with PhotoDownloader(PhotoIntake()) as downloader:
        await attempt_due(database, Downloads(database, FolderStorage(api.storage), downloader, "none"))
    order = await api.get("/orders/M1000")
    assert order["status"] == "error"
    image = order["line_items"][0]["images"][0]
    assert image["url"] is None
    assert image["error"]["code"] == "photo_url_refused"
    assert image["error"]["message"]
    payload = await sql.fetchval("SELECT payload FROM outbox WHERE subject = 'dead.download.1'")
    letter = DeadLetter.model_validate_json(payload)
    assert (letter.failure.code, letter.attempt) == ("photo_url_refused", 1)
    assert json.loads(letter.original_payload) == {"image_id": 1, "order_number": "M1000"}
