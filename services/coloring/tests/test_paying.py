"""What is paid for, and what is not: lost answers, retries, a provider that is left alone."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pastelka_common.contracts.messages import ColoringJob, now
from pastelka_common.messaging.service_health import ServiceHealth, collect_health
from pastelka_common.testing.fake_runpod import FakeRunpod, JobPlan
from pastelka_common.testing.fake_runpod_jobs import FaultAnswer
from pastelka_common.testing.waiting import until
from pastelka_common.testing.workbench import Run, Workbench, at_work

MakeJob = Callable[..., ColoringJob]
Service = Callable[..., Run]

PAUSE = 1.5


async def health(bench: Workbench) -> ServiceHealth:
    (found,) = await collect_health(bench.nc, ["coloring"], wait=10)
    return found


@pytest.mark.parametrize("fault", ["lost", "drop", "garbage", 502])
async def test_a_lost_response_causes_one_more_submission_and_is_reported(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod, fault
):
    runpod.fail("submit", fault)
    job = make_job()
    async with at_work(service()):
        await bench.put(job)
        await bench.until_reported(job, "completed")
    assert len(runpod.jobs.by_id) == (2 if fault == "lost" else 1)
    assert [retry.code for retry in bench.retries(job)] == ["submit_unknown"]
    assert bench.of(job)[-1].possibly_paid_twice is True


async def test_two_lost_responses_end_in_an_error_and_report_a_possible_double_payment(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.fail("submit", "lost", "lost")
    job = make_job()
    async with at_work(service()):
        await bench.put(job)
        await bench.until(lambda: len(bench.dead) == 1)
        await bench.until_no_job_is_left()
    last = bench.of(job)[-1]
    assert bench.statuses(job)[-1] == "error"
    assert last.failure is not None
    assert last.failure.code == "submit_unknown"
    assert "paid" in last.failure.message
    assert "Retry" in last.failure.message
    assert last.possibly_paid_twice is True
    assert len(runpod.jobs.by_id) == 2


async def test_a_worker_stopped_during_a_submission_submits_once(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.fail("submit", "hang")
    job = make_job()
    await bench.put(job)
    leaving = asyncio.ensure_future(service()(asyncio.Event()))
    await runpod.until(lambda: runpod.faults.given == 1, timeout=20)
    await bench.until_reported(job, "runpod_submitting")
    leaving.cancel()
    await asyncio.sleep(0)
    async with at_work(service()):
        runpod.release()
        await asyncio.wait({leaving}, timeout=20)
        await bench.until_reported(job, "completed")
    # It finished its submission while it was ending.
    assert len(runpod.jobs.by_id) == 1


async def test_retry_after_is_respected_and_reported(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.fail("submit", FaultAnswer(status=429, retry_after="4"))
    job = make_job()
    async with at_work(service()):
        await bench.put(job)
        await bench.until_reported(job, "completed")
    refused = next(fact for fact in bench.of(job) if fact.retry)
    again = next(fact for fact in bench.of(job) if fact.attempt == 2)
    assert timedelta(seconds=3.8) < refused.retry.next_at - refused.at < timedelta(seconds=4.5)
    assert again.at - refused.at > timedelta(seconds=3.5)


@pytest.mark.parametrize("state", ["FAILED", "TIMED_OUT", "CANCELLED"])
async def test_a_retry_after_a_failed_job_is_submitted_again(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod, state: str
):
    runpod.plan(JobPlan(states=[state]))
    job = make_job()
    again = job.model_copy(update={"run": 2})
    async with at_work(service()):
        await bench.put(job)
        await bench.until_reported(job, "error")
        await bench.put(again)
        await bench.until_reported(again, "completed")
    first, second = runpod.jobs.by_id
    assert bench.of(again)[-1].provider_job_id == second
    assert bench.of(job)[-1].provider_job_id == first
    assert not any(fact.possibly_paid_twice for fact in bench.of(again))


async def test_a_job_timeout_cancels_the_job_at_runpod(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.plan(JobPlan(states=["IN_PROGRESS"]))
    job = make_job()
    async with at_work(service(runpod_job_timeout=0.5)):
        await bench.put(job)
        await bench.until_reported(job, "error")
    (at_runpod,) = runpod.jobs.by_id.values()
    assert at_runpod.cancelled
    assert bench.of(job)[-1].failure.code == "timeout"


async def test_a_job_stuck_in_the_queue_is_resubmitted_without_counting_an_attempt(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.plan(JobPlan(states=["IN_QUEUE"]), JobPlan(states=["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]))
    job = make_job()
    async with at_work(service(runpod_queue_timeout=0.3)):
        await bench.put(job)
        await bench.until_reported(job, "completed")
        await bench.until_no_job_is_left()
    stuck, other = runpod.jobs.by_id.values()
    assert stuck.cancelled
    assert bench.of(job)[-1].provider_job_id == await bench.provider_job_id(job) == other.id
    assert bench.retries(job) == []
    assert not any(fact.possibly_paid_twice for fact in bench.of(job))
    assert bench.dead == []


async def test_a_job_that_never_leaves_the_queue_ends_with_queue_timeout(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.plan(*[JobPlan(states=["IN_QUEUE"])] * 9)
    job = make_job()
    async with at_work(service(runpod_queue_timeout=0.2)):
        await bench.put(job)
        await bench.until_reported(job, "error")
        await bench.until_no_job_is_left()
    failure = bench.of(job)[-1].failure
    assert failure.code == "queue_timeout"
    assert "never left RunPod's queue" in failure.message
    assert [at_runpod.cancelled for at_runpod in runpod.jobs.by_id.values()] == [True] * 3


async def test_a_worker_killed_during_a_withdrawal_neither_pays_twice_nor_fails_the_job(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.plan(JobPlan(states=["IN_QUEUE"]))
    runpod.fail("cancel", "hang")
    job = make_job()
    await bench.put(job)
    dying = asyncio.ensure_future(service(runpod_queue_timeout=0.3)(asyncio.Event()))
    await runpod.until(lambda: runpod.faults.given == 1, timeout=30)
    dying.cancel()
    await asyncio.wait({dying}, timeout=20)
    (stuck,) = runpod.jobs.by_id.values()
    runpod.release()
    await runpod.until(lambda: stuck.cancelled)
    async with at_work(service()):
        await bench.until_reported(job, "completed")
    assert len(runpod.jobs.by_id) == 2
    assert not any(fact.possibly_paid_twice for fact in bench.of(job))


async def _open_breaker(bench: Workbench) -> Any:
    """The breaker, once it is open: an answer counts when its last piece is here."""
    breaker = (await health(bench)).breaker
    return breaker if breaker.state == "open" else None


async def test_jobs_wait_while_the_breaker_pauses_calls_to_runpod(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    known = make_job()
    runpod.plan(JobPlan(states=["IN_PROGRESS"] * 400 + ["COMPLETED"]))
    others = [make_job() for _ in range(12)]
    run = service(
        breaker_failure_threshold=3,
        breaker_reset_timeout=PAUSE,
        breaker_max_reset_timeout=PAUSE,
        coloring_concurrency=4,
    )
    async with at_work(run):
        await bench.put(known)
        await bench.until_reported(known, "runpod_processing")
        assert (await health(bench)).breaker.state == "closed"
        runpod.fail("submit", *[503] * 8)
        await bench.put(*others)
        opened = await until(lambda: _open_breaker(bench), 20)
        given, polls = runpod.faults.given, runpod.stats()["polls"]
        assert given >= 3
        assert "503" in opened.reason
        assert now() - timedelta(seconds=5) < opened.since < opened.next_probe_at
        # What is submitted already is polled on; of the rest only a probe goes out now and then.
        await runpod.until(lambda: runpod.stats()["polls"] > polls + 5, timeout=20)
        assert given <= 4 + 3
        await bench.until(lambda: all("completed" in bench.statuses(job) for job in others), timeout=60)
        assert (await health(bench)).breaker.state == "closed"
        runpod.jobs.by_id[bench.of(known)[-1].provider_job_id].left = ["COMPLETED"]
        await bench.until_reported(known, "completed")
    assert len(runpod.jobs.by_id) == 13
    assert runpod.faults.given == 8
    # Attempts were lost to answers of RunPod only, not to the waiting.
    failed = [retry for job in others for retry in bench.retries(job) if retry.code != "provider_paused"]
    assert len(failed) == 8
    assert bench.dead == []


async def test_the_half_open_breaker_lets_one_job_through(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.fail("submit", *[500] * 2, "hang")
    jobs = [make_job() for _ in range(6)]

    async def is_open() -> bool:
        found = await collect_health(bench.nc, ["coloring"], wait=1)
        return any(one.breaker and one.breaker.state != "closed" for one in found)

    run = service(breaker_failure_threshold=2, breaker_reset_timeout=0.4, coloring_concurrency=2)
    async with at_work(run):
        # Both failures first: a third submission beside the second failure would take the fault of the probe.
        await bench.put(*jobs[:2])
        await until(is_open, 30)
        await bench.put(*jobs[2:])
        await runpod.until(lambda: runpod.faults.given == 3, timeout=30)
        assert (await health(bench)).breaker.state == "half_open"
        assert runpod.stats()["submits"] == 0
        runpod.release()
        await bench.until(lambda: all("completed" in bench.statuses(job) for job in jobs), timeout=60)
    assert runpod.stats()["submits"] == 6
