"""Cancel in every state, and delete an order with active work: nothing starts, stays or reappears."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import nats
import pytest

from pastelka_common.testing.waiting import until

IMAGES = 4


@pytest.fixture(scope="module")
def line_env() -> dict[str, str]:
    """A reconciler with a short interval."""
    return {"RECONCILE_INTERVAL": "1", "RECONCILE_GRACE": "2"}


@asynccontextmanager
async def frozen(line: Any, name: str) -> AsyncIterator[None]:
    """Stop a service, so that it misses everything that happens meanwhile."""
    line.stack.services[name].send(signal.SIGSTOP)
    try:
        yield
    finally:
        line.stack.services[name].send(signal.SIGCONT)


async def versions_of(line: Any, number: str, kind: str = "coloring") -> list[Any]:
    order = await line.get(f"/orders/{number}")
    return [v for item in order["line_items"] for i in item["images"] for v in i["versions"][kind]]


async def until_all(line: Any, number: str, statuses: set[str]) -> list[Any]:
    async def reached() -> Any:
        found = await versions_of(line, number)
        return found and all(version["status"] in statuses for version in found) and found

    return await until(reached, 60)


async def jobs_left(line: Any, pattern: str) -> set[str]:
    nc = await nats.connect(line.stack.nats.url)
    try:
        info = await nc.jetstream().stream_info("JOBS", subjects_filter=pattern)
        return set(info.state.subjects or {})
    finally:
        await nc.close()


async def no_job_is_left(line: Any) -> None:
    async def none() -> bool:
        return not await jobs_left(line, "jobs.coloring.*") and not await jobs_left(line, "jobs.svg.*")

    await until(none, 60)


async def delete(line: Any, number: str) -> None:
    async with line.http.delete(f"{line.stack.api_url}/orders/{number}") as response:
        assert response.status == 204, await response.text()


async def nothing_is_left(line: Any, order: Any) -> None:
    """No rows, files or messages; a dead letter reported a minute later counts, too."""
    await no_job_is_left(line)
    folder = line.stack.storage / str(order["id"])
    await until(lambda: not folder.exists(), 90)
    connection = await asyncpg.connect(line.stack.postgres.url)
    try:
        for table in ("images", "coloring_versions", "svg_versions", "status_changes"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608
    finally:
        await connection.close()
    dead = await line.get("/system")
    assert dead["dead_letters"]["count"] == 0


@pytest.mark.timeout(240)
async def test_deleting_an_order_with_active_work_leaves_nothing(line: Any) -> None:
    line.runpod.settings.queue_seconds = line.runpod.settings.run_seconds = 2.0
    order = await line.order(IMAGES, process="svg", first_seed=200)
    await until_all(line, order["order_number"], {"runpod_submitted", "runpod_queued", "runpod_processing"})
    await delete(line, order["order_number"])
    await nothing_is_left(line, order)
    states = [line.runpod.jobs.state(job) for job in line.runpod.jobs.by_id.values()]
    assert states[-IMAGES:] == ["CANCELLED"] * IMAGES


@pytest.mark.timeout(240)
async def test_a_worker_frozen_during_the_deletion_restores_nothing(line: Any) -> None:
    """Its pages were ready at the provider all the time, and it stores none of them."""
    line.runpod.settings.queue_seconds = line.runpod.settings.run_seconds = 1.0
    order = await line.order(IMAGES, process="coloring", first_seed=300)
    await until_all(line, order["order_number"], {"runpod_submitted", "runpod_queued", "runpod_processing"})
    async with frozen(line, "coloring"):
        await delete(line, order["order_number"])
        folder = line.stack.storage / str(order["id"])
        await until(lambda: not folder.exists(), 60)
    await nothing_is_left(line, order)


@pytest.mark.timeout(240)
async def test_queued_jobs_of_a_deleted_order_never_start(line: Any) -> None:
    submits = line.runpod.stats()["submits"]
    async with frozen(line, "coloring"):
        order = await line.order(IMAGES, process="coloring", first_seed=400)
        await until_all(line, order["order_number"], {"queued"})
        await delete(line, order["order_number"])
        # No worker acknowledges the jobs: the reconciler removes them.
        await no_job_is_left(line)
    await nothing_is_left(line, order)
    assert line.runpod.stats()["submits"] == submits


@pytest.mark.timeout(240)
async def test_a_version_cancelled_while_queued_never_starts(line: Any) -> None:
    submits = line.runpod.stats()["submits"]
    async with frozen(line, "coloring"):
        order = await line.order(IMAGES, process="coloring", first_seed=500)
        number = order["order_number"]
        for version in await until_all(line, number, {"queued"}):
            await line.post(f"/coloring-versions/{version['id']}/cancel")
    await no_job_is_left(line)
    assert line.runpod.stats()["submits"] == submits
    assert {v["status"] for v in await versions_of(line, number)} == {"error"}
    await delete(line, number)


@pytest.mark.timeout(240)
async def test_of_a_cancel_and_a_completion_the_first_one_wins(line: Any) -> None:
    """Cancel at random moments around the completion: error without a file, or completed."""
    line.runpod.settings.queue_seconds, line.runpod.settings.run_seconds = 0.3, 0.3
    order = await line.order(IMAGES * 2, process="coloring", first_seed=600)
    number = order["order_number"]

    async def one_completed() -> bool:
        return any(v["status"] == "completed" for v in await versions_of(line, number))

    await until(one_completed, 60)
    refused = set()
    for version in await versions_of(line, number):
        url = f"{line.stack.api_url}/coloring-versions/{version['id']}/cancel"
        async with line.http.post(url) as response:
            assert response.status in {200, 409}
            if response.status == 409:
                refused.add(version["id"])
    assert refused
    await no_job_is_left(line)
    ended = await versions_of(line, number)
    assert {v["id"] for v in ended if v["status"] == "completed"} == refused
    assert all(v["status"] == "error" for v in ended if v["id"] not in refused)
    await delete(line, number)
    await nothing_is_left(line, order)
