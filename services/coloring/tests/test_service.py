"""The whole service in this process: jobs of a real broker, a fake RunPod or the local provider."""

import asyncio
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr

from pastelka_coloring.entrypoint import main
from pastelka_coloring.settings import ColoringSettings
from pastelka_common.contracts.messages import ColoringJob
from pastelka_common.contracts.options import Background, ColoringOptions, LineWeight
from pastelka_common.testing.fake_runpod import FakeRunpod, JobPlan
from pastelka_common.testing.workbench import Run, Workbench, at_work

WHOLE_WAY = [
    "processing",
    "runpod_submitting",
    "runpod_submitted",
    "runpod_queued",
    "runpod_processing",
    "completed",
]

MakeJob = Callable[..., ColoringJob]
Service = Callable[..., Run]


async def test_a_photo_becomes_a_page_step_by_step(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod, tmp_path: Path
):
    job = make_job(run=3)
    async with at_work(service()):
        await bench.put(job)
        await bench.until_reported(job, "completed")
        await bench.until_no_job_is_left()
    assert bench.statuses(job) == WHOLE_WAY
    assert [fact.order for fact in bench.of(job)] == [(3, 1, step) for step in range(1, 7)]
    assert [fact.at for fact in bench.of(job)] == sorted(fact.at for fact in bench.of(job))
    last = bench.of(job)[-1]
    assert (last.path, last.failure) == (job.target, None)
    assert all(fact.path is None for fact in bench.of(job)[:-1])
    page = Image.open(io.BytesIO((tmp_path / job.target).read_bytes()))
    assert page.format == "PNG"

    [at_runpod] = runpod.jobs.by_id.values()
    assert at_runpod.options == {"megapixels": 1.5, "steps": 6}
    assert await bench.provider_job_id(job) == at_runpod.id
    assert [fact.provider_job_id for fact in bench.of(job)] == [None, None, *[at_runpod.id] * 4]
    assert bench.dead == []


async def test_many_jobs_are_at_runpod_concurrently(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    jobs = [make_job() for _ in range(12)]
    async with at_work(service()):
        await bench.put(*jobs)
        await bench.until(lambda: all("completed" in bench.statuses(job) for job in jobs))
    assert runpod.jobs.in_progress_max > 4
    assert len(runpod.jobs.by_id) == 12


async def test_a_run_cancelled_before_its_delivery_is_never_started(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod, tmp_path: Path
):
    cancelled, next_run = make_job(), make_job()
    await bench.cancel(cancelled)
    await bench.put(cancelled, next_run)
    async with at_work(service()):
        await bench.until_reported(next_run, "completed")
        await bench.until_no_job_is_left()
    assert bench.statuses(cancelled) == []
    assert not (tmp_path / cancelled.target).exists()
    assert len(runpod.jobs.by_id) == 1


async def test_cancelling_a_run_cancels_its_job_at_runpod(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod, tmp_path: Path
):
    runpod.plan(JobPlan(states=["IN_PROGRESS"]))
    job = make_job()
    async with at_work(service()):
        await bench.put(job)
        await bench.until_reported(job, "runpod_processing")
        await bench.cancel(job)
        [at_runpod] = runpod.jobs.by_id.values()
        await runpod.until(lambda: at_runpod.cancels == 1)
        await bench.until_no_job_is_left()
    assert bench.statuses(job)[-1] == "runpod_processing"
    assert not (tmp_path / job.target).exists()
    assert bench.dead == []


async def test_a_stopping_worker_hands_over_its_job_without_a_second_submission(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod, tmp_path: Path
):
    runpod.plan(JobPlan(states=["IN_PROGRESS"]))
    job = make_job()
    await bench.put(job)
    first = asyncio.ensure_future(service()(asyncio.Event()))
    await bench.until_reported(job, "runpod_processing")
    first.cancel()
    await asyncio.wait({first})
    [at_runpod] = runpod.jobs.by_id.values()
    assert at_runpod.cancels == 0

    at_runpod.left = ["IN_PROGRESS", "COMPLETED"]
    async with at_work(service()):
        await bench.until_reported(job, "completed")
        await bench.until_no_job_is_left()
    assert len(runpod.jobs.by_id) == 1
    assert [(fact.attempt, fact.step) for fact in bench.of(job)] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (1, 4),
        (2, 1),
        (2, 2),
    ]
    assert bench.statuses(job)[-2:] == ["runpod_processing", "completed"]
    assert bench.statuses(job).count("runpod_submitting") == 1
    assert (tmp_path / job.target).is_file()


async def test_sigterm_hands_over_a_job_at_runpod_at_once(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.plan(JobPlan(states=["IN_PROGRESS"]))
    job = make_job()
    await bench.put(job)
    async with at_work(service(shutdown_grace=600), timeout=60):
        await bench.until_reported(job, "runpod_processing")
    [at_runpod] = runpod.jobs.by_id.values()
    assert at_runpod.cancels == 0


async def test_a_transient_failure_is_retried(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.fail("submit", 429)
    job = make_job()
    async with at_work(service()):
        await bench.put(job)
        await bench.until_reported(job, "completed")
    assert bench.statuses(job) == ["processing", "runpod_submitting", *WHOLE_WAY]
    assert [fact.attempt for fact in bench.of(job)] == [1, 1, 1, *[2] * 6]
    (retry,) = bench.retries(job)
    told = bench.of(job)[2]
    assert told.retry is retry
    assert (retry.attempt, retry.of, retry.code) == (1, 12, "provider_busy")
    assert told.at < retry.next_at < told.at + timedelta(seconds=3)
    assert not any(fact.possibly_paid_twice for fact in bench.of(job))
    assert bench.dead == []


async def test_a_permanent_failure_ends_in_error_with_a_dead_letter(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod
):
    runpod.plan(JobPlan(states=["FAILED"], error="no face was found"))
    job = make_job()
    async with at_work(service()):
        await bench.put(job)
        await bench.until(lambda: len(bench.dead) == 1)
        await bench.until_no_job_is_left()
    last = bench.of(job)[-1]
    assert bench.statuses(job)[-1] == "error"
    assert last.failure is not None
    assert last.failure.code == "provider_failed"
    assert "no face was found" in last.failure.message
    assert last.order > bench.of(job)[-2].order
    [letter] = bench.dead
    assert letter.failure == last.failure
    assert letter.original_subject == job.subject
    assert ColoringJob.model_validate_json(letter.original_payload) == job


@pytest.mark.parametrize(
    ("source", "code"),
    [("../../etc/passwd", "unsafe_path"), ("/etc/passwd", "unsafe_path"), ("42/none.jpg", "photo_missing")],
)
async def test_a_missing_photo_or_unsafe_path_is_an_error(
    bench: Workbench, service: Service, make_job: MakeJob, runpod: FakeRunpod, source: str, code: str
):
    job = make_job(source=source)
    async with at_work(service()):
        await bench.put(job)
        await bench.until(lambda: len(bench.dead) == 1)
    assert bench.statuses(job) == ["processing", "error"]
    assert bench.dead[0].failure.code == code
    assert len(runpod.jobs.by_id) == 0


async def test_unsupported_options_are_not_sent_to_runpod(
    bench: Workbench, service: Service, runpod: FakeRunpod, make_job: MakeJob
):
    """The API refuses them; the job of a version that is older than the provider comes here."""
    job = make_job(options=ColoringOptions(frame=False, line_weight=LineWeight.BOLD))
    async with at_work(service()):
        await bench.put(job)
        await bench.until(lambda: len(bench.dead) == 1)
    assert bench.statuses(job) == ["processing", "error"]
    failure = bench.dead[0].failure
    assert failure.code == "option_unsupported"
    assert "'runpod' does not support frame, line_weight." in failure.message
    assert len(runpod.jobs.by_id) == 0


async def test_the_local_provider_reports_no_provider_statuses(
    bench: Workbench, service: Service, make_job: MakeJob, tmp_path: Path
):
    options = ColoringOptions(megapixels=0.5, steps=1, frame=False, background=Background.NONE)
    job = make_job(options=options)
    async with at_work(service(coloring_provider="local")):
        await bench.put(job)
        # A page takes a while on a busy machine.
        await bench.until(lambda: "completed" in bench.statuses(job), timeout=90)
        await bench.until_no_job_is_left()
    assert bench.statuses(job) == ["processing", "completed"]
    assert [fact.order for fact in bench.of(job)] == [(1, 1, 1), (1, 1, 2)]
    page = Image.open(io.BytesIO((tmp_path / job.target).read_bytes()))
    assert page.format == "PNG"
    assert page.width * page.height == pytest.approx(500_000, rel=0.02)
    # In the style of the job: without a frame.
    assert page.crop((0, 0, page.width, 8)).getextrema()[0] == 255
    assert page.getextrema()[0] == 0
    assert await bench.provider_job_id(job) is None


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "RUNPOD_API_KEY and RUNPOD_ENDPOINT_ID"),
        ({"RUNPOD_API_KEY": "s3cr3t"}, "RUNPOD_ENDPOINT_ID"),
        ({"RUNPOD_ENDPOINT_ID": "ep1"}, "RUNPOD_API_KEY"),
    ],
)
def test_missing_provider_credentials_are_named_and_end_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys, given: dict[str, str], missing: str
):
    for name in ("RUNPOD_API_KEY", "RUNPOD_ENDPOINT_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"COLORING_PROVIDER": "runpod"} | given).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"COLORING_PROVIDER=runpod needs {missing}\n" in said
    assert "s3cr3t" not in said


def test_an_unknown_provider_is_an_invalid_setting(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("COLORING_PROVIDER", "crayons")
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("COLORING_PROVIDER: ")


def test_the_default_limits_depend_on_the_provider():
    local = ColoringSettings(coloring_provider="local")
    assert (local.concurrency, local.max_in_flight) == (1, 64)
    account = {"runpod_api_key": SecretStr("k"), "runpod_endpoint_id": "ep1"}
    runpod = ColoringSettings(coloring_provider="runpod", **account)
    assert (runpod.concurrency, runpod.max_in_flight) == (200, 400)
    assert ColoringSettings(coloring_provider="local", coloring_concurrency=3).concurrency == 3
