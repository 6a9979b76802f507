"""Old orders are erased on a running system: files, provider jobs, open dashboards."""

from typing import Any

import asyncpg
import pytest

from pastelka_common.testing.fake_runpod import JobPlan
from pastelka_common.testing.waiting import until


@pytest.fixture(scope="module")
def system_env() -> dict[str, str]:
    """Orders are kept for 30 days; the worker checks often."""
    return {
        "RETENTION_DAYS": "30",
        "RETENTION_INTERVAL": "0.5",
        "RECONCILE_INTERVAL": "1",
        "RECONCILE_GRACE": "2",
    }


async def statuses(system: Any, number: str, kind: str) -> list[str]:
    order = await system.get(f"/orders/{number}")
    return [
        version["status"]
        for item in order["line_items"]
        for image in item["images"]
        for version in image["versions"][kind]
    ]


async def set_back_creation_date(system: Any, number: str) -> None:
    """Set the order's creation date back by 31 days."""
    connection = await asyncpg.connect(system.stack.postgres.url)
    try:
        await connection.execute(
            "UPDATE orders SET created_at = now() - interval '31 days' WHERE order_number = $1", number
        )
    finally:
        await connection.close()


async def is_gone(system: Any, number: str) -> bool:
    async with system.http.get(f"{system.stack.api_url}/orders/{number}") as response:
        return bool(response.status == 404)


async def erased(system: Any) -> tuple[int, int, int]:
    shown = (await system.get("/system"))["retention"]
    assert (shown["on"], shown["days"]) == (True, 30)
    return shown["erased"], shown["waiting"], shown["failing"]


@pytest.mark.timeout(300)
async def test_an_order_past_its_retention_is_erased_and_a_newer_one_stays(system: Any) -> None:
    old, young = await system.order(2, process="svg"), await system.order(1, first_seed=9)

    async def is_done() -> bool:
        found = await statuses(system, old["order_number"], "svg")
        return len(found) == 2 and set(found) == {"completed"}

    await until(is_done, 120)
    photo = old["line_items"][0]["images"][0]["url"]
    async with system.http.get(photo) as response:
        assert response.status == 200
    folder = system.stack.storage / str(old["id"])
    assert len([file for file in folder.rglob("*") if file.is_file()]) >= 6
    async with system.stack.subscriber("orders") as browser:
        await set_back_creation_date(system, old["order_number"])
        await until(lambda: is_gone(system, old["order_number"]), 60)
        await browser.until(lambda heard: any(one.payload["type"] == "list_update" for one in heard))
    assert not folder.exists()
    async with system.http.get(photo) as response:
        assert response.status == 404
    assert [item["order_number"] for item in (await system.get("/orders"))["items"]] == [
        young["order_number"]
    ]
    assert (system.stack.storage / str(young["id"])).exists()

    async def is_counted() -> bool:
        return await erased(system) == (1, 0, 0)

    await until(is_counted, 30)


@pytest.mark.timeout(300)
async def test_erasure_cancels_provider_jobs_and_nothing_reappears(system: Any) -> None:
    system.runpod.plan(*[JobPlan(states=["IN_QUEUE"])] * 2)
    order = await system.order(2, process="svg", first_seed=50)
    number = order["order_number"]

    async def is_at_runpod() -> bool:
        found = await statuses(system, number, "coloring")
        return bool(found) and set(found) <= {"runpod_submitted", "runpod_queued", "runpod_processing"}

    await until(is_at_runpod, 60)
    await set_back_creation_date(system, number)
    await until(lambda: is_gone(system, number), 60)

    async def are_cancelled() -> bool:
        states = [system.runpod.jobs.state(job) for job in system.runpod.jobs.by_id.values()]
        return states[-2:] == ["CANCELLED"] * 2

    await until(are_cancelled, 60)
    folder = system.stack.storage / str(order["id"])
    await until(lambda: not folder.exists(), 60)
    assert (await system.get("/system"))["dead_letters"]["count"] == 0
