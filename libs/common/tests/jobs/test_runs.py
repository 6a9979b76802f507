"""What is remembered of a run: the provider's job id, and that a person cancelled it."""

import asyncio

import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js import JetStreamContext

from pastelka_common.errors import TransientError
from pastelka_common.jobs.runs import Cancellations, ProviderJobs, RunCancelled, cancel_subject
from pastelka_common.servers import ServerProcess
from pastelka_common.testing.waiting import soon, until

KEY = "coloring.7.1"


class Work:
    """Work that goes on until it is released, and says how it ended."""

    def __init__(self, *, tidying: asyncio.Event | None = None) -> None:
        self.begun = asyncio.Event()
        self.release = asyncio.Event()
        self.ended = ""
        self._tidying = tidying

    async def __call__(self) -> str:
        self.begun.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            if self._tidying is not None:
                await self._tidying.wait()
            self.ended = "cancelled"
            raise
        self.ended = "done"
        return "page"


@pytest_asyncio.fixture(loop_scope="session")
async def cancellations(nc: Client) -> Cancellations:
    return await Cancellations.open(nc, "coloring")


async def _cancel(js: JetStreamContext, key: str = KEY) -> None:
    """As the orders service does it: an outbox message like any other."""
    await js.publish(cancel_subject(key), b"cancelled")


async def test_a_provider_job_is_remembered_by_run(nc: Client):
    jobs = await ProviderJobs.open(nc)
    assert await jobs.get(KEY) is None
    await jobs.put(KEY, "rp-žluť-1")
    await jobs.put("coloring.7.2", "rp-2")
    assert await jobs.get(KEY) == "rp-žluť-1"
    assert await (await ProviderJobs.open(nc)).get("coloring.7.2") == "rp-2"


async def test_a_provider_job_is_kept_although_the_broker_is_away(nc: Client, broker: ServerProcess):
    jobs = await ProviderJobs.open(nc)
    await broker.kill()
    await until(lambda: not nc.is_connected)
    putting = asyncio.create_task(jobs.put(KEY, "rp-1"))
    await broker.start()
    await soon(putting)
    assert await jobs.get(KEY) == "rp-1"


async def test_not_knowing_is_a_transient_error(
    nc: Client, js: JetStreamContext, cancellations: Cancellations
):
    jobs = await ProviderJobs.open(nc)
    for stream in await js.streams_info():
        await js.delete_stream(stream.config.name or "")
    with pytest.raises(TransientError, match="broker"):
        await jobs.get(KEY)
    work = Work()
    with pytest.raises(TransientError, match="broker"):
        await cancellations.guard(KEY, work)
    assert not work.begun.is_set()


async def test_work_that_nobody_cancels_returns(cancellations: Cancellations):
    work = Work()
    work.release.set()
    assert await cancellations.guard(KEY, work) == "page"


async def test_an_error_of_the_work_is_raised(cancellations: Cancellations):
    async def broken() -> None:
        raise TransientError("busy", "Busy.")

    with pytest.raises(TransientError, match="busy"):
        await cancellations.guard(KEY, broken)


async def test_a_run_cancelled_before_its_start_never_starts(
    cancellations: Cancellations, js: JetStreamContext
):
    await _cancel(js)
    work = Work()
    with pytest.raises(RunCancelled):
        await cancellations.guard(KEY, work)
    assert not work.begun.is_set()


async def test_a_run_cancelled_while_it_works_ends_before_we_go_on(
    cancellations: Cancellations, js: JetStreamContext
):
    tidying = asyncio.Event()
    work = Work(tidying=tidying)
    guarded = asyncio.create_task(cancellations.guard(KEY, work))
    await soon(work.begun.wait())
    await _cancel(js)
    done, _ = await asyncio.wait({guarded}, timeout=0.1)
    assert not done  # it is still submitting, say
    tidying.set()
    await soon(asyncio.wait({guarded}))
    assert isinstance(guarded.exception(), RunCancelled)
    assert work.ended == "cancelled"


async def test_an_error_on_the_way_out_does_not_hide_the_cancellation(
    cancellations: Cancellations, js: JetStreamContext
):
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OSError("while tidying up") from None

    guarded = asyncio.create_task(cancellations.guard(KEY, work))
    await soon(begun.wait())
    await _cancel(js)
    with pytest.raises(RunCancelled):
        await soon(guarded)


async def test_only_the_run_that_was_meant_is_cancelled(cancellations: Cancellations, js: JetStreamContext):
    meant, other, same_version = Work(), Work(), Work()
    first = asyncio.create_task(cancellations.guard(KEY, meant))
    second = asyncio.create_task(cancellations.guard("coloring.70.1", other))
    third = asyncio.create_task(cancellations.guard("coloring.7.2", same_version))
    for work in (meant, other, same_version):
        await soon(work.begun.wait())
    await _cancel(js)
    await soon(asyncio.wait({first}))
    other.release.set()
    same_version.release.set()
    assert await soon(second) == await soon(third) == "page"
    with pytest.raises(RunCancelled):
        first.result()


async def test_a_run_in_hand_twice_is_cancelled_twice(cancellations: Cancellations, js: JetStreamContext):
    early, late = Work(), Work()
    first = asyncio.create_task(cancellations.guard(KEY, early))
    second = asyncio.create_task(cancellations.guard(KEY, late))
    await soon(early.begun.wait())
    await soon(late.begun.wait())
    early.release.set()
    assert await soon(first) == "page"
    await _cancel(js)
    with pytest.raises(RunCancelled):
        await soon(second)
    assert not cancellations._in_progress


async def test_every_worker_hears_it(connect, nc: Client, js: JetStreamContext):
    works = [Work(), Work()]
    guarded = []
    for work in works:
        listening = await Cancellations.open(await connect(), "coloring")
        guarded.append(asyncio.create_task(listening.guard(KEY, work)))
        await soon(work.begun.wait())
    await _cancel(js)
    await soon(asyncio.wait(guarded))
    assert [work.ended for work in works] == ["cancelled", "cancelled"]


async def test_a_cancellation_that_was_not_heard_is_found_after_the_reconnect(
    connect, nc: Client, js: JetStreamContext, broker: ServerProcess
):
    deaf = await connect()
    listening = await Cancellations.open(deaf, "coloring")
    work = Work()
    guarded = asyncio.create_task(listening.guard(KEY, work))
    await soon(work.begun.wait())
    # What the server repeats is lost on a client that is just reconnecting: here it never subscribed.
    for subscription in list(deaf._subs.values()):
        if subscription.subject.startswith("cancels."):
            await subscription.unsubscribe()
    await deaf.flush()
    await _cancel(js)
    await nc.flush()
    assert not guarded.done()
    await broker.restart()
    with pytest.raises(RunCancelled):
        await soon(guarded)
    assert work.ended == "cancelled"


async def test_losing_the_broker_does_not_disturb_the_work(
    cancellations: Cancellations, nc: Client, broker: ServerProcess
):
    work = Work()
    guarded = asyncio.create_task(cancellations.guard(KEY, work))
    await soon(work.begun.wait())
    await broker.kill()
    await until(lambda: not nc.is_connected)
    await broker.start()
    await until(lambda: nc.is_connected)
    work.release.set()
    assert await soon(guarded) == "page"


async def test_cancelling_the_guard_ends_the_work(cancellations: Cancellations):
    work = Work()
    guarded = asyncio.create_task(cancellations.guard(KEY, work))
    await soon(work.begun.wait())
    guarded.cancel()
    await soon(asyncio.wait({guarded}))
    assert guarded.cancelled()
    assert work.ended == "cancelled"
    assert not cancellations._in_progress
