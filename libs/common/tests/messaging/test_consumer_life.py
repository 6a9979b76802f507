"""Long jobs, dying workers, leaving workers and a broker that goes away."""

import asyncio
from collections.abc import Callable

import pytest
from nats.js import JetStreamContext

from pastelka_common.contracts.messages import ColoringJob
from pastelka_common.messaging.consumer import Delivery
from pastelka_common.messaging.outcomes import Ack, Outcome
from pastelka_common.messaging.publish import Publisher, PublishError
from pastelka_common.messaging.topology import JOBS, ConsumerSpec
from pastelka_common.servers import ServerProcess
from pastelka_common.testing.waiting import soon, until

ALERT = ConsumerSpec(JOBS, "coloring", "jobs.coloring.*", ack_wait=0.6, max_ack_pending=100)
PATIENT = ConsumerSpec(JOBS, "coloring", "jobs.coloring.*", ack_wait=30, max_ack_pending=100)
ACKS = f"$JS.ACK.{JOBS}.coloring.>"

ACK = b""

Jobs = Callable[[int], ColoringJob]


class Holding:
    """A handler that holds its jobs until it is released."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[Delivery] = asyncio.Queue()
        self.release = asyncio.Event()
        self.ended: list[str] = []

    async def __call__(self, _job: ColoringJob, delivery: Delivery) -> Outcome:
        await self.begun.put(delivery)
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        self.ended.append("done")
        return Ack()


async def test_a_long_job_is_kept_by_progress_acks(work, js: JetStreamContext, job: Jobs, listen, jobs_left):
    acks = await listen(ACKS)
    handler = Holding()
    await work(handler, spec=ALERT, concurrency=2)
    await Publisher(js._nc).publish(job(1))
    for _ in range(6):  # two deadlines long
        assert (await soon(acks.get())).data == b"+WPI"
    handler.release.set()
    while (last := (await soon(acks.get())).data) == b"+WPI":
        pass
    assert last == ACK
    await jobs_left(0)
    assert handler.begun.qsize() == 1


async def test_the_job_of_a_killed_worker_is_redelivered_to_another(
    work, connect, js: JetStreamContext, job: Jobs, jobs_left
):
    doomed, heir = Holding(), Holding()
    heir.release.set()
    worker = await work(doomed, spec=ALERT, on=await connect())
    await Publisher(js._nc).publish(job(1))
    await soon(doomed.begun.get())
    await work(heir, spec=ALERT, on=await connect())
    await worker.die()
    assert (await soon(heir.begun.get())).attempt == 2
    await jobs_left(0)


async def test_a_stopping_worker_naks_its_jobs_at_once_and_never_acks(
    work, connect, js: JetStreamContext, job: Jobs, listen
):
    acks = await listen(ACKS)
    leaving, heir = Holding(), Holding()
    heir.release.set()
    worker = await work(leaving, spec=PATIENT, on=await connect(), concurrency=2)
    await Publisher(js._nc).publish(job(1))
    await Publisher(js._nc).publish(job(2))
    await soon(leaving.begun.get())
    await soon(leaving.begun.get())
    await worker.stop()
    assert leaving.ended == ["cancelled", "cancelled"]
    assert [(await soon(acks.get())).data for _ in range(2)] == [b"-NAK", b"-NAK"]
    await work(heir, spec=PATIENT, on=await connect())
    assert (await soon(heir.begun.get(), 3)).attempt == 2
    assert (await soon(acks.get())).data == ACK  # by the heir, the first


async def test_a_job_that_arrives_during_shutdown_is_nacked_too(
    work, connect, js: JetStreamContext, job: Jobs, jobs_left
):
    worker = await work(Holding(), spec=PATIENT, on=await connect(), concurrency=5)
    await until(lambda: worker.nc.stats["out_msgs"] >= 1)
    for number in range(5):
        await Publisher(js._nc).publish(job(number))
    await worker.stop()  # while some are on their way
    heir = Holding()
    heir.release.set()
    await work(heir, spec=PATIENT, on=await connect(), concurrency=5)
    await soon(jobs_left(0), 5)


async def test_the_grace_period_lets_a_handler_finish(work, js: JetStreamContext, job: Jobs, jobs_left):
    handler = Holding()
    worker = await work(handler, spec=PATIENT, grace=10)
    await Publisher(js._nc).publish(job(1))
    await Publisher(js._nc).publish(job(2))
    await soon(handler.begun.get())
    stopping = asyncio.create_task(worker.stop())
    await until(worker._stop.is_set)
    handler.release.set()
    await soon(stopping)
    assert handler.ended == ["done"]
    assert handler.begun.empty()  # nothing new was begun
    await jobs_left(1)


async def test_a_job_that_exceeds_the_grace_period_is_nacked(work, js: JetStreamContext, job: Jobs, listen):
    acks = await listen(ACKS)
    handler = Holding()
    worker = await work(handler, spec=PATIENT, grace=0.1)
    await Publisher(js._nc).publish(job(1))
    await soon(handler.begun.get())
    await worker.stop(3)
    assert handler.ended == ["cancelled"]
    assert (await soon(acks.get())).data == b"-NAK"


async def test_a_worker_continues_after_the_broker_was_killed(
    work, broker: ServerProcess, js: JetStreamContext, job: Jobs, jobs_left
):
    handler = Holding()
    nc = (await work(handler, spec=ALERT, concurrency=2)).nc
    await Publisher(js._nc).publish(job(1))
    await soon(handler.begun.get())
    await broker.kill()
    await until(lambda: not nc.is_connected)
    handler.release.set()  # finishes while the broker is down
    await until(lambda: handler.ended)
    await broker.start()
    await until(lambda: nc.is_connected)
    await Publisher(js._nc).publish(job(2))
    await jobs_left(0)


async def test_publishing_during_an_outage_fails_and_can_be_repeated(
    broker: ServerProcess, nc, js: JetStreamContext, job: Jobs
):
    await broker.kill()
    await until(lambda: not nc.is_connected)
    with pytest.raises(PublishError, match=r"publishing to jobs\.coloring\.1"):
        await Publisher(js._nc, timeout=0.1).publish(job(1))
    await broker.start()
    await until(lambda: nc.is_connected)
    await Publisher(js._nc).publish(job(1))
    assert (await js.stream_info(JOBS)).state.messages == 1  # the first try went out too, as the same message


async def test_publishing_to_a_missing_stream_fails(js: JetStreamContext, job: Jobs):
    await js.delete_stream(JOBS)
    with pytest.raises(PublishError, match=r"jobs\.coloring\.1"):
        await Publisher(js._nc).publish(job(1))
