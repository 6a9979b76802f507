"""Old orders are erased on a running system: files, provider jobs, open dashboards."""

from typing import Any

import asyncpg
import pytest

from pastelka_common.testing.waiting import until


@pytest.fixture(scope="module")
def line_env() -> dict[str, str]:
    """Orders are kept for 30 days; the worker checks often."""
    return {
        "RETENTION_DAYS": "30",
        "RETENTION_INTERVAL": "0.5",
        "RECONCILE_INTERVAL": "1",
        "RECONCILE_GRACE": "2",
    }


async def statuses(line: Any, number: str, kind: str) -> list[str]:
    order = await line.get(f"/orders/{number}")
    return [
        version["status"]
        for item in order["line_items"]
        for image in item["images"]
        for version in image["versions"][kind]
    ]


async def set_back_creation_date(line: Any, number: str) -> None:
    """Set the order's creation date back by 31 days."""
    connection = await asyncpg.connect(line.stack.postgres.url)
    try:
        await connection.execute(
            "UPDATE orders SET created_at = now() - interval '31 days' WHERE order_number = $1", number
        )
    finally:
        await connection.close()


async def is_gone(line: Any, number: str) -> bool:
    async with line.http.get(f"{line.stack.api_url}/orders/{number}") as response:
        return bool(response.status == 404)


async def erased(line: Any) -> tuple[int, int, int]:
    shown = (await line.get("/system"))["retention"]
    assert (shown["on"], shown["days"]) == (True, 30)
    return shown["erased"], shown["waiting"], shown["failing"]


@pytest.mark.timeout(300)
async def test_an_order_past_its_retention_is_erased_and_a_newer_one_stays(line: Any) -> None:
    old, young = await line.order(2, process="svg"), await line.order(1, first_seed=9)

    async def is_done() -> bool:
        found = await statuses(line, old["order_number"], "svg")
        return len(found) == 2 and set(found) == {"completed"}

    await until(is_done, 120)
    photo = old["line_items"][0]["images"][0]["url"]
    async with line.http.get(photo) as response:
        assert response.status == 200
    folder = line.stack.storage / str(old["id"])
    assert len([file for file in folder.rglob("*") if file.is_file()]) >= 6
    async with line.stack.subscriber("orders") as browser:
        await set_back_creation_date(line, old["order_number"])
        await until(lambda: is_gone(line, old["order_number"]), 60)
        await browser.until(lambda heard: any(one.payload["type"] == "list_update" for one in heard))
    assert not folder.exists()
    async with line.http.get(photo) as response:
        assert response.status == 404
    assert [item["order_number"] for item in (await line.get("/orders"))["items"]] == [young["order_number"]]
    assert (line.stack.storage / str(young["id"])).exists()

    async def is_counted() -> bool:
        return await erased(line) == (1, 0, 0)

    await until(is_counted, 30)


@pytest.mark.timeout(300)
async def test_erasure_cancels_provider_jobs_and_nothing_reappears(line: Any) -> None:
    line.runpod.settings.queue_seconds = line.runpod.settings.run_seconds = 3.0
    order = await line.order(2, process="svg", first_seed=50)
    number = order["order_number"]

    async def is_at_runpod() -> bool:
        found = await statuses(line, number, "coloring")
        return bool(found) and set(found) <= {"runpod_submitted", "runpod_queued", "runpod_processing"}

    await until(is_at_runpod, 60)
    await set_back_creation_date(line, number)
    await until(lambda: is_gone(line, number), 60)

    async def are_cancelled() -> bool:
        states = [line.runpod.jobs.state(job) for job in line.runpod.jobs.by_id.values()]
        return states[-2:] == ["CANCELLED"] * 2

    await until(are_cancelled, 60)
    folder = line.stack.storage / str(order["id"])
    await until(lambda: not folder.exists(), 60)
    assert (await line.get("/system"))["dead_letters"]["count"] == 0
