"""A worker that is stopped for longer than its deadline, and wakes up when its job is another's."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from pastelka_common.contracts.messages import ColoringJob
from pastelka_common.servers import NatsServer
from pastelka_common.testing.fake_runpod import FakeRunpod, JobPlan
from pastelka_common.testing.forkserver import ForkedProcess, fork_server
from pastelka_common.testing.workbench import Run, Workbench, at_work

MakeJob = Callable[..., ColoringJob]
Service = Callable[..., Run]
StartProcess = Callable[[], Awaitable[ForkedProcess]]

pytestmark = pytest.mark.timeout(180)


@pytest_asyncio.fixture(loop_scope="session")
async def start(nats_server: NatsServer, runpod: FakeRunpod, tmp_path: Path) -> AsyncIterator[StartProcess]:
    """``await start()`` is the service in a process of its own."""
    started: list[ForkedProcess] = []

    async def process() -> ForkedProcess:
        environment = {
            **os.environ,
            "NATS_URL": nats_server.url,
            "STORAGE_PATH": str(tmp_path),
            "HOST": "127.0.0.1",
            "PORT": "0",
            "SHUTDOWN_GRACE": "4",
            "COLORING_PROVIDER": "runpod",
            "RUNPOD_API_KEY": runpod.settings.api_key,
            "RUNPOD_ENDPOINT_ID": "ep1",
            "RUNPOD_BASE_URL": runpod.base_url,
            "RUNPOD_POLL_INTERVAL": "0.1",
        }
        started.append(
            await fork_server("pastelka_coloring.entrypoint").start(
                "pastelka_coloring", env=environment, out=1, err=2
            )
        )
        return started[-1]

    yield process
    for one in started:
        if one.returncode is None:
            one.kill()
        await one.wait()


async def end(process: ForkedProcess) -> None:
    """Wake it up, ask it to end, and wait until it has."""
    process.terminate()
    async with asyncio.timeout(30):
        assert await process.wait() == 0


async def test_a_zombie_that_was_polling_reports_no_newer_fact(
    bench: Workbench, service: Service, start: StartProcess, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.plan(JobPlan(states=["IN_PROGRESS"]))
    job = make_job()
    zombie = await start()
    await bench.put(job)
    await bench.until_reported(job, "runpod_processing")
    zombie.send_signal(signal.SIGSTOP)
    (at_runpod,) = runpod.jobs.by_id.values()
    async with at_work(service()):
        # The server gives it out to the stopped one once more, which still has a request waiting there.
        await bench.until(lambda: any(fact.attempt > 1 for fact in bench.of(job)), timeout=60)
        at_runpod.left = ["COMPLETED"]
        await bench.until_reported(job, "completed")
        await bench.until_no_job_is_left()
    ended = bench.of(job)[-1]
    told = len(bench.of(job))
    zombie.send_signal(signal.SIGCONT)
    # It is well again, and has had all the time it wants for the old job.
    another = make_job()
    await bench.put(another)
    await bench.until(lambda: "completed" in bench.statuses(another), timeout=60)
    await end(zombie)
    assert all(fact.order < ended.order for fact in bench.of(job)[told:])
    assert bench.statuses(job).count("completed") == 1
    assert bench.dead == []
    assert (len(runpod.jobs.by_id), at_runpod.cancels) == (2, 0)


async def test_the_second_submission_of_a_zombie_is_cancelled(
    bench: Workbench, service: Service, start: StartProcess, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.fail("submit", "hang")
    job = make_job()
    zombie = await start()
    await bench.put(job)
    await runpod.until(lambda: runpod.faults.given == 1, timeout=60)
    zombie.send_signal(signal.SIGSTOP)
    async with at_work(service()):
        await bench.until(lambda: "completed" in bench.statuses(job), timeout=60)
        ended = bench.of(job)[-1]
        assert ended.possibly_paid_twice is True
        told = len(bench.of(job))
        zombie.send_signal(signal.SIGCONT)
        runpod.release()
        await runpod.until(lambda: any(one.cancels for one in runpod.jobs.by_id.values()), timeout=30)
        await end(zombie)
        await bench.until_no_job_is_left()
    kept, surplus = runpod.jobs.by_id.values()
    assert (kept.cancels, surplus.cancels) == (0, 1)
    assert ended.provider_job_id == kept.id
    assert await bench.provider_job_id(job) == kept.id
    assert all(fact.order < ended.order for fact in bench.of(job)[told:])
    assert bench.statuses(job).count("completed") == 1
    assert bench.dead == []
