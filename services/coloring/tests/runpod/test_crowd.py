"""Hundreds of jobs in one process: all active at once, polled equally often, within the rate."""

import asyncio

import pytest

from pastelka_coloring.providers import ColoringRequest
from pastelka_coloring.providers.runpod.pacing import PollPacer, poll_delay, retry_delay
from pastelka_common.testing.fake_page import drawn_page
from pastelka_common.testing.fake_runpod import JobPlan
from pastelka_common.testing.sources import local_source
from services.coloring.tests.runpod.virtual_time import in_virtual_time

JOBS = 200


async def test_two_hundred_concurrent_jobs_are_polled(fake, make_provider, patient, save, drawing, recorders):
    fake.plan(*[JobPlan(states=["IN_QUEUE", "IN_PROGRESS"])] * JOBS)
    provider = make_provider(poll_interval=3.0, max_in_queue=JOBS, client=patient)
    request = ColoringRequest(local_source(save(drawing())), megapixels=1.0, steps=4)
    coloring = asyncio.gather(*(provider.color(request, progress) for progress in recorders(JOBS)))

    def each_was_polled() -> bool:
        jobs = fake.jobs.by_id.values()
        return len(jobs) == JOBS and all(job.polls >= 3 for job in jobs)

    await fake.until(each_was_polled, timeout=100)
    fake.advance("COMPLETED")

    assert await coloring == [drawn_page()] * JOBS
    assert fake.stats()["submits"] == JOBS


def test_poll_slots_are_granted_in_order_and_at_the_rate():
    order: list[int] = []

    async def thirty_five_at_once() -> float:
        pacer, clock = PollPacer(concurrency=3, per_second=100, burst=5), asyncio.get_running_loop().time

        async def take(number: int) -> None:
            async with pacer.slot():
                order.append(number)

        started = clock()
        await asyncio.gather(*(take(number) for number in range(35)))
        return clock() - started

    took = in_virtual_time(thirty_five_at_once())

    assert order == list(range(35))
    assert 0.29 <= took <= 0.31  # 5 at once, the others 10 ms apart


def test_polls_are_shared_evenly_between_jobs():
    polls = [0] * 30

    async def poll_for_ten_seconds() -> None:
        pacer = PollPacer(concurrency=2, per_second=60, burst=5)

        async def watch(number: int) -> None:
            while True:
                async with pacer.slot():
                    polls[number] += 1
                    await asyncio.sleep(0.01 + 0.001 * number)  # some are answered later than others
                await asyncio.sleep(0.05)

        async with asyncio.timeout(10):
            await asyncio.gather(*(watch(number) for number in range(30)))

    with pytest.raises(TimeoutError):
        in_virtual_time(poll_for_ten_seconds())

    assert max(polls) - min(polls) <= 2
    assert 590 <= sum(polls) <= 605  # 60 a second after a burst of 5


def test_poll_delays_start_short_and_never_exceed_the_interval():
    assert 0.2 <= poll_delay(0.0, 3.0) <= 0.25
    assert 0.6 <= poll_delay(5.0, 3.0) <= 0.75
    assert 2.5 <= poll_delay(500.0, 3.0) <= 3.0
    assert poll_delay(0.0, 0.1) <= 0.1


def test_retries_back_off_and_respect_retry_after():
    assert 0.25 <= retry_delay(1, None) <= 0.5
    assert 5.0 <= retry_delay(1000, None) <= 10.0
    assert all(retry_delay(1, 7.0) >= 7.0 for _ in range(50))
