"""How a job consumer takes jobs, and what becomes of each way they can end."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nats.js import JetStreamContext
from opentelemetry import trace

from pastelka_common.contracts.messages import ColoringJob, DeadLetter, Failure
from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.messaging.consumer import Delivery, RetryPolicy
from pastelka_common.messaging.outcomes import Ack, Outcome, Reject, RetryAfter
from pastelka_common.messaging.publish import Outgoing, Publisher, outgoing
from pastelka_common.messaging.topology import JOBS, ConsumerSpec, ensure_consumer
from pastelka_common.testing.waiting import soon, until

SPEC = ConsumerSpec(JOBS, "coloring", "jobs.coloring.*", ack_wait=30, max_ack_pending=100)
ACKS = f"$JS.ACK.{JOBS}.coloring.>"
QUICK = RetryPolicy(attempts=3, base=0.02, max_delay=0.05)
ACK = b""
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"

Jobs = Callable[[int], ColoringJob]


class Scripted:
    """A handler that does what the script says for each attempt, and keeps what it was given."""

    def __init__(self, *script: Outcome | Exception) -> None:
        self._script = script
        self.seen: list[tuple[int, Delivery]] = []

    async def __call__(self, job: ColoringJob, delivery: Delivery) -> Outcome:
        self.seen.append((job.version_id, delivery))
        step = self._script[min(len(self.seen), len(self._script)) - 1]
        if isinstance(step, Exception):
            raise step
        return step

    @property
    def attempts(self) -> list[int]:
        return [delivery.attempt for _, delivery in self.seen]


async def _letter(heard: "asyncio.Queue[Any]") -> DeadLetter:
    return DeadLetter.model_validate_json((await soon(heard.get())).data)


async def test_a_completed_job_is_acknowledged(work, js: JetStreamContext, job: Jobs, jobs_left):
    handler = Scripted(Ack())
    await work(handler, spec=SPEC)
    await Publisher(js._nc).publish(job(1))
    await until(lambda: handler.seen)
    await jobs_left(0)
    assert handler.seen == [(1, Delivery(attempt=1, is_last=False))]


async def test_a_consumer_limits_its_concurrency(work, js: JetStreamContext, job: Jobs, jobs_left):
    at_work, most, release = 0, 0, asyncio.Semaphore(0)

    async def handler(_job: ColoringJob, _delivery: Delivery) -> Outcome:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await release.acquire()
        at_work -= 1
        return Ack()

    await Publisher(js._nc).send_all([outgoing(job(number)) for number in range(40)])
    await work(handler, spec=SPEC, concurrency=3)
    await until(lambda: at_work == 3)
    assert (await js.consumer_info(JOBS, "coloring")).num_ack_pending == 3
    for _ in range(40):
        release.release()
        await asyncio.sleep(0)
    await jobs_left(0)
    assert most == 3


async def test_a_free_slot_is_filled_while_another_job_runs(work, js: JetStreamContext, job: Jobs, jobs_left):
    forever = asyncio.Event()
    done: list[int] = []

    async def handler(job: ColoringJob, _delivery: Delivery) -> Outcome:
        if job.version_id == 0:
            await forever.wait()
        done.append(job.version_id)
        return Ack()

    await Publisher(js._nc).send_all([outgoing(job(number)) for number in range(10)])
    await work(handler, spec=SPEC, concurrency=2)
    await jobs_left(1)
    assert done == list(range(1, 10))


async def test_the_limit_of_a_consumer_applies_across_replicas(
    work, connect, js: JetStreamContext, job: Jobs
):
    at_work: list[int] = []

    async def handler(job: ColoringJob, _delivery: Delivery) -> Outcome:
        at_work.append(job.version_id)
        await asyncio.Event().wait()
        return Ack()

    limited = SPEC.with_limit(3)
    await Publisher(js._nc).send_all([outgoing(job(number)) for number in range(10)])
    await work(handler, spec=limited, concurrency=2)
    await work(handler, spec=limited, concurrency=2, on=await connect())
    await until(lambda: len(at_work) == 3)
    info = await js.consumer_info(JOBS, "coloring")
    assert (info.num_ack_pending, info.num_pending) == (3, 7)


async def test_a_transient_error_is_retried(work, js: JetStreamContext, job: Jobs, jobs_left, listen):
    dead = await listen("dead.>")
    handler = Scripted(TransientError("busy", "Busy."), ConnectionError("a bug"), Ack())
    await work(handler, spec=SPEC, retries=QUICK)
    await Publisher(js._nc).publish(job(1))
    await jobs_left(0)
    assert handler.seen == [(1, Delivery(1, False)), (1, Delivery(2, False)), (1, Delivery(3, True))]
    assert dead.empty()


async def test_retry_after_delays_the_next_attempt(work, js: JetStreamContext, job: Jobs, listen, jobs_left):
    acks = await listen(ACKS)
    await work(Scripted(TransientError("busy", "Busy.", retry_after=0.7), Ack()), spec=SPEC, retries=QUICK)
    await Publisher(js._nc).publish(job(1))
    nak = (await soon(acks.get())).data
    assert nak.startswith(b"-NAK")
    assert json.loads(nak[4:])["delay"] == 0.7e9
    started = asyncio.get_running_loop().time()
    assert (await soon(acks.get())).data == ACK
    assert asyncio.get_running_loop().time() - started > 0.6


async def test_a_handler_may_return_retry_after(work, js: JetStreamContext, job: Jobs, jobs_left):
    handler = Scripted(RetryAfter(0.05, Failure(code="later", message="Later.")), Ack())
    await work(handler, spec=SPEC)
    await Publisher(js._nc).publish(job(1))
    await jobs_left(0)
    assert handler.attempts == [1, 2]


def test_retry_delays_grow_with_jitter_up_to_the_maximum():
    retries = RetryPolicy(base=2, max_delay=60)
    for attempt, most in [(1, 2), (2, 4), (5, 32), (6, 60), (12, 60)]:
        delays = [retries.delay(attempt) for _ in range(200)]
        assert most / 2 <= min(delays) < max(delays) <= most
    assert retries.delay(1, retry_after=30) == 30
    assert retries.delay(6, retry_after=1) >= 30


async def test_a_permanent_error_ends_in_a_dead_letter(
    work, js: JetStreamContext, job: Jobs, listen, jobs_left
):
    dead = await listen("dead.>")
    rejected: list[tuple[int, Delivery, Failure]] = []

    async def on_rejected(job: ColoringJob, delivery: Delivery, failure: Failure) -> None:
        rejected.append((job.version_id, delivery, failure))
        assert dead.empty()  # called before the letter is written

    handler = Scripted(PermanentError("photo_unreadable", "The photo is no image."))
    await work(handler, spec=SPEC, on_rejected=on_rejected, retries=QUICK)
    message = outgoing(job(7))
    await Publisher(js._nc).send(
        Outgoing(message.subject, message.payload, {**message.headers, "traceparent": TRACEPARENT})
    )
    raw = await soon(dead.get())
    letter = DeadLetter.model_validate_json(raw.data)
    assert raw.subject == "dead.jobs.coloring.7"
    assert raw.headers["traceparent"].split("-")[1] == TRACE_ID
    assert letter.original_subject == "jobs.coloring.7"
    assert letter.original_payload.encode() == message.payload
    assert letter.original_headers == {"Nats-Msg-Id": "coloring.7.1.1", "traceparent": TRACEPARENT}
    assert letter.failure == Failure(code="photo_unreadable", message="The photo is no image.")
    assert letter.attempt == 1
    assert letter.trace_id == TRACE_ID
    await jobs_left(0)
    assert rejected == [(7, Delivery(1, False), letter.failure)]
    assert handler.attempts == [1]


async def test_a_returned_rejection_is_a_dead_letter_too(
    work, js: JetStreamContext, job: Jobs, listen, jobs_left
):
    dead = await listen("dead.>")
    await work(Scripted(Reject(Failure(code="no", message="No."))), spec=SPEC)
    await Publisher(js._nc).publish(job(1))
    assert (await _letter(dead)).failure.code == "no"
    await jobs_left(0)


async def test_an_unexpected_error_becomes_a_dead_letter_at_the_last_attempt(
    work, js: JetStreamContext, job: Jobs, listen, jobs_left
):
    dead = await listen("dead.>")
    handler = Scripted(KeyError("s3cret"))
    await work(handler, spec=SPEC, retries=QUICK)
    await Publisher(js._nc).publish(job(1))
    letter = await _letter(dead)
    assert letter.failure.code == "internal_error"
    assert "KeyError" in letter.failure.message
    assert "s3cret" not in letter.model_dump_json()
    assert letter.attempt == 3
    await jobs_left(0)
    assert handler.attempts == [1, 2, 3]


async def test_a_job_with_exhausted_deliveries_becomes_a_dead_letter_unhandled(
    work, nc, js: JetStreamContext, job: Jobs, listen
):
    dead = await listen("dead.>")
    await Publisher(js._nc).publish(job(1))
    rejected: list[Failure] = []

    async def on_rejected(_job: ColoringJob, _delivery: Delivery, failure: Failure) -> None:
        rejected.append(failure)

    handler = Scripted(Ack())
    await ensure_consumer(nc, SPEC)
    puller = await js.pull_subscribe_bind("coloring", JOBS)
    for _ in range(3):
        for msg in await puller.fetch(1):
            await msg.nak()
    await work(handler, spec=SPEC, retries=QUICK, on_rejected=on_rejected)
    letter = await _letter(dead)
    assert (letter.failure.code, letter.attempt) == ("attempts_exhausted", 4)
    assert not handler.seen
    assert rejected == [letter.failure]


async def test_a_malformed_job_is_a_dead_letter_at_once(work, js: JetStreamContext, listen, jobs_left):
    dead = await listen("dead.>")
    rejected: list[Any] = []
    handler = Scripted(Ack())
    await work(handler, spec=SPEC, on_rejected=rejected.append)
    payloads = {1: b"{not json", 2: b'{"version_id": "x", "run": 1}', 3: b"\xff\xfe", 4: b""}
    for number, payload in payloads.items():
        await js.publish(f"jobs.coloring.{number}", payload, headers={"traceparent": TRACEPARENT})
    letters = {int((letter := await _letter(dead)).original_subject.split(".")[2]): letter for _ in payloads}
    assert {letter.failure.code for letter in letters.values()} == {"malformed_job"}
    assert "the whole document" in letters[1].failure.message
    assert "version_id" in letters[2].failure.message
    assert letters[2].original_payload == payloads[2].decode()
    assert letters[2].trace_id == TRACE_ID
    await jobs_left(0)
    assert not handler.seen
    assert not rejected


async def test_a_rejection_that_cannot_be_reported_is_retried(
    work, js: JetStreamContext, job: Jobs, listen, jobs_left
):
    dead = await listen("dead.>")
    tries: list[int] = []

    async def on_rejected(_job: ColoringJob, delivery: Delivery, _failure: Failure) -> None:
        tries.append(delivery.attempt)
        if len(tries) == 1:
            raise ConnectionError("the broker was away")

    await work(Scripted(PermanentError("no", "No.")), spec=SPEC, retries=QUICK, on_rejected=on_rejected)
    await Publisher(js._nc).publish(job(1))
    assert (await _letter(dead)).failure.code == "no"
    await jobs_left(0)
    assert tries == [1, 2]


async def test_the_handler_runs_in_the_trace_of_the_message(work, js: JetStreamContext, job: Jobs, jobs_left):
    traces: list[str] = []

    async def handler(_job: ColoringJob, _delivery: Delivery) -> Outcome:
        traces.append(f"{trace.get_current_span().get_span_context().trace_id:032x}")
        traces.append(outgoing(job(2)).headers["traceparent"].split("-")[1])
        return Ack()

    message = outgoing(job(1))
    await Publisher(js._nc).send(Outgoing(message.subject, message.payload, {"traceparent": TRACEPARENT}))
    await work(handler, spec=SPEC)
    await jobs_left(0)
    assert traces == [TRACE_ID, TRACE_ID]


async def test_a_message_of_another_consumer_is_ignored(work, js: JetStreamContext, job: Jobs, jobs_left):
    """As a server gives it out whose store went back to an older copy: it minds numbers, not subjects."""
    wide = replace(SPEC, filter_subject="jobs.>")
    await ensure_consumer(js._nc, wide)
    handler = Scripted(Ack())
    await Publisher(js._nc).send(Outgoing("jobs.svg.7", b'{"version_id": 7}'))
    await Publisher(js._nc).publish(job(1))
    await work(handler, spec=SPEC, declare=False)
    await until(lambda: handler.seen)
    await jobs_left(1)
    assert [version_id for version_id, _ in handler.seen] == [1]
    assert (await js.stream_info("DEAD")).state.messages == 0
    assert (await js.get_last_msg(JOBS, "jobs.svg.7")).data
