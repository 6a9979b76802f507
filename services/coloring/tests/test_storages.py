"""The whole service with its files in a folder or a bucket, also in one that is away for a while."""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from nats.js.errors import NotFoundError
from PIL import Image

from pastelka_common.contracts.messages import ColoringJob, now
from pastelka_common.jobs import run_markers
from pastelka_common.jobs.reporter import RunReporter
from pastelka_common.storage import thumbnail_path
from pastelka_common.testing.fake_runpod import FakeRunpod, JobPlan
from pastelka_common.testing.places import Place, storage_of
from pastelka_common.testing.waiting import until
from pastelka_common.testing.workbench import Run, Workbench, at_work

MakeJob = Callable[..., ColoringJob]
Service = Callable[..., Run]

AT_RUNPOD = "runpod_processing"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_markers, "_STORAGE_SECONDS", 0.5)


async def _stored(place: Place, job: ColoringJob, tmp_path: Path) -> ColoringJob:
    await storage_of(place).put_file(job.source, tmp_path / job.source)
    return job


async def _until_it_waits(bench: Workbench, job: ColoringJob) -> None:
    """Until a delivery of the job was put off."""

    async def is_put_off() -> bool:
        try:
            return bool((await bench.nc.jetstream().consumer_info("JOBS", "coloring")).num_redelivered)
        except NotFoundError:  # the service has not created it yet
            return False

    await until(is_put_off, 40)
    assert "completed" not in bench.statuses(job)


async def _page(place: Place, job: ColoringJob) -> Image.Image:
    return Image.open(io.BytesIO(await storage_of(place).read(job.target)))


async def test_a_photo_becomes_a_page_with_a_thumbnail(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod, place: Place, tmp_path: Path
):
    job = await _stored(place, make_job(), tmp_path)
    async with at_work(service(**place.settings)):
        await bench.put(job)
        await bench.until_reported(job, "completed")
        await bench.until_no_job_is_left()
    assert (await _page(place, job)).format == "PNG"
    storage = storage_of(place)
    assert await storage.exists(thumbnail_path(job.target))
    # The note of the run is gone with the need for it.
    assert sorted([path async for path in storage.files(job.target.rpartition("/")[0])]) == [
        job.target,
        thumbnail_path(job.target),
    ]
    assert len(runpod.jobs.by_id) == 1


async def test_nothing_is_submitted_while_the_storage_is_unavailable(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod, place: Place, tmp_path: Path
):
    job = await _stored(place, make_job(), tmp_path)
    await place.leave()
    async with at_work(service(**place.settings, job_attempts=1)):
        await bench.put(job)
        await _until_it_waits(bench, job)
        assert runpod.stats()["submits"] == 0
        await place.come_back()
        await bench.until_reported(job, "completed")
    assert len(runpod.jobs.by_id) == 1
    assert bench.retries(job) == bench.dead == []


async def test_a_storage_outage_during_a_runpod_job_causes_no_second_submission(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod, place: Place, tmp_path: Path
):
    runpod.plan(JobPlan(states=["IN_PROGRESS"]))
    job = await _stored(place, make_job(asked_at=now()), tmp_path)
    async with at_work(service(**place.settings, job_attempts=2)):
        await bench.put(job)
        await bench.until_reported(job, AT_RUNPOD)
        [at_runpod] = runpod.jobs.by_id.values()
        await place.leave()
        at_runpod.left = ["COMPLETED"]
        # The page cannot be stored: that is the one attempt that fails. From then on the job waits.
        await bench.until(lambda: len(bench.retries(job)) >= 2, timeout=60)
        assert {retry.code for retry in bench.retries(job)} == {"storage_unavailable"}
        assert {retry.attempt for retry in bench.retries(job)} == {1}
        await place.come_back()
        await bench.until_reported(job, "completed")
    assert (await _page(place, job)).format == "PNG"
    assert (len(runpod.jobs.by_id), at_runpod.cancels) == (1, 0)
    assert bench.dead == []
    assert not any(fact.possibly_paid_twice for fact in bench.of(job))


async def test_polling_a_submitted_job_needs_no_photo(
    bench: Workbench,
    service: Service,
    make_job: MakeJob,
    runpod: FakeRunpod,
    place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    runpod.plan(JobPlan(states=["IN_PROGRESS"]))
    job = await _stored(place, make_job(), tmp_path)
    await bench.put(job)
    leaving = asyncio.ensure_future(service(**place.settings)(asyncio.Event()))
    await bench.until_reported(job, AT_RUNPOD)
    assert list((tmp_path / "temporary").iterdir()) == []
    leaving.cancel()
    await asyncio.wait({leaving})
    await storage_of(place).remove(job.source)
    [at_runpod] = runpod.jobs.by_id.values()
    at_runpod.left = ["COMPLETED"]
    async with at_work(service(**place.settings)):
        await bench.until_reported(job, "completed")
    assert len(runpod.jobs.by_id) == 1


async def test_a_stored_but_unreported_page_is_found_after_a_storage_outage(
    bench: Workbench,
    service: Service,
    make_job: MakeJob,
    runpod: FakeRunpod,
    place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    job = await _stored(place, make_job(asked_at=now()), tmp_path)
    stored, go_on = asyncio.Event(), asyncio.Event()
    completed = RunReporter.completed

    async def late(report: RunReporter, status) -> None:
        stored.set()
        await go_on.wait()
        await completed(report, status)

    await bench.put(job)
    with monkeypatch.context() as patched:
        patched.setattr(RunReporter, "completed", late)
        dying = asyncio.ensure_future(service(**place.settings)(asyncio.Event()))
        async with asyncio.timeout(30):
            await stored.wait()
        dying.cancel()
        await asyncio.wait({dying})
    await place.leave()
    async with at_work(service(**place.settings, job_attempts=1)):
        await _until_it_waits(bench, job)
        await place.come_back()
        await bench.until_reported(job, "completed")
    assert len(runpod.jobs.by_id) == 1
