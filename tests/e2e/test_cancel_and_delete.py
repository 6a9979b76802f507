"""Cancel in every state, and delete an order with active work: nothing starts, stays or reappears."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import nats
import pytest

from pastelka_common.testing.fake_runpod import JobPlan
from pastelka_common.testing.processes import freeze
from pastelka_common.testing.waiting import until

IMAGES = 4


@pytest.fixture(scope="module")
def system_env() -> dict[str, str]:
    """A reconciler with a short interval."""
    return {"RECONCILE_INTERVAL": "1", "RECONCILE_GRACE": "2"}


@asynccontextmanager
async def frozen(system: Any, name: str) -> AsyncIterator[None]:
    """Stop a service, so that it misses everything that happens meanwhile."""
    try:
        await freeze(system.stack.services[name].pid)
        yield
    finally:
        system.stack.services[name].send(signal.SIGCONT)


async def versions_of(system: Any, number: str, kind: str = "coloring") -> list[Any]:
    order = await system.get(f"/orders/{number}")
    return [v for item in order["line_items"] for i in item["images"] for v in i["versions"][kind]]


async def until_all(system: Any, number: str, statuses: set[str]) -> list[Any]:
    async def reached() -> Any:
        found = await versions_of(system, number)
        return found and all(version["status"] in statuses for version in found) and found

    return await until(reached, 60)


async def jobs_left(system: Any, pattern: str) -> set[str]:
    nc = await nats.connect(system.stack.nats.url)
    try:
        info = await nc.jetstream().stream_info("JOBS", subjects_filter=pattern)
        return set(info.state.subjects or {})
    finally:
        await nc.close()


async def no_job_is_left(system: Any) -> None:
    async def none() -> bool:
        return not await jobs_left(system, "jobs.coloring.*") and not await jobs_left(system, "jobs.svg.*")

    await until(none, 60)


async def delete(system: Any, number: str) -> None:
    async with system.http.delete(f"{system.stack.api_url}/orders/{number}") as response:
        assert response.status == 204, await response.text()


async def nothing_is_left(system: Any, order: Any) -> None:
    """No rows, files or messages; a dead letter reported a minute later counts, too."""
    await no_job_is_left(system)
    folder = system.stack.storage / str(order["id"])
    await until(lambda: not folder.exists(), 90)
    connection = await asyncpg.connect(system.stack.postgres.url)
    try:
        for table in ("images", "coloring_versions", "svg_versions", "status_changes"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608
    finally:
        await connection.close()
    dead = await system.get("/system")
    assert dead["dead_letters"]["count"] == 0


@pytest.mark.timeout(240)
async def test_deleting_an_order_with_active_work_leaves_nothing(system: Any) -> None:
    system.runpod.plan(*[JobPlan(states=["IN_QUEUE"])] * IMAGES)
    order = await system.order(IMAGES, process="svg", first_seed=200)
    await until_all(system, order["order_number"], {"runpod_submitted", "runpod_queued", "runpod_processing"})
    await delete(system, order["order_number"])
    await nothing_is_left(system, order)
    states = [system.runpod.jobs.state(job) for job in system.runpod.jobs.by_id.values()]
    assert states[-IMAGES:] == ["CANCELLED"] * IMAGES


@pytest.mark.timeout(240)
async def test_a_worker_frozen_during_the_deletion_restores_nothing(system: Any) -> None:
    """Its pages were ready at the provider all the time, and it stores none of them."""
    system.runpod.plan(*[JobPlan(states=["IN_QUEUE"])] * IMAGES)
    order = await system.order(IMAGES, process="coloring", first_seed=300)
    await until_all(system, order["order_number"], {"runpod_submitted", "runpod_queued", "runpod_processing"})
    async with frozen(system, "coloring"):
        system.runpod.advance("COMPLETED")
        await delete(system, order["order_number"])
        folder = system.stack.storage / str(order["id"])
        await until(lambda: not folder.exists(), 60)
    await nothing_is_left(system, order)


@pytest.mark.timeout(240)
async def test_queued_jobs_of_a_deleted_order_never_start(system: Any) -> None:
    submits = system.runpod.stats()["submits"]
    async with frozen(system, "coloring"):
        order = await system.order(IMAGES, process="coloring", first_seed=400)
        await until_all(system, order["order_number"], {"queued"})
        await delete(system, order["order_number"])
        # No worker acknowledges the jobs: the reconciler removes them.
        await no_job_is_left(system)
    await nothing_is_left(system, order)
    assert system.runpod.stats()["submits"] == submits


@pytest.mark.timeout(240)
async def test_a_version_cancelled_while_queued_never_starts(system: Any) -> None:
    submits = system.runpod.stats()["submits"]
    async with frozen(system, "coloring"):
        order = await system.order(IMAGES, process="coloring", first_seed=500)
        number = order["order_number"]
        for version in await until_all(system, number, {"queued"}):
            await system.post(f"/coloring-versions/{version['id']}/cancel")
    await no_job_is_left(system)
    assert system.runpod.stats()["submits"] == submits
    assert {v["status"] for v in await versions_of(system, number)} == {"error"}
    await delete(system, number)


@pytest.mark.timeout(240)
async def test_of_a_cancel_and_a_completion_the_first_one_wins(system: Any) -> None:
    """Cancel at random moments around the completion: error without a file, or completed."""
    system.runpod.settings.queue_seconds, system.runpod.settings.run_seconds = 0.3, 0.3
    order = await system.order(IMAGES * 2, process="coloring", first_seed=600)
    number = order["order_number"]

    async def one_completed() -> bool:
        return any(v["status"] == "completed" for v in await versions_of(system, number))

    await until(one_completed, 60)
    refused = set()
    for version in await versions_of(system, number):
        url = f"{system.stack.api_url}/coloring-versions/{version['id']}/cancel"
        async with system.http.post(url) as response:
            assert response.status in {200, 409}
            if response.status == 409:
                refused.add(version["id"])
    assert refused
    await no_job_is_left(system)
    ended = await versions_of(system, number)
    assert {v["id"] for v in ended if v["status"] == "completed"} == refused
    assert all(v["status"] == "error" for v in ended if v["id"] not in refused)
    await delete(system, number)
    await nothing_is_left(system, order)
