"""The handler of version jobs: facts in order, the provider asked once, cancellation down to the provider."""

import asyncio
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio
from nats.js import JetStreamContext
from PIL import Image

from pastelka_common.contracts.messages import ColoringJob, Failure, SvgJob, now
from pastelka_common.contracts.options import SvgOptions
from pastelka_common.contracts.statuses import ColoringProcessingStatus as Status
from pastelka_common.contracts.statuses import SvgProcessingStatus
from pastelka_common.errors import PermanentError, PostponedError, TransientError
from pastelka_common.jobs.active_runs import RunCancelled, cancel_subject
from pastelka_common.jobs.handler import RunReporter, VersionJobHandler
from pastelka_common.messaging.consumer import Delivery, RetryPolicy
from pastelka_common.messaging.outcomes import Ack
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.topology import CANCELS, COLORING_CONSUMER, RUNS
from pastelka_common.storage import FolderStorage, thumbnail_path
from pastelka_common.testing.waiting import soon, until

FIRST = Delivery(attempt=1, is_last=False)
SECOND = Delivery(attempt=2, is_last=False)
PAGE = b"a page"


class FakeGenerator:
    """A provider that does what the test sets; one submission is one payment."""

    statuses = Status

    def __init__(self) -> None:
        self.page = PAGE
        self.submissions = 0
        self.polled: list[str] = []
        self.cancelled: list[str] = []
        self.error: Exception | None = None
        self.cancel_errors: list[Exception] = []
        self.at_provider = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()

    async def generate(self, _job: ColoringJob, report: RunReporter) -> bytes:
        if report.provider_job_id is None:
            await report.status(Status.RUNPOD_SUBMITTING)
            self.submissions += 1
            await report.submitted(f"rp-{self.submissions}")
            await report.status(Status.RUNPOD_SUBMITTED)
        self.polled.append(str(report.provider_job_id))
        await report.status(Status.RUNPOD_PROCESSING)
        self.at_provider.set()
        await self.release.wait()
        if self.error is not None:
            raise self.error
        return self.page

    async def cancel(self, provider_job_id: str) -> None:
        if self.cancel_errors:
            raise self.cancel_errors.pop(0)
        self.cancelled.append(provider_job_id)


class Tracing:
    """Makes an SVG, of any page."""

    statuses = SvgProcessingStatus

    async def generate(self, _job: SvgJob, _report: RunReporter) -> bytes:
        return b"<svg/>"

    async def cancel(self, _provider_job_id: str) -> None:
        raise AssertionError("nothing was submitted")


@pytest.fixture
def generator() -> FakeGenerator:
    return FakeGenerator()


@pytest_asyncio.fixture(loop_scope="session")
async def handler(new_handler, generator: FakeGenerator) -> VersionJobHandler[ColoringJob]:
    return await new_handler(generator)


async def test_a_job_reports_every_status_and_stores_its_file(handler, facts, tmp_path: Path, job):
    todo = job(7)
    assert await handler.handle(todo, FIRST) == Ack()
    reported = await facts()
    assert [(fact.status.value, fact.order) for fact in reported] == [
        ("processing", (1, 1, 1)),
        ("runpod_submitting", (1, 1, 2)),
        ("runpod_submitted", (1, 1, 3)),
        ("runpod_processing", (1, 1, 4)),
        ("completed", (1, 1, 5)),
    ]
    assert [fact.provider_job_id for fact in reported] == [None, None, "rp-1", "rp-1", "rp-1"]
    assert [fact.path for fact in reported] == [None] * 4 + [todo.target]
    assert (tmp_path / todo.target).read_bytes() == PAGE


async def test_a_thumbnail_is_stored_beside_a_completed_page(handler, generator, tmp_path: Path, job):
    page = BytesIO()
    Image.new("1", (1500, 1000), 1).save(page, "PNG")
    generator.page = page.getvalue()
    todo = job(7)
    assert await handler.handle(todo, FIRST) == Ack()
    with Image.open(tmp_path / thumbnail_path(todo.target)) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("WEBP", (400, 267))
        assert thumbnail.getpixel((9, 9)) == (255, 255, 255)


async def test_an_svg_has_the_thumbnail_of_its_page(new_handler, tmp_path: Path):
    page = BytesIO()
    Image.new("L", (30, 20), 7).save(page, "PNG")
    storage = FolderStorage(tmp_path)
    await storage.write("1/1/page.png", page.getvalue())
    handler = await new_handler(Tracing(), storage, "svg")
    for version_id, source in ((1, "1/1/page.png"), (2, "1/1/gone.png"), (3, "../gone.png")):
        todo = SvgJob(
            version_id=version_id,
            run=1,
            order_number="1",
            image_id=1,
            source=source,
            target=f"1/1/{version_id}.svg",
            options=SvgOptions(),
        )
        assert await handler.handle(todo, FIRST) == Ack()
    with Image.open(tmp_path / "1/1/thumb_1.svg.webp") as thumbnail:
        assert thumbnail.size == (30, 20)
    assert sorted(path.name for path in (tmp_path / "1/1").iterdir()) == [
        "1.svg",
        "2.svg",
        "3.svg",
        "page.png",
        "thumb_1.svg.webp",
    ]


async def test_a_redelivery_continues_polling_without_resubmitting(handler, generator, facts, job):
    generator.error = TransientError("gateway", "The gateway did not answer.")
    with pytest.raises(TransientError):
        await handler.handle(job(7), FIRST)
    generator.error = None
    before = len(await facts())
    assert await handler.handle(job(7), SECOND) == Ack()
    later = (await facts())[before:]
    assert [(fact.status.value, fact.order) for fact in later] == [
        ("runpod_processing", (1, 2, 1)),
        ("completed", (1, 2, 2)),
    ]
    assert (generator.submissions, generator.polled) == (1, ["rp-1", "rp-1"])


async def test_another_run_is_submitted_again(handler, generator, job):
    await handler.handle(job(7), FIRST)
    await handler.handle(job(7).model_copy(update={"run": 2}), FIRST)
    assert generator.polled == ["rp-1", "rp-2"]


async def test_a_republished_job_continues_its_attempt_count_and_polling(handler, generator, facts, job):
    again = job(7).model_copy(update={"first_attempt": 4, "provider_job_id": "rp-known"})
    await handler.handle(again, SECOND)
    assert [fact.order for fact in await facts()] == [(1, 5, 1), (1, 5, 2)]
    assert (generator.submissions, generator.polled) == (0, ["rp-known"])


async def test_a_run_cancelled_before_its_start_does_nothing(handler, generator, facts, js, job):
    await js.publish(cancel_subject(job(7).key), b"cancelled")
    assert await handler.handle(job(7), FIRST) == Ack()
    assert await facts() == []
    assert (generator.submissions, generator.cancelled) == (0, [])
    assert [path async for path in handler.storage.files("42")] == []


async def test_a_cancelled_run_is_cancelled_at_the_provider(handler, generator, js, job):
    generator.release.clear()
    handling = asyncio.create_task(handler.handle(job(7), FIRST))
    await soon(generator.at_provider.wait())
    await js.publish(cancel_subject(job(7).key), b"cancelled")
    assert await soon(handling) == Ack()
    assert generator.cancelled == ["rp-1"]


async def test_a_run_cancelled_after_its_worker_died_is_cancelled_at_the_provider(
    handler, generator, js, job
):
    generator.error = TransientError("gone", "The worker died here.")
    with pytest.raises(TransientError):
        await handler.handle(job(7), FIRST)
    await js.publish(cancel_subject(job(7).key), b"cancelled")
    assert await handler.handle(job(7), SECOND) == Ack()
    assert generator.cancelled == ["rp-1"]
    assert generator.polled == ["rp-1"]


async def test_cancelling_at_an_unavailable_provider_is_retried(handler, generator, js, job):
    generator.cancel_errors = [TransientError("away", "RunPod did not answer.")]
    generator.release.clear()
    handling = asyncio.create_task(handler.handle(job(7), FIRST))
    await soon(generator.at_provider.wait())
    await js.publish(cancel_subject(job(7).key), b"cancelled")
    with pytest.raises(TransientError, match="away"):
        await soon(handling)
    assert await handler.handle(job(7), SECOND) == Ack()
    assert generator.cancelled == ["rp-1"]


async def test_a_rejected_cancellation_does_not_fail_the_job(handler, generator, js, facts, job):
    generator.cancel_errors = [PermanentError("refused", "The key was refused.")]
    generator.release.clear()
    handling = asyncio.create_task(handler.handle(job(7), FIRST))
    await soon(generator.at_provider.wait())
    await js.publish(cancel_subject(job(7).key), b"cancelled")
    assert await soon(handling) == Ack()
    assert "error" not in [fact.status.value for fact in await facts()]


async def test_the_error_of_a_rejected_job_is_its_last_fact(handler, facts, job):
    await handler.handle(job(7), FIRST)
    failure = Failure(code="photo_unreadable", message="The photo is no image.")
    await handler.reject(job(7), FIRST, failure)
    *steps, last = await facts()
    assert last.status is Status.ERROR
    assert last.failure == failure
    assert last.order > max(fact.order for fact in steps)


async def test_a_file_that_cannot_be_stored_is_a_transient_error(handler, facts, tmp_path: Path, job):
    (tmp_path / "42").write_bytes(b"a file where a folder must be")
    with pytest.raises(TransientError, match="storage_unavailable"):
        await handler.handle(job(7), FIRST)
    assert "completed" not in [fact.status.value for fact in await facts()]


async def test_a_published_job_ends_in_completed_or_error(handler, facts, work, js, job):
    generator = handler.generator
    generator.error = PermanentError("photo_unreadable", "The photo is no image.")
    await work(
        handler.handle,
        spec=COLORING_CONSUMER,
        on_rejected=handler.reject,
        retries=RetryPolicy(attempts=2, base=0.02),
    )
    await Publisher(js._nc).publish(job(7))
    await until(lambda: _ends_in(facts, Status.ERROR))
    generator.error = None
    await Publisher(js._nc).publish(job(8))
    await until(lambda: _ends_in(facts, Status.COMPLETED))


async def _ends_in(facts, status: Status) -> bool:
    reported = await facts()
    return bool(reported) and reported[-1].status is status


def test_run_cancelled_is_not_a_cancelled_error():
    assert not issubclass(RunCancelled, asyncio.CancelledError)


async def forget(js: JetStreamContext) -> None:
    """The broker loses the records of runs."""
    await js.purge_stream(f"KV_{RUNS}")


async def test_the_provider_job_is_read_from_the_storage_if_the_broker_lost_it(
    handler, generator: FakeGenerator, js: JetStreamContext, job
):
    todo = job(50)
    generator.error = TransientError("busy", "Busy.")
    with pytest.raises(TransientError):
        await handler.handle(todo, FIRST)
    await forget(js)
    generator.error = None
    assert await handler.handle(todo, FIRST) == Ack()
    assert generator.submissions == 1
    assert generator.polled == ["rp-1", "rp-1"]


async def test_a_redelivered_job_with_a_stored_file_is_not_done_again(
    handler, generator: FakeGenerator, js: JetStreamContext, facts, tmp_path: Path, job
):
    todo = job(51).model_copy(update={"asked_at": now() - timedelta(seconds=5)})
    await handler.handle(todo, FIRST)
    before = (tmp_path / todo.target).stat()
    await forget(js)
    assert await handler.handle(todo, SECOND) == Ack()
    assert generator.submissions == 1
    assert (tmp_path / todo.target).stat().st_mtime_ns == before.st_mtime_ns
    last = (await facts())[-1]
    assert (last.status, last.order, last.path) == (Status.COMPLETED, (1, 2, 1), todo.target)
    # The note beside the file is gone with the need for it.
    assert not (tmp_path / todo.target).with_name(".image_1.png.run").exists()


async def test_a_new_run_does_not_use_the_file_of_the_previous_one(handler, generator: FakeGenerator, job):
    first = job(52).model_copy(update={"asked_at": now() - timedelta(seconds=5)})
    await handler.handle(first, FIRST)
    again = first.model_copy(update={"run": 2, "asked_at": now() + timedelta(seconds=5)})
    await handler.handle(again, FIRST)
    assert generator.submissions == 2


async def test_a_job_of_an_earlier_run_is_ignored(handler, generator: FakeGenerator, facts, job):
    first = job(53)
    generator.error = TransientError("busy", "Busy.")
    with pytest.raises(TransientError):
        await handler.handle(first.model_copy(update={"run": 2}), FIRST)
    reported = len(await facts())
    assert await handler.handle(first, FIRST) == Ack()
    assert generator.submissions == 1
    assert len(await facts()) == reported


async def test_a_concurrent_second_delivery_is_postponed_and_submits_nothing(
    handler, generator: FakeGenerator, job
):
    todo = job(54).model_copy(update={"asked_at": now() - timedelta(seconds=5)})
    generator.release.clear()
    first = asyncio.create_task(handler.handle(todo, FIRST))
    await soon(generator.at_provider.wait())
    with pytest.raises(PostponedError, match="in_progress"):
        await handler.handle(todo, SECOND)
    generator.release.set()
    assert await soon(first) == await handler.handle(todo, SECOND) == Ack()
    assert generator.submissions == 1
    assert generator.polled == ["rp-1"]


async def test_a_frozen_worker_stores_nothing_of_a_cancelled_run(
    handler, generator: FakeGenerator, js: JetStreamContext, tmp_path: Path, job
):
    """It heard nothing of the cancellation, but it asks before it stores."""
    todo = job(55)
    generator.release.clear()
    handler.active_runs._cancel = lambda *_: None
    working = asyncio.create_task(handler.handle(todo, FIRST))
    await soon(generator.at_provider.wait())
    bucket = await js.key_value(CANCELS)
    await bucket.put(todo.key, b"cancelled")
    generator.release.set()
    assert await soon(working) == Ack()
    assert generator.cancelled == ["rp-1"]
    assert not (tmp_path / todo.target).exists()
