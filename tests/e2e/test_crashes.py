"""``kill -9`` of any one service in the middle of an order of 20: all completed, nothing paid twice."""

import asyncio
from typing import Any

import pytest

IMAGES = 20


async def colorings_of(line: Any, number: str) -> list[Any]:
    order = await line.get(f"/orders/{number}")
    return [v for item in order["line_items"] for i in item["images"] for v in i["versions"]["coloring"]]


async def until_all(line: Any, number: str, statuses: set[str], *, kind: str = "coloring") -> None:
    """Wait until every image's version of ``kind`` has one of ``statuses``."""
    async with asyncio.timeout(100):
        while True:
            order = await line.get(f"/orders/{number}")
            images = [image for item in order["line_items"] for image in item["images"]]
            reached = [
                i for i in images if i["versions"][kind] and i["versions"][kind][0]["status"] in statuses
            ]
            if len(reached) == len(images):
                return
            await asyncio.sleep(0.1)


async def all_completed(line: Any, number: str) -> None:
    await until_all(line, number, {"completed"})
    await until_all(line, number, {"completed"}, kind="svg")
    order = await line.get(f"/orders/{number}")
    for item in order["line_items"]:
        for image in item["images"]:
            for version in (*image["versions"]["coloring"], *image["versions"]["svg"]):
                path = line.stack.storage / version["url"].split("/static/images/")[1]
                assert path.stat().st_size > 0


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("victim", "when"),
    [
        ("coloring", {"runpod_submitted", "runpod_queued", "runpod_processing"}),
        ("worker", {"runpod_queued", "runpod_processing"}),
        ("api", {"queued", "processing", "runpod_submitting", "runpod_submitted", "runpod_queued"}),
        ("notifier", {"processing", "runpod_submitting", "runpod_submitted", "runpod_queued"}),
        ("vectorize", {"completed"}),
    ],
)
async def test_an_order_completes_though_any_service_is_killed(
    line: Any, victim: str, when: set[str]
) -> None:
    submits_before = line.runpod.stats()["submits"]
    seed = 10_000 + IMAGES * sum(map(ord, victim))
    line.runpod.settings.queue_seconds = line.runpod.settings.run_seconds = 2.0
    order = await line.order(IMAGES, process="svg", first_seed=seed)
    number = order["order_number"]
    service = line.stack.services[victim]
    later = {"runpod_processing", "completed"}
    async with line.stack.subscriber(f"orders/{number}") as subscriber:
        await until_all(line, number, when | later)
        await service.kill()
        await service.start()
        await all_completed(line, number)
        # Every completion of a coloring or SVG was pushed, including those committed meanwhile.
        updates = 2 * 2 * IMAGES
        await subscriber.until(
            lambda heard: sum(h.payload["type"] == "order_update" for h in heard) >= updates - IMAGES,
            timeout=60,
        )
    # All provider jobs were recorded when the service died: none was submitted again.
    assert line.runpod.stats()["submits"] - submits_before == IMAGES


@pytest.mark.timeout(240)
async def test_coloring_killed_during_a_submission_repeats_at_most_that_submission(line: Any) -> None:
    before = dict(line.runpod.stats()["submits_by_image"])
    order = await line.order(IMAGES, process="coloring", first_seed=90_000)
    number = order["order_number"]
    await line.runpod.until(lambda: len(line.runpod.stats()["submits_by_image"]) > len(before) + 5)
    known = {
        v["id"]
        for v in await colorings_of(line, number)
        if v["status"] in {"runpod_queued", "runpod_submitted"}
    }
    await line.stack.services["coloring"].kill()
    await line.stack.services["coloring"].start()
    await until_all(line, number, {"completed"})
    after = line.runpod.stats()["submits_by_image"]
    extra = sum(count - 1 for key, count in after.items() if key not in before)
    assert extra <= IMAGES - len(known)
    assert len(after) - len(before) == IMAGES


@pytest.mark.timeout(120)
async def test_sigterm_hands_over_jobs_at_once(line: Any) -> None:
    submits_before = line.runpod.stats()["submits"]
    order = await line.order(IMAGES, process="coloring", first_seed=95_000)
    number = order["order_number"]
    await until_all(line, number, {"runpod_queued", "runpod_processing", "completed"})
    assert await line.stack.services["coloring"].stop() == 0
    await line.stack.services["coloring"].start()
    async with asyncio.timeout(8):  # sooner than any acknowledgement deadline
        await until_all(line, number, {"completed"})
    assert line.runpod.stats()["submits"] - submits_before == IMAGES
