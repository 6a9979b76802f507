"""Time in RunPod's queue is not work: no timeout, no more there than is worked off, withdrawn if stuck."""

import asyncio

import pytest

from pastelka_coloring.providers import ColoringRequest
from pastelka_coloring.providers.runpod import WatchTimeouts
from pastelka_coloring.providers.runpod.queue_window import QueueWindow
from pastelka_common.errors import PermanentError, PostponedError
from pastelka_common.testing.fake_page import drawn_page
from pastelka_common.testing.fake_runpod import JobPlan
from pastelka_common.testing.sources import local_source

pytestmark = pytest.mark.slow
SCALE = 100
"""Everything below lasts a hundredth of what it does in production."""

STUCK = WatchTimeouts(queue=0.2)


@pytest.fixture
def request_of(save, drawing):
    return ColoringRequest(local_source(save(drawing())), megapixels=1.0, steps=4)


async def most_in_queue(fake, work):
    """The result of ``work``, and how many jobs waited for a worker at most meanwhile."""
    most = 0

    def look() -> bool:
        nonlocal most
        most = max(most, sum(fake.jobs.state(job) == "IN_QUEUE" for job in fake.jobs.by_id.values()))
        return False

    looking = asyncio.ensure_future(fake.until(look, timeout=600))
    try:
        return await work, most
    finally:
        looking.cancel()


async def test_a_hundred_photos_on_three_workers_all_become_pages(
    fake, make_provider, patient, request_of, recorders
):
    fake.settings.workers, fake.settings.run_seconds = 3, 40 / SCALE
    provider = make_provider(
        poll_interval=10 / SCALE, timeouts=WatchTimeouts(queue=3600 / SCALE, run=600 / SCALE)
    )

    pages = await asyncio.gather(*(provider.color(request_of, progress) for progress in recorders(100)))

    assert pages == [drawn_page()] * 100
    assert (fake.stats()["submits"], fake.stats()["cancels"]) == (100, 0)


async def test_submissions_are_limited_to_what_the_endpoint_processes_in_time(
    fake, make_provider, patient, request_of, recorders
):
    """Submitted at once, the last ones would wait for ten seconds, twice as long as they may."""
    fake.settings.workers, fake.settings.run_seconds = 3, 0.1
    provider = make_provider(timeouts=WatchTimeouts(queue=5.0), client=patient)
    coloring = asyncio.gather(*(provider.color(request_of, progress) for progress in recorders(300)))

    pages, most = await most_in_queue(fake, coloring)

    assert pages == [drawn_page()] * 300
    assert (fake.stats()["submits"], fake.stats()["cancels"]) == (300, 0)
    assert most <= 80  # 37 would wait for a quarter of the timeout


async def test_a_fixed_limit_is_never_exceeded(fake, make_provider, request_of, recorders):
    fake.settings.workers, fake.settings.run_seconds = 2, 0.05
    provider = make_provider(max_in_queue=4)
    coloring = asyncio.gather(*(provider.color(request_of, progress) for progress in recorders(30)))

    pages, most = await most_in_queue(fake, coloring)

    assert len(pages) == 30
    assert 0 < most <= 4


async def test_a_photo_waiting_for_a_queue_slot_can_be_cancelled(fake, make_provider, request_of, recorders):
    fake.plan(JobPlan(states=["IN_QUEUE"]))
    provider = make_provider(max_in_queue=1)
    first, second, third = (
        asyncio.ensure_future(provider.color(request_of, progress)) for progress in recorders(3)
    )
    await fake.until(lambda: fake.stats()["polls"] > 2)
    second.cancel()
    await asyncio.wait({second})
    fake.advance("IN_PROGRESS", "COMPLETED")

    assert [await first, await third] == [drawn_page()] * 2
    assert fake.stats()["submits"] == 2


async def test_a_job_stuck_in_the_queue_is_cancelled_and_postponed(fake, color, progress):
    fake.plan(JobPlan(states=["IN_QUEUE"]))

    with pytest.raises(PostponedError) as caught:
        await color(timeouts=STUCK)

    (job,) = fake.jobs.by_id.values()
    assert job.cancelled
    assert caught.value.code == "queue_timeout"
    assert "never left RunPod's queue" in caught.value.message
    assert progress.calls[-2:] == ["withdrawing", f"withdrawn:{job.id}"]


async def test_the_third_queue_timeout_is_a_permanent_error(fake, color, progress):
    fake.plan(JobPlan(states=["IN_QUEUE"]))
    progress.calls += ["withdrawn:a", "withdrawn:b"]

    with pytest.raises(PermanentError, match=r"never left RunPod's queue .* 3 times"):
        await color(timeouts=STUCK)


@pytest.mark.parametrize("states", [["COMPLETED"], ["IN_PROGRESS", "COMPLETED"]])
async def test_a_job_started_before_its_cancellation_is_used(fake, color, progress, states):
    fake.plan(JobPlan(states=["IN_QUEUE"]))
    fake.fail("cancel", "hang")
    coloring = asyncio.ensure_future(color(timeouts=STUCK))
    await fake.until(lambda: fake.faults.given == 1)
    fake.settings.ignores_cancels = True
    fake.advance(*states)
    fake.release()

    assert await coloring == drawn_page()
    assert not any(word.startswith("withdrawn:") for word in progress.calls)


async def test_an_unconfirmed_cancellation_causes_no_resubmission(fake, color, progress):
    """Neither a refusal nor a stray 404 says that the job is over."""
    fake.plan(JobPlan(states=["IN_QUEUE"]))
    fake.fail("cancel", 404, 500, 500)
    coloring = asyncio.ensure_future(color(timeouts=STUCK))
    await fake.until(lambda: fake.faults.given == 3)
    (job,) = fake.jobs.by_id.values()
    polls = job.polls
    fake.fail("status", 404)
    await fake.until(lambda: job.polls > polls + 3)

    assert not coloring.done()
    assert progress.calls[-1] == "withdrawing"

    fake.advance("COMPLETED")
    assert await coloring == drawn_page()


async def test_a_job_unknown_after_its_cancellation_is_postponed(fake, color):
    fake.plan(JobPlan(states=["IN_QUEUE"]))
    fake.fail("cancel", "hang")
    coloring = asyncio.ensure_future(color(timeouts=WatchTimeouts(queue=0.2, unknown=0.1)))
    await fake.until(lambda: fake.faults.given == 1)
    fake.jobs.forget(next(iter(fake.jobs.by_id)))
    fake.release()

    with pytest.raises(PostponedError, match="queue_timeout"):
        await coloring


def test_the_queue_limit_adapts_to_the_throughput_of_the_endpoint():
    window = QueueWindow(queue_timeout=3600)
    window.adapt(32, 427.0)  # three workers, 40 s a page
    assert window.limit == 64  # at most doubled
    window.adapt(64, 853.0)
    assert window.limit == 68
    window.adapt(68, 1813.0)  # one worker less than half of them
    assert window.limit == 34


def test_an_unused_limit_does_not_grow():
    window = QueueWindow(queue_timeout=3600)

    for _ in range(20):
        window.adapt(1, 0.5)

    assert window.limit == 32
    window.adapt(1, 3600.0)
    assert window.limit == 1


def test_a_fixed_limit_does_not_adapt():
    window = QueueWindow(queue_timeout=3600, fixed=7)

    window.adapt(7, 0.0)
    window.adapt(1, 3600.0)

    assert window.limit == 7
