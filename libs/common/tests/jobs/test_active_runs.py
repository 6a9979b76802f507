"""Which runs a process works on, and the end of a run that a person cancels."""

import asyncio

import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js import JetStreamContext

from pastelka_common.errors import BrokerUnavailableError, PostponedError, TransientError
from pastelka_common.jobs.active_runs import (
    ActiveRunRegistry,
    RunCancelled,
    cancel_subject,
    list_active_runs,
)
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
async def active_runs(nc: Client) -> ActiveRunRegistry:
    return await ActiveRunRegistry.open(nc, "coloring")


async def _cancel(js: JetStreamContext, key: str = KEY) -> None:
    """As the orders service does it: an outbox message like any other."""
    await js.publish(cancel_subject(key), b"cancelled")


async def test_a_cancellation_that_cannot_be_read_is_a_transient_error(
    nc: Client, js: JetStreamContext, active_runs: ActiveRunRegistry
):
    for stream in await js.streams_info():
        await js.delete_stream(stream.config.name or "")
    work = Work()
    with pytest.raises(TransientError, match="broker"):
        await active_runs.execute(KEY, work)
    assert not work.begun.is_set()


async def test_the_result_of_an_uncancelled_run_is_returned(active_runs: ActiveRunRegistry):
    work = Work()
    work.release.set()
    assert await active_runs.execute(KEY, work) == "page"


async def test_an_error_of_the_run_is_raised(active_runs: ActiveRunRegistry):
    async def broken() -> None:
        raise TransientError("busy", "Busy.")

    with pytest.raises(TransientError, match="busy"):
        await active_runs.execute(KEY, broken)


async def test_a_run_cancelled_before_its_start_never_starts(
    active_runs: ActiveRunRegistry, js: JetStreamContext
):
    await _cancel(js)
    work = Work()
    with pytest.raises(RunCancelled):
        await active_runs.execute(KEY, work)
    assert not work.begun.is_set()


async def test_cancelling_an_active_run_waits_for_its_cleanup(
    active_runs: ActiveRunRegistry, js: JetStreamContext
):
    tidying = asyncio.Event()
    work = Work(tidying=tidying)
    guarded = asyncio.create_task(active_runs.execute(KEY, work))
    await soon(work.begun.wait())
    await _cancel(js)
    done, _ = await asyncio.wait({guarded}, timeout=0.1)
    assert not done  # it is still submitting, say
    tidying.set()
    await soon(asyncio.wait({guarded}))
    assert isinstance(guarded.exception(), RunCancelled)
    assert work.ended == "cancelled"


async def test_an_error_during_cleanup_does_not_hide_the_cancellation(
    active_runs: ActiveRunRegistry, js: JetStreamContext
):
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OSError("while tidying up") from None

    guarded = asyncio.create_task(active_runs.execute(KEY, work))
    await soon(begun.wait())
    await _cancel(js)
    with pytest.raises(RunCancelled):
        await soon(guarded)


async def test_a_cancellation_ends_only_its_own_run(active_runs: ActiveRunRegistry, js: JetStreamContext):
    meant, other, same_version = Work(), Work(), Work()
    first = asyncio.create_task(active_runs.execute(KEY, meant))
    second = asyncio.create_task(active_runs.execute("coloring.70.1", other))
    third = asyncio.create_task(active_runs.execute("coloring.7.2", same_version))
    for work in (meant, other, same_version):
        await soon(work.begun.wait())
    await _cancel(js)
    await soon(asyncio.wait({first}))
    other.release.set()
    same_version.release.set()
    assert await soon(second) == await soon(third) == "page"
    with pytest.raises(RunCancelled):
        first.result()


async def test_a_run_executes_once_per_process(active_runs: ActiveRunRegistry):
    early, late = Work(), Work()
    first = asyncio.create_task(active_runs.execute(KEY, early))
    await soon(early.begun.wait())
    with pytest.raises(PostponedError, match="in_progress"):
        await active_runs.execute(KEY, late)
    early.release.set()
    assert await soon(first) == "page"
    late.release.set()
    assert await active_runs.execute(KEY, late) == "page"
    assert not active_runs._runs


async def test_every_worker_reports_its_active_runs(connect, nc: Client):
    async with asyncio.timeout(5):
        assert await list_active_runs(nc, timeout=60) == set()  # no worker, which the server says at once
    first, second = Work(), Work()
    registries = [await ActiveRunRegistry.open(await connect(), kind) for kind in ("coloring", "svg", "svg")]
    tasks = [
        asyncio.create_task(registries[0].execute(KEY, first)),
        asyncio.create_task(registries[1].execute("svg.2.1", second)),
    ]
    await soon(first.begun.wait())
    await soon(second.begun.wait())
    assert await list_active_runs(nc, timeout=0.5) == {KEY, "svg.2.1"}
    first.release.set()
    await soon(tasks[0])
    assert await list_active_runs(nc, timeout=0.5) == {"svg.2.1"}
    second.release.set()
    await soon(tasks[1])


async def test_another_process_reports_its_run_and_a_dead_one_has_none(
    active_runs: ActiveRunRegistry, connect
):
    other_connection = await connect()
    other = await ActiveRunRegistry.open(other_connection, "coloring")
    work = Work()
    running = asyncio.create_task(other.execute(KEY, work))
    await soon(work.begun.wait())
    assert await active_runs.is_active_elsewhere(other.process, KEY)
    assert not await active_runs.is_active_elsewhere(other.process, "coloring.7.2")
    assert not await other.is_active_elsewhere(other.process, KEY)  # it is active here
    await other_connection.close()
    assert not await active_runs.is_active_elsewhere(other.process, KEY)
    running.cancel()
    await asyncio.wait({running})


async def test_a_process_is_not_considered_dead_while_the_broker_is_unavailable(
    active_runs: ActiveRunRegistry, connect, nc: Client, broker: ServerProcess
):
    other_connection = await connect()
    other = await ActiveRunRegistry.open(other_connection, "coloring")
    work = Work()
    running = asyncio.create_task(other.execute(KEY, work))
    await soon(work.begun.wait())
    await broker.kill()
    await until(lambda: not nc.is_connected)
    with pytest.raises(BrokerUnavailableError):
        await active_runs.is_active_elsewhere(other.process, KEY)
    await broker.start()
    await until(lambda: nc.is_connected and other_connection.is_connected)
    assert await active_runs.is_active_elsewhere(other.process, KEY)
    running.cancel()
    await asyncio.wait({running})


async def test_every_worker_receives_a_cancellation(connect, nc: Client, js: JetStreamContext):
    works = [Work(), Work()]
    guarded = []
    for work in works:
        listening = await ActiveRunRegistry.open(await connect(), "coloring")
        guarded.append(asyncio.create_task(listening.execute(KEY, work)))
        await soon(work.begun.wait())
    await _cancel(js)
    await soon(asyncio.wait(guarded))
    assert [work.ended for work in works] == ["cancelled", "cancelled"]


async def test_a_missed_cancellation_is_found_after_a_reconnect(
    connect, nc: Client, js: JetStreamContext, broker: ServerProcess
):
    deaf = await connect()
    listening = await ActiveRunRegistry.open(deaf, "coloring")
    work = Work()
    guarded = asyncio.create_task(listening.execute(KEY, work))
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


async def test_a_broker_outage_does_not_interrupt_a_run(
    active_runs: ActiveRunRegistry, nc: Client, broker: ServerProcess
):
    work = Work()
    guarded = asyncio.create_task(active_runs.execute(KEY, work))
    await soon(work.begun.wait())
    await broker.kill()
    await until(lambda: not nc.is_connected)
    await broker.start()
    await until(lambda: nc.is_connected)
    work.release.set()
    assert await soon(guarded) == "page"


async def test_cancelling_execute_cancels_the_run(active_runs: ActiveRunRegistry):
    work = Work()
    guarded = asyncio.create_task(active_runs.execute(KEY, work))
    await soon(work.begun.wait())
    guarded.cancel()
    await soon(asyncio.wait({guarded}))
    assert guarded.cancelled()
    assert work.ended == "cancelled"
    assert not active_runs._runs
