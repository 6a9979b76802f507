"""Hundreds of jobs in one process: all in hand at once, polled alike, within the rate."""

import asyncio
import time

from pastelka_coloring.providers import ColoringRequest
from pastelka_coloring.providers.runpod import RunpodLimits
from pastelka_coloring.providers.runpod.pacing import PollPacer, poll_delay, retry_delay
from pastelka_common.testing.fake_page import drawn_page
from pastelka_common.testing.sources import lying


async def test_two_hundred_jobs_share_the_polls(fake, make_provider, save, drawing, recorders):
    fake.settings.queue_seconds, fake.settings.run_seconds = 0.5, 1.5
    provider = make_provider(poll_interval=3.0)
    request = ColoringRequest(lying(save(drawing())), megapixels=1.0, steps=4)

    started = time.monotonic()
    pages = await asyncio.gather(*(provider.color(request, progress) for progress in recorders(200)))
    took = time.monotonic() - started

    polls = [job.polls for job in fake.jobs.by_id.values()]
    assert pages == [drawn_page()] * 200
    assert fake.stats()["submits"] == 200
    assert fake.jobs.in_hand_max > 150
    assert max(polls) <= 2 * min(polls) + 3
    limits = RunpodLimits()
    assert sum(polls) <= limits.poll_burst + limits.polls_per_second * took


async def test_a_tight_poll_rate_is_shared_fairly(fake, make_provider, save, drawing, recorders):
    fake.settings.run_seconds = 1.0
    limits = RunpodLimits(polls=2, polls_per_second=60, poll_burst=5)
    provider = make_provider(poll_interval=0.05, limits=limits)
    request = ColoringRequest(lying(save(drawing())), megapixels=1.0, steps=4)

    await asyncio.gather(*(provider.color(request, progress) for progress in recorders(30)))

    polls = [job.polls for job in fake.jobs.by_id.values()]
    assert max(polls) - min(polls) <= 2


async def test_turns_are_given_in_order_and_no_faster_than_the_rate():
    pacer, order = PollPacer(at_once=3, per_second=100, burst=5), []

    async def take(number):
        async with pacer.turn():
            order.append(number)

    started = time.monotonic()
    await asyncio.gather(*(take(number) for number in range(35)))

    assert order == list(range(35))
    assert time.monotonic() - started >= 0.28


def test_polls_come_soon_at_first_and_never_rarer_than_the_interval():
    assert 0.2 <= poll_delay(0.0, 3.0) <= 0.25
    assert 0.6 <= poll_delay(5.0, 3.0) <= 0.75
    assert 2.5 <= poll_delay(500.0, 3.0) <= 3.0
    assert poll_delay(0.0, 0.1) <= 0.1


def test_retries_back_off_and_never_come_before_they_are_wanted():
    assert 0.25 <= retry_delay(1, None) <= 0.5
    assert 5.0 <= retry_delay(1000, None) <= 10.0
    assert all(retry_delay(1, 7.0) >= 7.0 for _ in range(50))
