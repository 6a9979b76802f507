"""The workshop: facts in order, the provider asked once, cancellation down to the provider."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js import JetStreamContext
from PIL import Image

from pastelka_common.contracts.messages import ColoringFact, ColoringJob, Failure, SvgJob, now
from pastelka_common.contracts.options import SvgOptions
from pastelka_common.contracts.statuses import ColoringProcessingStatus as Status
from pastelka_common.contracts.statuses import SvgProcessingStatus
from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.messaging.consumer import Delivery, Retries
from pastelka_common.messaging.outcomes import Done
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.runs import Cancellations, ProviderJobs, RunCancelled, cancel_subject
from pastelka_common.messaging.topology import CANCELS, COLORING_CONSUMER, PROVIDER_JOBS, STATUS
from pastelka_common.messaging.work import Report, Workshop
from pastelka_common.storage import FolderStorage, thumbnail_path
from pastelka_common.testing.waiting import soon, until

FIRST = Delivery(attempt=1, is_last=False)
SECOND = Delivery(attempt=2, is_last=False)
PAGE = b"a page"


class FakeMaking:
    """A provider that takes what it is told to take; one submission is one payment."""

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

    async def make(self, _job: ColoringJob, report: Report) -> bytes:
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

    async def make(self, _job: SvgJob, _report: Report) -> bytes:
        return b"<svg/>"

    async def cancel(self, _provider_job_id: str) -> None:
        raise AssertionError("nothing was submitted")


@pytest.fixture
def making() -> FakeMaking:
    return FakeMaking()


@pytest_asyncio.fixture(loop_scope="session")
async def workshop(nc: Client, making: FakeMaking, tmp_path: Path) -> Workshop[ColoringJob]:
    return Workshop(
        Publisher(nc),
        await ProviderJobs.open(nc),
        await Cancellations.open(nc, "coloring"),
        FolderStorage(tmp_path),
        making,
    )


@pytest.fixture
def facts(js: JetStreamContext) -> Callable[[], object]:
    """``await facts()`` is every fact reported so far, in the order they were stored."""

    async def facts() -> list[ColoringFact]:
        last = (await js.stream_info(STATUS)).state.last_seq
        return [
            ColoringFact.model_validate_json((await js.get_msg(STATUS, number)).data or b"")
            for number in range(1, last + 1)
        ]

    return facts


async def test_a_job_is_reported_step_by_step_and_stored(workshop, facts, tmp_path: Path, job):
    todo = job(7)
    assert await workshop.handle(todo, FIRST) == Done()
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


async def test_a_finished_page_has_a_thumbnail_beside_it(workshop, making, tmp_path: Path, job):
    page = BytesIO()
    Image.new("1", (1500, 1000), 1).save(page, "PNG")
    making.page = page.getvalue()
    todo = job(7)
    assert await workshop.handle(todo, FIRST) == Done()
    with Image.open(tmp_path / thumbnail_path(todo.target)) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("WEBP", (400, 267))
        assert thumbnail.getpixel((9, 9)) == (255, 255, 255)


async def test_an_svg_has_the_thumbnail_of_its_page(nc, tmp_path: Path):
    page = BytesIO()
    Image.new("L", (30, 20), 7).save(page, "PNG")
    storage = FolderStorage(tmp_path)
    await storage.write("1/1/page.png", page.getvalue())
    making = Tracing()
    workshop = Workshop(
        Publisher(nc), await ProviderJobs.open(nc), await Cancellations.open(nc, "svg"), storage, making
    )
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
        assert await workshop.handle(todo, FIRST) == Done()
    with Image.open(tmp_path / "1/1/thumb_1.svg.webp") as thumbnail:
        assert thumbnail.size == (30, 20)
    assert sorted(path.name for path in (tmp_path / "1/1").iterdir()) == [
        "1.svg",
        "2.svg",
        "3.svg",
        "page.png",
        "thumb_1.svg.webp",
    ]


async def test_a_redelivery_polls_on_without_submitting_or_stepping_back(workshop, making, facts, job):
    making.error = TransientError("gateway", "The gateway did not answer.")
    with pytest.raises(TransientError):
        await workshop.handle(job(7), FIRST)
    making.error = None
    before = len(await facts())
    assert await workshop.handle(job(7), SECOND) == Done()
    later = (await facts())[before:]
    assert [(fact.status.value, fact.order) for fact in later] == [
        ("runpod_processing", (1, 2, 1)),
        ("completed", (1, 2, 2)),
    ]
    assert (making.submissions, making.polled) == (1, ["rp-1", "rp-1"])


async def test_another_run_is_submitted_anew(workshop, making, job):
    await workshop.handle(job(7), FIRST)
    await workshop.handle(job(7).model_copy(update={"run": 2}), FIRST)
    assert making.polled == ["rp-1", "rp-2"]


async def test_a_job_published_again_goes_on_counting_and_polling(workshop, making, facts, job):
    again = job(7).model_copy(update={"first_attempt": 4, "provider_job_id": "rp-known"})
    await workshop.handle(again, SECOND)
    assert [fact.order for fact in await facts()] == [(1, 5, 1), (1, 5, 2)]
    assert (making.submissions, making.polled) == (0, ["rp-known"])


async def test_a_run_cancelled_before_it_began_makes_nothing(workshop, making, facts, js, job):
    await js.publish(cancel_subject(job(7).key), b"cancelled")
    assert await workshop.handle(job(7), FIRST) == Done()
    assert await facts() == []
    assert (making.submissions, making.cancelled) == (0, [])
    assert [path async for path in workshop.storage.files("42")] == []


async def test_a_cancelled_run_is_cancelled_at_the_provider(workshop, making, js, job):
    making.release.clear()
    handling = asyncio.create_task(workshop.handle(job(7), FIRST))
    await soon(making.at_provider.wait())
    await js.publish(cancel_subject(job(7).key), b"cancelled")
    assert await soon(handling) == Done()
    assert making.cancelled == ["rp-1"]


async def test_a_run_cancelled_while_its_worker_was_dead_is_cancelled_at_the_provider(
    workshop, making, js, job
):
    making.error = TransientError("gone", "The worker died here.")
    with pytest.raises(TransientError):
        await workshop.handle(job(7), FIRST)
    await js.publish(cancel_subject(job(7).key), b"cancelled")
    assert await workshop.handle(job(7), SECOND) == Done()
    assert making.cancelled == ["rp-1"]
    assert making.polled == ["rp-1"]


async def test_cancelling_at_a_provider_that_is_away_is_tried_again(workshop, making, js, job):
    making.cancel_errors = [TransientError("away", "RunPod did not answer.")]
    making.release.clear()
    handling = asyncio.create_task(workshop.handle(job(7), FIRST))
    await soon(making.at_provider.wait())
    await js.publish(cancel_subject(job(7).key), b"cancelled")
    with pytest.raises(TransientError, match="away"):
        await soon(handling)
    assert await workshop.handle(job(7), SECOND) == Done()
    assert making.cancelled == ["rp-1"]


async def test_a_provider_that_refuses_to_cancel_is_no_failure_of_the_job(workshop, making, js, facts, job):
    making.cancel_errors = [PermanentError("refused", "The key was refused.")]
    making.release.clear()
    handling = asyncio.create_task(workshop.handle(job(7), FIRST))
    await soon(making.at_provider.wait())
    await js.publish(cancel_subject(job(7).key), b"cancelled")
    assert await soon(handling) == Done()
    assert "error" not in [fact.status.value for fact in await facts()]


async def test_a_rejected_job_ends_in_an_error_after_all_its_steps(workshop, facts, job):
    await workshop.handle(job(7), FIRST)
    failure = Failure(code="photo_unreadable", message="The photo is no image.")
    await workshop.reject(job(7), FIRST, failure)
    *steps, last = await facts()
    assert last.status is Status.ERROR
    assert last.failure == failure
    assert last.order > max(fact.order for fact in steps)


async def test_a_file_that_cannot_be_stored_is_a_transient_error(workshop, facts, tmp_path: Path, job):
    (tmp_path / "42").write_bytes(b"a file where a folder must be")
    with pytest.raises(TransientError, match="storage_unavailable"):
        await workshop.handle(job(7), FIRST)
    assert "completed" not in [fact.status.value for fact in await facts()]


async def test_the_whole_line_from_message_to_facts(workshop, facts, work, js, job):
    making = workshop.making
    making.error = PermanentError("photo_unreadable", "The photo is no image.")
    await work(
        workshop.handle,
        spec=COLORING_CONSUMER,
        on_rejected=workshop.reject,
        retries=Retries(attempts=2, base=0.02),
    )
    await Publisher(js._nc).publish(job(7))
    await until(lambda: _ends_in(facts, Status.ERROR))
    making.error = None
    await Publisher(js._nc).publish(job(8))
    await until(lambda: _ends_in(facts, Status.COMPLETED))


async def _ends_in(facts, status: Status) -> bool:
    reported = await facts()
    return bool(reported) and reported[-1].status is status


def test_a_cancelled_run_is_told_apart_from_a_cancelled_task():
    assert not issubclass(RunCancelled, asyncio.CancelledError)


async def forget(js: JetStreamContext) -> None:
    """The broker loses what it knew of the providers' jobs."""
    await js.purge_stream(f"KV_{PROVIDER_JOBS}")


async def test_the_storage_remembers_the_providers_job_when_the_broker_has_forgotten(
    workshop, making: FakeMaking, js: JetStreamContext, job
):
    todo = job(50)
    making.error = TransientError("busy", "Busy.")
    with pytest.raises(TransientError):
        await workshop.handle(todo, FIRST)
    await forget(js)
    making.error = None
    assert await workshop.handle(todo, FIRST) == Done()
    assert making.submissions == 1
    assert making.polled == ["rp-1", "rp-1"]


async def test_a_job_that_comes_back_after_its_file_was_stored_is_not_done_again(
    workshop, making: FakeMaking, js: JetStreamContext, facts, tmp_path: Path, job
):
    todo = job(51).model_copy(update={"asked_at": now() - timedelta(seconds=5)})
    await workshop.handle(todo, FIRST)
    before = (tmp_path / todo.target).stat()
    await forget(js)
    assert await workshop.handle(todo, SECOND) == Done()
    assert making.submissions == 1
    assert (tmp_path / todo.target).stat().st_mtime_ns == before.st_mtime_ns
    last = (await facts())[-1]
    assert (last.status, last.order, last.path) == (Status.COMPLETED, (1, 2, 1), todo.target)
    # The note beside the file is gone with the need for it.
    assert not (tmp_path / todo.target).with_name(".image_1.png.run").exists()


async def test_a_new_run_does_not_take_the_file_of_the_one_before(workshop, making: FakeMaking, job):
    first = job(52).model_copy(update={"asked_at": now() - timedelta(seconds=5)})
    await workshop.handle(first, FIRST)
    again = first.model_copy(update={"run": 2, "asked_at": now() + timedelta(seconds=5)})
    await workshop.handle(again, FIRST)
    assert making.submissions == 2


async def test_a_job_of_an_earlier_run_is_left_alone(workshop, making: FakeMaking, facts, job):
    first = job(53)
    making.error = TransientError("busy", "Busy.")
    with pytest.raises(TransientError):
        await workshop.handle(first.model_copy(update={"run": 2}), FIRST)
    reported = len(await facts())
    assert await workshop.handle(first, FIRST) == Done()
    assert making.submissions == 1
    assert len(await facts()) == reported


async def test_a_second_delivery_waits_for_the_first_and_pays_for_nothing(workshop, making: FakeMaking, job):
    todo = job(54).model_copy(update={"asked_at": now() - timedelta(seconds=5)})
    making.release.clear()
    first = asyncio.create_task(workshop.handle(todo, FIRST))
    await soon(making.at_provider.wait())
    second = asyncio.create_task(workshop.handle(todo, SECOND))
    making.release.set()
    assert await soon(asyncio.gather(first, second)) == [Done(), Done()]
    assert making.submissions == 1
    assert making.polled == ["rp-1"]


async def test_a_worker_that_was_frozen_stores_nothing_of_a_cancelled_run(
    workshop, making: FakeMaking, js: JetStreamContext, tmp_path: Path, job
):
    """It heard nothing of the cancellation, but it asks before it stores."""
    todo = job(55)
    making.release.clear()
    workshop.cancellations._hear = workshop.cancellations._cancel = lambda *_: None
    working = asyncio.create_task(workshop.handle(todo, FIRST))
    await soon(making.at_provider.wait())
    bucket = await js.key_value(CANCELS)
    await bucket.put(todo.key, b"cancelled")
    making.release.set()
    assert await soon(working) == Done()
    assert making.cancelled == ["rp-1"]
    assert not (tmp_path / todo.target).exists()
