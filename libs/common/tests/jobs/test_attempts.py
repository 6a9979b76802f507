"""Which deliveries count as attempts of a run, and where the count is kept."""

import asyncio
from collections.abc import Callable

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from pastelka_common.contracts.messages import ColoringJob, DeadLetter
from pastelka_common.contracts.statuses import ColoringProcessingStatus as Status
from pastelka_common.errors import BrokerUnavailableError, PostponedError, TransientError
from pastelka_common.jobs.records import RunRecords
from pastelka_common.jobs.reporter import RunReporter
from pastelka_common.messaging.attempts import DeliveryLease
from pastelka_common.messaging.consumer import Delivery, RetryPolicy
from pastelka_common.messaging.outcomes import Ack, Outcome
from pastelka_common.messaging.publish import Publisher, PublishError
from pastelka_common.messaging.topology import JOBS, ConsumerSpec, ensure_consumer
from pastelka_common.testing.waiting import soon, until

SPEC = ConsumerSpec(JOBS, "coloring", "jobs.coloring.*", ack_wait=30, max_ack_pending=100)
ALERT = ConsumerSpec(JOBS, "coloring", "jobs.coloring.*", ack_wait=0.6, max_ack_pending=100)
QUICK = RetryPolicy(attempts=3, silent_deliveries=4, base=0.02, max_delay=0.05)

Jobs = Callable[[int], ColoringJob]


class ScriptedGenerator:
    """Raises what the script says for each attempt, and makes a page after that."""

    statuses = Status

    def __init__(self, *script: Exception) -> None:
        self.script = list(script)
        self.attempts: list[int] = []
        self.cancelled: list[str] = []
        self.begun = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()

    async def generate(self, _job: ColoringJob, report: RunReporter) -> bytes:
        self.attempts.append(report.number)
        self.begun.set()
        await self.release.wait()
        if self.script:
            raise self.script.pop(0)
        return b"page"

    async def cancel(self, provider_job_id: str) -> None:
        self.cancelled.append(provider_job_id)


@pytest.fixture
def begin(work, new_handler):
    """``await begin(generator, spec=...)`` starts a worker that makes colorings."""

    async def start(
        generator: ScriptedGenerator, *, spec: ConsumerSpec = SPEC, retries: RetryPolicy = QUICK, **options
    ):
        handler = await new_handler(generator)
        return await work(
            handler.handle,
            spec=spec,
            retries=retries,
            on_rejected=handler.reject,
            attempts=handler.attempts,
            **options,
        )

    return start


def busy() -> TransientError:
    return TransientError("busy", "Busy.")


async def letter_of(dead: "asyncio.Queue") -> DeadLetter:
    return DeadLetter.model_validate_json((await soon(dead.get())).data)


async def hand_back(nc: Client, js: JetStreamContext, times: int, spec: ConsumerSpec = SPEC) -> None:
    """Deliveries of which nothing is ever heard: their workers died."""
    await ensure_consumer(nc, spec)
    puller = await js.pull_subscribe_bind("coloring", JOBS)
    for _ in range(times):
        for msg in await puller.fetch(1):
            await msg.nak()


async def until_counted(nc: Client, job: ColoringJob) -> None:
    """Wait until the first failed attempt of a job is recorded."""
    records = await RunRecords.open(nc)

    async def counted() -> bool:
        return (await records.read(job.key)).record.failed == 1

    await until(counted)


async def test_failed_attempts_are_counted_and_reported(begin, js, job: Jobs, listen, facts):
    dead = await listen("dead.>")
    generator = ScriptedGenerator(busy(), busy(), busy())
    await begin(generator)
    await Publisher(js._nc).publish(job(1))
    letter = await letter_of(dead)
    assert (letter.failure.code, letter.attempt) == ("busy", 3)
    last_reported = await facts()
    retries = [fact.retry for fact in last_reported if fact.retry]
    assert [(retry.attempt, retry.of, retry.code, retry.message) for retry in retries] == [
        (1, 3, "busy", "Busy."),
        (2, 3, "busy", "Busy."),
    ]
    assert [fact.status.value for fact in last_reported] == ["processing"] * 5 + ["error"]
    assert [fact.order for fact in last_reported] == sorted({fact.order for fact in last_reported})


async def test_broker_errors_and_postponements_count_no_attempt(begin, js, job: Jobs, jobs_left):
    nothing_tried = [BrokerUnavailableError(), PublishError("away"), PostponedError("p", "P.", seconds=0.01)]
    generator = ScriptedGenerator(*nothing_tried, *nothing_tried, busy(), *nothing_tried, busy())
    await begin(generator)
    await Publisher(js._nc).publish(job(1))
    await jobs_left(0)
    assert len(generator.attempts) == 12


async def test_a_broker_error_does_not_consume_the_last_attempt(begin, js, job: Jobs, jobs_left):
    generator = ScriptedGenerator(busy(), busy(), PublishError("away"), PublishError("away"))
    await begin(generator)
    await Publisher(js._nc).publish(job(1))
    await jobs_left(0)
    assert len(generator.attempts) == 5


async def test_a_nak_at_sigterm_counts_no_attempt(begin, connect, js, job: Jobs, listen):
    dead = await listen("dead.>")
    await Publisher(js._nc).publish(job(1))
    for _ in range(6):
        generator = ScriptedGenerator()
        generator.release.clear()
        worker = await begin(generator, on=await connect())
        await soon(generator.begun.wait())
        await worker.stop()
    last = ScriptedGenerator(busy(), busy(), busy())
    await begin(last)
    assert (await letter_of(dead)).failure.code == "busy"
    assert len(last.attempts) == 3


async def test_the_attempt_count_survives_a_new_process_and_message(
    begin, connect, nc, js, job: Jobs, listen
):
    dead = await listen("dead.>")
    publisher = Publisher(js._nc)
    await publisher.publish(job(1))
    first = ScriptedGenerator(busy(), busy())
    first_worker = await begin(first, retries=RetryPolicy(attempts=3, base=60), on=await connect())
    await until(lambda: len(first.attempts) == 1)
    await until_counted(nc, job(1))
    await first_worker.stop()
    await js.purge_stream(JOBS)
    await publisher.publish(job(1).model_copy(update={"first_attempt": 2}))
    second = ScriptedGenerator(busy(), busy(), busy())
    await begin(second)
    assert (await letter_of(dead)).failure.code == "busy"
    assert len(second.attempts) == 2


async def test_a_job_after_too_many_silent_deliveries_becomes_a_dead_letter(begin, nc, js, job: Jobs, listen):
    dead = await listen("dead.>")
    await Publisher(js._nc).publish(job(1))
    await hand_back(nc, js, 4)
    generator = ScriptedGenerator()
    await begin(generator)
    letter = await letter_of(dead)
    assert letter.failure.code == "attempts_exhausted"
    assert "4 attempts" in letter.failure.message
    assert generator.attempts == []


async def test_a_finished_attempt_resets_the_count_of_silent_deliveries(begin, nc, js, job: Jobs, jobs_left):
    await Publisher(js._nc).publish(job(1))
    await hand_back(nc, js, 3)
    generator = ScriptedGenerator(busy())
    worker = await begin(generator, retries=RetryPolicy(attempts=3, silent_deliveries=4))
    await until_counted(nc, job(1))
    await worker.stop()
    await hand_back(nc, js, 3)
    again = ScriptedGenerator()
    await begin(again)
    await jobs_left(0)
    assert len(again.attempts) == 1


async def test_a_postponement_does_not_reset_silent_deliveries(begin, nc, js, job: Jobs, listen):
    dead = await listen("dead.>")
    await Publisher(js._nc).publish(job(1))
    await hand_back(nc, js, 3)
    generator = ScriptedGenerator(PostponedError("p", "P.", seconds=60))
    worker = await begin(generator, retries=RetryPolicy(attempts=3, silent_deliveries=4))
    await until(lambda: generator.attempts)
    await worker.stop()
    record = (await (await RunRecords.open(nc)).read(job(1).key)).record
    assert (record.silent_deliveries, record.last_reported, record.failed) == (3, 4, 0)
    assert dead.empty()


async def test_a_submitted_job_allows_more_silent_deliveries_and_is_finally_cancelled(
    begin, nc, js, job: Jobs, listen
):
    dead = await listen("dead.>")
    await (await RunRecords.open(nc)).store_provider_job(job(1).key, "rp-1")
    await Publisher(js._nc).publish(job(1))
    await hand_back(nc, js, 11)
    generator = ScriptedGenerator(busy(), busy(), busy())
    await begin(generator)
    assert (await letter_of(dead)).failure.code == "busy"
    assert len(generator.attempts) == 3
    await until(lambda: generator.cancelled)
    assert generator.cancelled == ["rp-1"]


async def test_an_active_job_that_is_redelivered_continues_as_the_later_delivery(
    begin, nc, js, job: Jobs, jobs_left, facts
):
    generator = ScriptedGenerator()
    generator.release.clear()
    worker = await begin(generator, concurrency=2)
    await Publisher(js._nc).publish(job(1))
    await soon(generator.begun.wait())
    await nc.publish(f"$JS.ACK.{JOBS}.coloring.1.1.1.0.0", b"-NAK")  # as if the deadline had passed

    await until(lambda: [slot.delivery.attempt for slot in worker._consumer._slots.values()] == [2])
    generator.release.set()
    await jobs_left(0)
    assert len(generator.attempts) == 1
    assert [fact.order for fact in await facts()] == [(1, 1, 1), (1, 2, 2)]


def test_a_lease_needs_confirmation_after_silence_or_a_reconnect():
    connection = 1
    lease = DeliveryLease(1000, lambda: connection)
    assert not lease.needs_confirmation
    connection = 2
    assert lease.needs_confirmation
    lease.renew()
    assert lease.needs_confirmation
    lease.confirm()
    assert not lease.needs_confirmation
    silent = DeliveryLease(-1)
    assert silent.needs_confirmation
    silent.renew()
    assert silent._expired


async def test_without_an_attempt_record_broker_errors_count_no_attempt_either(
    work, js, job: Jobs, jobs_left
):
    seen: list[int] = []
    script = [PublishError("away"), busy(), PublishError("away"), busy(), PublishError("away")]

    async def handler(_job: ColoringJob, delivery: Delivery) -> Outcome:
        seen.append(delivery.attempt)
        if script:
            raise script.pop(0)
        return Ack()

    await work(handler, spec=SPEC, retries=QUICK)
    await Publisher(js._nc).publish(job(1))
    await jobs_left(0)
    assert seen == [1, 2, 3, 4, 5, 6]
