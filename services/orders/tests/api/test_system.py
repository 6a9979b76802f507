"""How the system is, and what was given up on: over a real nats-server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client

from pastelka_common.breaker import Breaker
from pastelka_common.contracts.messages import DeadLetter, Failure, now
from pastelka_common.errors import TransientError
from pastelka_common.messaging.service_health import serve_health
from pastelka_common.messaging.topology import (
    COLORING_CONSUMER,
    DEAD,
    VECTORIZE_CONSUMER,
    ensure_consumer,
    ensure_streams,
)
from pastelka_common.servers import ServerProcess
from pastelka_orders.api.app import create_app
from pastelka_orders.settings import OrdersSettings
from pastelka_orders.shop_requests import FetchOrders, SyncOrder


@asynccontextmanager
async def serving(settings: OrdersSettings) -> AsyncIterator[httpx.AsyncClient]:
    """Another API process over the same database."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as http,
    ):
        yield http


@pytest_asyncio.fixture(loop_scope="session")
async def nc(broker: ServerProcess) -> AsyncIterator[Client]:
    """A connection to it, with the streams and the workers' consumers made."""
    connection = await nats.connect(broker.url)
    await ensure_streams(connection)
    for spec in (COLORING_CONSUMER, VECTORIZE_CONSUMER):
        await ensure_consumer(connection, spec)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def http(
    settings: OrdersSettings, broker: ServerProcess, nc: Client
) -> AsyncIterator[httpx.AsyncClient]:
    """The API with that nats-server; ``nc`` made what services make."""
    assert nc.is_connected
    async with serving(settings.model_copy(update={"nats_url": broker.url})) as found:
        yield found


async def well() -> None:
    """A dependency that answers."""


async def away() -> None:
    raise ConnectionError("no listener")


async def system(http: httpx.AsyncClient) -> Any:
    response = await http.get("/system")
    assert response.status_code == 200, response.text
    return response.json()


async def give_up(nc: Client, subject: str, payload: str) -> int:
    """Write a dead letter; returns its number."""
    letter = DeadLetter(
        original_subject=subject,
        original_payload=payload,
        failure=Failure(code="provider_failed", message="It failed."),
        attempt=3,
        at=now(),
    )
    return (await nc.jetstream().publish(letter.subject, letter.model_dump_json().encode())).seq


async def test_the_page_shows_responding_processes_and_silent_services(
    http: httpx.AsyncClient, nc: Client
) -> None:
    async with AsyncExitStack() as stack:
        for name, checks in (
            ("coloring", {"broker": well}),
            ("coloring", {"broker": well}),
            ("notifier", {"broker": well, "hub": away}),
            ("orders-worker", {"database": well, "broker": well}),
        ):
            await stack.enter_async_context(serve_health(nc, name, checks))
        services = (await system(http))["services"]
    assert [(one["name"], one["healthy"]) for one in services] == [
        ("orders-api", True),
        ("orders-worker", True),
        ("coloring", True),
        ("coloring", True),
        ("vectorize", False),
        ("notifier", False),
    ]
    assert services[0]["checks"] == {"database": "ok", "broker": "ok"}
    assert services[4] == {
        "name": "vectorize",
        "instance": None,
        "healthy": False,
        "started_at": None,
        "checks": {},
    }
    assert services[5]["checks"] == {"broker": "ok", "hub": "ConnectionError: no listener"}


async def test_a_breaker_is_shown_with_its_worker(http: httpx.AsyncClient, nc: Client) -> None:
    breaker = Breaker("runpod", failure_threshold=1, reset_timeout=60)
    breaker.record_failure(TransientError("provider_busy", "RunPod takes no more requests for now."))
    async with serve_health(nc, "coloring", {}, breaker.health), serve_health(nc, "vectorize", {}):
        services = {one["name"]: one for one in (await system(http))["services"]}
    shown = services["coloring"]["breaker"]
    assert list(shown) == ["state", "since", "reason", "next_probe_at"]
    assert (shown["state"], shown["reason"]) == ("open", "RunPod takes no more requests for now.")
    waits = datetime.fromisoformat(shown["next_probe_at"]) - datetime.fromisoformat(shown["since"])
    assert 55 < waits.total_seconds() < 65
    assert "breaker" not in services["vectorize"]


async def test_queues_report_waiting_and_active_jobs(http: httpx.AsyncClient, nc: Client) -> None:
    js = nc.jetstream()
    for number in range(5):
        await js.publish(f"jobs.coloring.{number}", b"{}")
    await js.publish("jobs.svg.1", b"{}")
    worker = await js.pull_subscribe_bind(COLORING_CONSUMER.name, "JOBS")
    await worker.fetch(2, timeout=5)
    assert (await system(http))["queues"] == [
        {"name": "coloring", "waiting": 3, "in_progress": 2},
        {"name": "vectorize", "waiting": 1, "in_progress": 0},
        {"name": "download", "waiting": 0, "in_progress": 0},
    ]


async def test_the_last_hour_is_counted_by_kind(
    http: httpx.AsyncClient,
    api: Any,
    worker: Any,
    sql: asyncpg.Connection,
    settings: OrdersSettings,
    broker: ServerProcess,
) -> None:
    assert (await system(http))["last_hour"][0]["failure_rate"] is None
    await api.order(5)
    versions = await api.post("/orders/M1000/generate-coloring")
    for version, status in zip(versions, ("completed", "completed", "completed", "error"), strict=False):
        await worker.end("coloring", version["id"], status)
    await api.post(f"/coloring-versions/{versions[4]['id']}/cancel", status=200)
    await sql.execute(
        """UPDATE status_changes SET committed_at = now() - interval '61 minutes'
        WHERE version_id = $1""",
        versions[0]["id"],
    )
    async with serving(settings.model_copy(update={"nats_url": broker.url})) as fresh:
        hours = (await system(fresh))["last_hour"]
        minutes = [hour.pop("minutes") for hour in hours]
        assert hours == [
            {"kind": "coloring", "completed": 2, "failed": 1, "cancelled": 1, "failure_rate": 1 / 3},
            {"kind": "svg", "completed": 0, "failed": 0, "cancelled": 0, "failure_rate": None},
        ]
    assert [sum(minutes[0][outcome]) for outcome in ("completed", "failed", "cancelled")] == [2, 1, 1]
    assert minutes[1]["completed"] == [0] * 61


async def test_the_last_hour_is_reported_by_minute(
    http: httpx.AsyncClient, api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order(4)
    versions = await api.post("/orders/M1000/generate-coloring")
    for version, status, ago in zip(
        versions,
        ("completed", "completed", "error", "error"),
        (
            timedelta(minutes=59, seconds=30),
            timedelta(minutes=10),
            timedelta(minutes=10),
            timedelta(minutes=-1),
        ),
        strict=True,
    ):
        await worker.end("coloring", version["id"], status)
        await sql.execute(
            "UPDATE status_changes SET committed_at = now() - $2::interval WHERE version_id = $1",
            version["id"],
            ago,
        )
    hour = (await system(http))["last_hour"][0]
    minutes = hour["minutes"]
    begin = datetime.fromisoformat(minutes["begin"])
    assert (begin.second, begin.microsecond) == (0, 0)
    assert 3600 <= (now() - begin).total_seconds() < 3665
    assert {len(minutes[outcome]) for outcome in ("completed", "failed", "cancelled")} == {61}
    # A minute may have begun between the update and the request.
    assert (sum(minutes["completed"][:2]), sum(minutes["completed"][49:51])) == (1, 1)
    assert (sum(minutes["failed"][49:51]), minutes["failed"][60]) == (1, 1)
    assert (hour["completed"], hour["failed"]) == (2, 2)


async def test_the_outbox_reports_its_depth_and_age(
    http: httpx.AsyncClient, api: Any, sql: asyncpg.Connection
) -> None:
    await api.order(2, process="coloring")
    rows = await sql.fetchval("SELECT count(*) FROM outbox")
    await sql.execute("UPDATE outbox SET created_at = now() - interval '90 s'")
    await sql.execute("UPDATE outbox SET refused = 'too large' WHERE id = (SELECT max(id) FROM outbox)")
    outbox = (await system(http))["outbox"]
    assert (outbox["messages"], outbox["refused"]) == (rows - 1, 1)
    assert rows > 2
    assert 90 <= outbox["oldest_seconds"] < 120


async def test_the_newest_twenty_dead_letters_are_shown(http: httpx.AsyncClient, nc: Client) -> None:
    for number in range(1, 46):
        payload = json.dumps({"version_id": number, "image_id": 9, "order_number": "1270"})
        await give_up(nc, f"jobs.coloring.{number}", payload)
    await nc.jetstream().publish("dead.jobs.coloring.46", b"no letter")
    for gone in range(20, 45):
        await nc.jetstream().delete_msg(DEAD, gone)
    letters = (await system(http))["dead_letters"]
    assert letters["count"] == 21
    assert [one["sequence"] for one in letters["newest"]] == [46, 45, *range(19, 1, -1)]
    assert letters["newest"][0]["code"] == "unreadable"
    shown = letters["newest"][1]
    assert shown.pop("at")
    assert shown == {
        "sequence": 45,
        "subject": "jobs.coloring.45",
        "order_number": "1270",
        "image_id": 9,
        "version_id": 45,
        "code": "provider_failed",
        "message": "It failed.",
        "attempt": 3,
    }


async def test_requeueing_a_version_starts_a_new_run(
    http: httpx.AsyncClient, nc: Client, api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order()
    (version,) = await api.post("/orders/M1000/generate-coloring")
    job = await sql.fetchrow("SELECT subject, payload FROM outbox WHERE subject LIKE 'jobs.coloring.%'")
    sequence = await give_up(nc, job["subject"], job["payload"].decode())
    await worker.end("coloring", version["id"], "error")
    assert (await system(http))["dead_letters"]["count"] == 1
    response = await http.post(f"/dead-letters/{sequence}/requeue")
    assert (response.status_code, response.content) == (204, b"")
    assert (await api.get("/images/1/coloring-versions"))[0]["status"] == "pending"
    assert await sql.fetchval("SELECT run FROM coloring_versions") == 2
    assert (await system(http))["dead_letters"] == {"count": 0, "newest": []}
    again = await http.post(f"/dead-letters/{sequence}/requeue")
    assert (again.status_code, again.json()["code"]) == (404, "dead_letter_not_found")


async def test_a_completed_version_is_not_requeued_and_its_dead_letter_can_be_dismissed(
    http: httpx.AsyncClient, nc: Client, api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order()
    (version,) = await api.post("/orders/M1000/generate-coloring")
    job = await sql.fetchrow("SELECT subject, payload FROM outbox WHERE subject LIKE 'jobs.coloring.%'")
    sequence = await give_up(nc, job["subject"], job["payload"].decode())
    await worker.end("coloring", version["id"])
    refused = await http.post(f"/dead-letters/{sequence}/requeue")
    assert (refused.status_code, refused.json()["code"]) == (409, "version_not_retryable")
    assert (await system(http))["dead_letters"]["count"] == 1
    assert (await http.delete(f"/dead-letters/{sequence}")).status_code == 204
    assert (await system(http))["dead_letters"]["count"] == 0
    assert (await http.delete(f"/dead-letters/{sequence}")).status_code == 404


@pytest.mark.parametrize("subject", ["download.1", f"jobs.{'download'}.1"])  # the latter of an old release
async def test_requeueing_a_download_makes_it_due_again(
    http: httpx.AsyncClient, nc: Client, api: Any, sql: asyncpg.Connection, subject: str
) -> None:
    await api.order()
    await sql.execute(
        """UPDATE images SET path = NULL, original_url = 'http://example.com/photo.jpg', attempts = 12,
        download_error_code = 'photo_gone'"""
    )
    await sql.execute("UPDATE orders SET status = 'error'")
    sequence = await give_up(nc, subject, '{"image_id": 1, "order_number": "M1000"}')
    assert (await http.post(f"/dead-letters/{sequence}/requeue")).status_code == 204
    order = await api.get("/orders/M1000")
    assert order["status"] == "downloading"
    assert "error" not in order["line_items"][0]["images"][0]
    assert await sql.fetchval("SELECT attempts FROM images WHERE next_attempt_at <= now()") == 0


async def test_requeueing_a_shop_job_makes_it_due_again(
    http: httpx.AsyncClient, nc: Client, sql: asyncpg.Connection
) -> None:
    sync = SyncOrder(shopify_id=7, order_number="1007", photos=True)
    fetch = FetchOrders(since=now(), cursor="abc", seen=250)
    for request in (sync, fetch):
        sequence = await give_up(nc, request.subject, request.model_dump_json())
        assert (await http.post(f"/dead-letters/{sequence}/requeue")).status_code == 204
    rows = await sql.fetch(
        "SELECT key, payload FROM shop_jobs WHERE next_attempt_at <= now() ORDER BY key DESC"
    )
    assert [row["key"] for row in rows] == [sync.key, fetch.key]
    assert FetchOrders.model_validate_json(rows[1]["payload"]) == fetch


@pytest.mark.parametrize(
    ("subject", "payload", "answer"),
    [
        ("jobs.coloring.1", "no job", (409, "dead_letter_not_requeueable")),
        ("jobs.painting.1", "{}", (409, "dead_letter_not_requeueable")),
        ("nonsense", "{}", (409, "dead_letter_not_requeueable")),
        ("download.1", '{"image_id": 1}', (404, "image_not_found")),
        ("download.1", '{"image": 1}', (409, "dead_letter_not_requeueable")),
        ("sync.1", "{}", (409, "dead_letter_not_requeueable")),
    ],
)
async def test_a_rejected_requeue_reports_its_reason(
    http: httpx.AsyncClient, nc: Client, subject: str, payload: str, answer: tuple[int, str | None]
) -> None:
    sequence = await give_up(nc, subject, payload)
    response = await http.post(f"/dead-letters/{sequence}/requeue")
    code = response.json()["code"] if response.content else None
    assert (response.status_code, code) == answer
    assert (await http.post("/dead-letters/0/requeue")).status_code == 422


async def test_the_rest_is_reported_without_nats(settings: OrdersSettings, broker: ServerProcess) -> None:
    await broker.kill()
    async with serving(settings.model_copy(update={"nats_url": broker.url})) as http:
        found = await system(http)
        assert found["queues"] is None
        assert found["dead_letters"] is None
        assert found["outbox"] == {"messages": 0, "oldest_seconds": None, "refused": 0}
        assert found["services"][0]["checks"]["database"] == "ok"
        assert found["services"][0]["checks"]["broker"] != "ok"
        assert not any(one["healthy"] for one in found["services"])
        refused = await http.post("/dead-letters/1/requeue")
        assert (refused.status_code, refused.json()["code"]) == (503, "broker_unavailable")
        await broker.start()
        async with AsyncExitStack() as stack:
            connection = await nats.connect(broker.url)
            stack.push_async_callback(connection.close)
            await ensure_streams(connection)
            letter = await give_up(connection, "jobs.painting.1", "{}")
            async with asyncio.timeout(20):
                while (response := await http.delete(f"/dead-letters/{letter}")).status_code == 503:
                    assert response.json()["code"] == "broker_unavailable"
        assert response.status_code == 204


async def test_the_rest_is_reported_without_the_database(
    settings: OrdersSettings, broker: ServerProcess
) -> None:
    nowhere = settings.model_validate(
        {**settings.model_dump(), "database_url": "postgresql+asyncpg://u:secret@127.0.0.1:9/none"}
    )
    async with serving(nowhere.model_copy(update={"nats_url": broker.url})) as http:
        response = await http.get("/system")
    assert response.status_code == 200
    assert "secret" not in response.text
    found = response.json()
    assert (found["outbox"], found["last_hour"]) == (None, None)
    assert found["dead_letters"] == {"count": 0, "newest": []}
    assert [queue["waiting"] for queue in found["queues"]] == [0, 0]
    assert found["services"][0]["checks"]["broker"] == "ok"
