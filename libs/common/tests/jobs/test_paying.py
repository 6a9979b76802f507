"""Who may send a paid request, what is known of one whose answer was lost, and who comes too late."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from pastelka_common.contracts.messages import ColoringJob, Failure
from pastelka_common.contracts.statuses import ColoringProcessingStatus as Status
from pastelka_common.errors import (
    PermanentError,
    PostponedError,
    SubmitUnknownError,
    SupersededError,
    TransientError,
)
from pastelka_common.jobs.context import SUBMIT_UNKNOWN
from pastelka_common.jobs.handler import VersionJobHandler
from pastelka_common.jobs.reporter import RunReporter
from pastelka_common.messaging.attempts import Delivery, DeliveryLease
from pastelka_common.messaging.outcomes import Ack
from pastelka_common.storage import FolderStorage, StorageUnavailableError
from pastelka_common.testing.waiting import soon

Jobs = Callable[[int], ColoringJob]


class Died(BaseException):
    """The process ends here: nothing after this is done."""


class Provider:
    """Takes requests, with (RunPod) or without (Vectorizer.ai) an id; each may go wrong once."""

    statuses = Status

    def __init__(self, *, with_id: bool = True) -> None:
        self.with_id = with_id
        self.sent = 0
        self.cancelled: list[str] = []
        self.before: list[BaseException] = []
        self.after: list[BaseException] = []
        self.asked = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()

    async def generate(self, _job: ColoringJob, report: RunReporter) -> bytes:
        if self.before:
            raise self.before.pop(0)
        if report.provider_job_id is None:
            await self._submit(report)
        await report.ensure_ownership()
        return f"page {self.sent}".encode()

    async def _submit(self, report: RunReporter) -> None:
        await report.submitting(Status.RUNPOD_SUBMITTING)
        self.sent += 1
        mine = self.sent
        self.asked.set()
        await self.release.wait()
        if self.after:
            raise self.after.pop(0)
        if self.with_id:
            await report.submitted(f"rp-{mine}")

    async def cancel(self, provider_job_id: str) -> None:
        self.cancelled.append(provider_job_id)


class Process:
    """One worker process, as others see it."""

    def __init__(self, handler: VersionJobHandler[ColoringJob]) -> None:
        self.handler = handler

    async def deliver(self, job: ColoringJob, attempt: int = 1, lease: DeliveryLease | None = None) -> object:
        delivery = Delivery(attempt, is_last=False, lease=lease or DeliveryLease())
        return await self.handler.handle(job, delivery)

    async def die_with(self, job: ColoringJob, attempt: int = 1) -> None:
        with pytest.raises(Died):
            await self.deliver(job, attempt)


@pytest.fixture
def process(new_handler):
    """``await process(provider)`` is a worker process with a connection of its own."""

    async def start(provider: Provider, storage: FolderStorage | None = None) -> Process:
        return Process(await new_handler(provider, storage))

    return start


def counted() -> float:
    return SUBMIT_UNKNOWN.labels("test")._value.get()


def unknown() -> SubmitUnknownError:
    return SubmitUnknownError("submit_unknown", "The answer was lost.")


async def test_a_request_with_a_lost_response_is_repeated_once_and_reported(process, facts, job: Jobs):
    provider, before = Provider(), counted()
    provider.after = [unknown()]
    worker = await process(provider)
    with pytest.raises(SubmitUnknownError):
        await worker.deliver(job(1))
    assert not any(fact.possibly_paid_twice for fact in await facts())
    assert await worker.deliver(job(1), 2) == Ack()
    assert (provider.sent, counted() - before) == (2, 1)
    shown = [(fact.status.value, fact.possibly_paid_twice) for fact in await facts() if fact.attempt == 2]
    assert shown == [("processing", None), ("runpod_submitting", True), ("completed", True)]


@pytest.mark.parametrize("with_id", [True, False])
async def test_the_second_lost_response_ends_the_run(process, facts, job: Jobs, with_id: bool):
    provider, before = Provider(with_id=with_id), counted()
    provider.after = [unknown(), unknown()]
    worker = await process(provider)
    with pytest.raises(SubmitUnknownError):
        await worker.deliver(job(1))
    delivery = Delivery(2, is_last=False)
    with pytest.raises(PermanentError, match="may have been paid") as given_up:
        await worker.handler.handle(job(1), delivery)
    assert given_up.value.code == "submit_unknown"
    assert "Retry" in given_up.value.message
    await worker.handler.reject(job(1), delivery, Failure(code="submit_unknown", message="It may."))
    assert (await facts())[-1].possibly_paid_twice is True
    with pytest.raises(PermanentError, match="may have been paid"):
        await worker.deliver(job(1), 3)
    assert (provider.sent, counted() - before) == (2, 2)
    again = job(1).model_copy(update={"run": 2})
    assert await worker.deliver(again) == Ack()  # a person asked for it
    assert provider.sent == 3


async def test_a_worker_killed_after_its_request_is_detected_by_the_next(process, facts, job: Jobs):
    provider, before = Provider(), counted()
    provider.after = [Died()]
    await (await process(provider)).die_with(job(1))
    assert await (await process(provider)).deliver(job(1), 2) == Ack()
    assert (provider.sent, counted() - before) == (2, 1)
    assert (await facts())[-1].possibly_paid_twice is True


async def test_two_workers_killed_after_their_requests_end_the_run(process, job: Jobs):
    provider, before = Provider(), counted()
    provider.after = [Died(), Died()]
    await (await process(provider)).die_with(job(1), 1)
    await (await process(provider)).die_with(job(1), 2)
    with pytest.raises(PermanentError, match="submit_unknown"):
        await (await process(provider)).deliver(job(1), 3)
    assert (provider.sent, counted() - before) == (2, 2)


async def test_a_worker_killed_before_its_request_causes_no_double_payment(process, facts, job: Jobs):
    provider, before = Provider(), counted()
    provider.before = [Died()]
    await (await process(provider)).die_with(job(1))
    assert await (await process(provider)).deliver(job(1), 2) == Ack()
    assert (provider.sent, counted() - before) == (1, 0)
    assert not any(fact.possibly_paid_twice for fact in await facts())


async def test_a_rejected_request_is_not_an_unknown_submission(process, facts, job: Jobs):
    provider, before = Provider(), counted()
    provider.after = [TransientError("busy", "Busy."), TransientError("busy", "Busy.")]
    worker = await process(provider)
    for attempt in (1, 2):
        delivery = Delivery(attempt, is_last=False)
        with pytest.raises(TransientError):
            await worker.handler.handle(job(1), delivery)
        failure = Failure(code="busy", message="Busy.")
        assert await worker.handler.attempts.failed(job(1), delivery, failure) == attempt
    assert await worker.deliver(job(1), 3) == Ack()
    assert (provider.sent, counted() - before) == (3, 0)
    assert not any(fact.possibly_paid_twice for fact in await facts())


async def test_a_run_active_in_another_worker_is_postponed(process, job: Jobs):
    provider, before = Provider(with_id=False), counted()
    provider.release.clear()
    first, second = await process(provider), await process(provider)
    paying = asyncio.create_task(first.deliver(job(1)))
    await soon(provider.asked.wait())
    with pytest.raises(PostponedError, match="active_elsewhere"):
        await second.deliver(job(1), 2)
    with pytest.raises(PostponedError, match="in_progress"):
        await first.deliver(job(1), 3)
    provider.release.set()
    assert await soon(paying) == Ack()
    assert (provider.sent, counted() - before) == (1, 0)


async def test_a_process_repeats_its_own_lost_request(process, job: Jobs):
    provider, before = Provider(with_id=False), counted()
    provider.after = [Died()]
    worker = await process(provider)
    await worker.die_with(job(1))  # the broker was away: the record says that the request is open
    assert await worker.deliver(job(1), 2) == Ack()
    assert (provider.sent, counted() - before) == (2, 1)


async def test_a_zombie_does_not_submit(process, facts, job: Jobs):
    provider = Provider()
    zombie, heir = await process(provider), await process(provider)
    waking = asyncio.Event()
    make = zombie.handler.generator.generate

    class Stopped(Provider):
        async def generate(self, job: ColoringJob, report: RunReporter) -> bytes:
            await waking.wait()
            return await make(job, report)

    object.__setattr__(zombie.handler, "generator", Stopped())
    stopped = asyncio.create_task(zombie.deliver(job(1)))
    assert await heir.deliver(job(1), 2) == Ack()
    ended = (await facts())[-1]
    waking.set()
    with pytest.raises(SupersededError):
        await soon(stopped)
    assert provider.sent == 1
    late = [fact for fact in await facts() if fact.at > ended.at]
    assert all(fact.order < ended.order for fact in late)


async def test_a_zombie_with_an_expired_lease_stores_and_reports_nothing(process, facts, job: Jobs, tmp_path):
    provider = Provider()
    zombie, heir = await process(provider), await process(provider)
    provider.release.clear()
    lease = DeliveryLease()
    stopped = asyncio.create_task(zombie.deliver(job(1), 1, lease))
    await soon(provider.asked.wait())
    zombie.handler.active_runs._runs.clear()  # it does not answer
    provider.asked.clear()
    taken_over = asyncio.create_task(heir.deliver(job(1), 2))
    await soon(provider.asked.wait())
    lease._expired = True
    provider.release.set()
    with pytest.raises(SupersededError):
        await soon(stopped)
    assert await soon(taken_over) == Ack()
    # Of two submissions that both came through, one is cancelled and both go on with the other.
    assert provider.sent == 2
    assert len(provider.cancelled) == 1
    kept = (await zombie.handler.records.read(job(1).key)).record.provider_job_id
    assert {kept, *provider.cancelled} == {"rp-1", "rp-2"}
    last = (await facts())[-1]
    assert (last.status, last.attempt, last.provider_job_id) == (Status.COMPLETED, 2, kept)
    assert [fact.attempt for fact in await facts() if fact.status is Status.COMPLETED] == [2]


async def test_a_zombie_cannot_reject_a_run_owned_by_another_worker(process, facts, job: Jobs):
    provider = Provider()
    zombie, heir = await process(provider), await process(provider)
    delivery = Delivery(1, is_last=True, lease=DeliveryLease(-1))
    provider.before = [Died()]
    with pytest.raises(Died):
        await zombie.handler.handle(job(1), delivery)
    assert await heir.deliver(job(1), 2) == Ack()
    with pytest.raises(SupersededError):
        await zombie.handler.reject(job(1), delivery, Failure(code="timeout", message="Late."))
    assert (await facts())[-1].status is Status.COMPLETED
    assert provider.cancelled == []


async def test_an_expired_lease_does_not_stop_a_worker_that_still_owns_the_run(process, job: Jobs):
    provider = Provider()
    worker = await process(provider)
    assert await worker.deliver(job(1), 1, DeliveryLease(-1)) == Ack()


async def test_a_paid_result_waits_for_the_storage(process, job: Jobs, tmp_path: Path):
    provider = Provider(with_id=False)
    worker = await process(provider)
    (tmp_path / "42").write_bytes(b"a file where a folder must be")
    handling = asyncio.create_task(worker.deliver(job(1)))
    await soon(provider.asked.wait())
    done, _ = await asyncio.wait({handling}, timeout=0.5)
    assert not done
    (tmp_path / "42").unlink()
    assert await soon(handling) == Ack()
    assert provider.sent == 1
    assert (tmp_path / job(1).target).read_bytes() == b"page 1"


async def test_a_stored_but_unreported_result_is_not_requested_again(process, facts, job: Jobs, monkeypatch):
    provider, before = Provider(with_id=False), counted()
    worker = await process(provider)

    async def dies(_report: RunReporter, _status: Status) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(RunReporter, "completed", dies)
        await worker.die_with(job(1))
    assert await (await process(provider)).deliver(job(1), 2) == Ack()
    assert (provider.sent, counted() - before) == (1, 0)
    last = (await facts())[-1]
    assert (last.status, last.path, last.possibly_paid_twice) == (Status.COMPLETED, job(1).target, None)


class Mute(FolderStorage):
    """A folder that for a while does not say whether a file is there."""

    is_mute = False

    async def exists(self, path: str) -> bool:
        if self.is_mute:
            raise StorageUnavailableError("It does not answer")
        return await super().exists(path)


async def test_no_request_is_sent_while_the_storage_does_not_respond(process, job: Jobs, tmp_path: Path):
    provider, before = Provider(with_id=False), counted()
    worker = await process(provider, Mute(tmp_path))
    worker.handler.storage.is_mute = True
    with pytest.raises(PostponedError, match=r"storage_unavailable: .*It does not answer"):
        await worker.deliver(job(1))
    assert provider.sent == 0
    worker.handler.storage.is_mute = False
    assert await worker.deliver(job(1), 2) == Ack()
    assert (provider.sent, counted() - before) == (1, 0)


async def test_a_stored_result_is_not_requested_again_after_a_storage_outage(
    process, facts, job: Jobs, monkeypatch
):
    provider, before = Provider(with_id=False), counted()
    worker = await process(provider)

    async def dies(_report: RunReporter, _status: Status) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(RunReporter, "completed", dies)
        await worker.die_with(job(1))
    other = await process(provider, Mute(worker.handler.storage.root))
    other.handler.storage.is_mute = True
    with pytest.raises(PostponedError, match="storage_unavailable"):
        await other.deliver(job(1), 2)
    other.handler.storage.is_mute = False
    assert await other.deliver(job(1), 3) == Ack()
    assert (provider.sent, counted() - before) == (1, 0)
    assert (await facts())[-1].possibly_paid_twice is None


async def test_a_final_error_cancels_the_provider_job(process, job: Jobs):
    provider = Provider()
    worker = await process(provider)
    assert await worker.deliver(job(1)) == Ack()
    await worker.handler.reject(job(1), Delivery(1, is_last=True), Failure(code="x", message="X."))
    assert provider.cancelled == ["rp-1"]
