"""``kill -9`` of any one service in the middle of an order of 20: all completed, nothing paid twice."""

import asyncio
from typing import Any

import pytest

from pastelka_common.testing.fake_runpod import JobPlan

IMAGES = 20


async def colorings_of(system: Any, number: str) -> list[Any]:
    order = await system.get(f"/orders/{number}")
    return [v for item in order["line_items"] for i in item["images"] for v in i["versions"]["coloring"]]


async def until_all(system: Any, number: str, statuses: set[str], *, kind: str = "coloring") -> None:
    """Wait until every image's version of ``kind`` has one of ``statuses``."""
    async with asyncio.timeout(100):
        while True:
            order = await system.get(f"/orders/{number}")
            images = [image for item in order["line_items"] for image in item["images"]]
            reached = [
                i for i in images if i["versions"][kind] and i["versions"][kind][0]["status"] in statuses
            ]
            if len(reached) == len(images):
                return
            await asyncio.sleep(0.1)


async def all_completed(system: Any, number: str) -> None:
    await until_all(system, number, {"completed"})
    await until_all(system, number, {"completed"}, kind="svg")
    order = await system.get(f"/orders/{number}")
    for item in order["line_items"]:
        for image in item["images"]:
            for version in (*image["versions"]["coloring"], *image["versions"]["svg"]):
                path = system.stack.storage / version["url"].split("/static/images/")[1]
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
    system: Any, victim: str, when: set[str]
) -> None:
    submits_before = system.runpod.stats()["submits"]
    seed = 10_000 + IMAGES * sum(map(ord, victim))
    system.runpod.settings.queue_seconds = system.runpod.settings.run_seconds = 2.0
    order = await system.order(IMAGES, process="svg", first_seed=seed)
    number = order["order_number"]
    service = system.stack.services[victim]
    later = {"runpod_processing", "completed"}
    async with system.stack.subscriber(f"orders/{number}") as subscriber:
        await until_all(system, number, when | later)
        await service.kill()
        await service.start()
        await all_completed(system, number)
        # Every completion of a coloring or SVG was pushed, including those committed meanwhile.
        updates = 2 * 2 * IMAGES
        await subscriber.until(
            lambda heard: sum(h.payload["type"] == "order_update" for h in heard) >= updates - IMAGES,
            timeout=60,
        )
    # All provider jobs were recorded when the service died: none was submitted again.
    assert system.runpod.stats()["submits"] - submits_before == IMAGES


@pytest.mark.timeout(240)
async def test_coloring_killed_during_a_submission_repeats_at_most_that_submission(system: Any) -> None:
    before = dict(system.runpod.stats()["submits_by_image"])
    order = await system.order(IMAGES, process="coloring", first_seed=90_000)
    number = order["order_number"]
    await system.runpod.until(
        lambda: len(system.runpod.stats()["submits_by_image"]) > len(before) + 5, timeout=30
    )
    known = {
        v["id"]
        for v in await colorings_of(system, number)
        if v["status"] in {"runpod_queued", "runpod_submitted"}
    }
    await system.stack.services["coloring"].kill()
    await system.stack.services["coloring"].start()
    await until_all(system, number, {"completed"})
    after = system.runpod.stats()["submits_by_image"]
    extra = sum(count - 1 for key, count in after.items() if key not in before)
    assert extra <= IMAGES - len(known)
    assert len(after) - len(before) == IMAGES


@pytest.mark.timeout(240)
async def test_sigterm_hands_over_jobs_at_once(system: Any) -> None:
    submits_before = system.runpod.stats()["submits"]
    system.runpod.plan(*[JobPlan(states=["IN_QUEUE"])] * IMAGES)
    order = await system.order(IMAGES, process="coloring", first_seed=95_000)
    number = order["order_number"]
    await until_all(system, number, {"runpod_queued"})
    assert await system.stack.services["coloring"].stop() == 0
    jobs = list(system.runpod.jobs.by_id.values())[-IMAGES:]
    polls = {job.id: job.polls for job in jobs}
    await system.stack.services["coloring"].start()
    # Sooner than any acknowledgement deadline.
    await system.runpod.until(lambda: all(job.polls > polls[job.id] for job in jobs), timeout=8)
    system.runpod.advance("COMPLETED")
    await until_all(system, number, {"completed"})
    assert system.runpod.stats()["submits"] - submits_before == IMAGES
