"""A process recreates the streams, buckets and consumers that it needs when they disappear."""

import asyncio
import contextlib
import shutil
from collections.abc import Callable

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError, ServiceUnavailableError

from pastelka_common.contracts.messages import ColoringJob
from pastelka_common.messaging import topology_monitor
from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.consumer import Delivery
from pastelka_common.messaging.outcomes import Ack
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.stored_messages import list_stream_names
from pastelka_common.messaging.topology import (
    COLORING_CONSUMER,
    RETIRED_CONSUMERS,
    ConsumerSpec,
    ensure_consumer,
)
from pastelka_common.messaging.topology_monitor import managed_topology
from pastelka_common.servers import ServerProcess
from pastelka_common.testing.waiting import until

NAMES = {"JOBS", "STATUS", "EVENTS", "DEAD", "KV_RUNS", "KV_CANCELS"}


@pytest.mark.parametrize("name", sorted(NAMES))
async def test_a_deleted_stream_or_bucket_is_recreated(nc: Client, js: JetStreamContext, name: str):
    lost = asyncio.Event()
    async with managed_topology(nc, [COLORING_CONSUMER], on_loss=lost.set):
        assert not lost.is_set()
        await js.delete_stream(name)

        async def back() -> bool:
            return await list_stream_names(nc) == NAMES

        await until(back, 30)
        await asyncio.wait_for(lost.wait(), 30)
        assert (await js.consumer_info("JOBS", "coloring")).config.filter_subject == "jobs.coloring.*"


async def test_no_loss_is_signalled_while_nothing_is_lost(nc: Client, js: JetStreamContext):
    lost = asyncio.Event()
    async with managed_topology(nc, [COLORING_CONSUMER], on_loss=lost.set):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lost.wait(), 3)  # longer than it takes to look


async def test_consumers_and_messages_of_an_earlier_release_are_deleted_at_start(
    nc: Client, js: JetStreamContext, job
):
    """Its consumers, and the messages that only they took: photo addresses, too."""
    async with managed_topology(nc, [COLORING_CONSUMER]):
        pass
    for name in RETIRED_CONSUMERS:
        left = ConsumerSpec("JOBS", name, f"jobs.{name}.*", ack_wait=30, max_ack_pending=10)
        await ensure_consumer(nc, left)
        await js.publish(f"jobs.{name}.7", b'{"url": "https://example.com/?token=secret"}')
    await Publisher(nc).publish(job(1))
    async with managed_topology(nc, [COLORING_CONSUMER]):
        assert [info.name for info in await js.consumers_info("JOBS")] == ["coloring"]
        assert (await js.stream_info("JOBS")).state.messages == 1


async def test_a_reconnect_signals_a_possible_loss(broker: ServerProcess, js: JetStreamContext):
    lost = asyncio.Event()
    async with (
        connected(broker.url, name="test") as nc,
        managed_topology(nc, [COLORING_CONSUMER], on_loss=lost.set),
    ):
        await broker.kill()
        await until(lambda: not nc.is_connected)
        await broker.start()
        await asyncio.wait_for(lost.wait(), 30)


@pytest.mark.parametrize("how", ["stream", "consumer", "store"])
async def test_a_worker_continues_after_a_loss(
    broker: ServerProcess,
    nc: Client,
    js: JetStreamContext,
    work,
    job: Callable[[int], ColoringJob],
    how: str,
):
    done: list[int] = []

    async def handler(todo: ColoringJob, _: Delivery) -> Ack:
        done.append(todo.version_id)
        return Ack()

    async with managed_topology(nc, [COLORING_CONSUMER]):
        await work(handler, spec=COLORING_CONSUMER, concurrency=2)
        publisher = Publisher(nc)
        await publisher.publish(job(1))
        await until(lambda: done == [1])
        await _lose(how, broker, js)

        async def published() -> bool:
            try:
                await publisher.publish(job(2))
            except ConnectionError:
                return False
            return True

        await until(published, 60)
        await until(lambda: done == [1, 2], 60)


async def _lose(how: str, broker: ServerProcess, js: JetStreamContext) -> None:
    if how == "stream":
        await js.delete_stream("JOBS")
    elif how == "consumer":
        await js.delete_consumer("JOBS", COLORING_CONSUMER.name)
        with pytest.raises(NotFoundError):
            await js.consumer_info("JOBS", "none")
    else:
        await broker.kill()
        shutil.rmtree(broker.server.folder / "data")
        await broker.start()


async def test_declaring_the_topology_is_retried_until_the_broker_is_able(
    nc: Client, js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
):
    """As in a cluster without a leader: the first requests are refused."""
    refusals = iter([ServiceUnavailableError(), TimeoutError()])
    really = topology_monitor.ensure_streams

    async def ensure(context: JetStreamContext, replicas: int = 1) -> None:
        for refusal in refusals:
            raise refusal
        await really(context, replicas)

    monkeypatch.setattr(topology_monitor, "ensure_streams", ensure)
    await js.delete_stream("DEAD")
    async with managed_topology(nc, [COLORING_CONSUMER]):
        assert await list_stream_names(nc) == NAMES
    assert next(refusals, None) is None


async def test_the_monitor_stops_even_if_a_call_swallows_its_cancellation(
    nc: Client, monkeypatch: pytest.MonkeyPatch
):
    """As ``asyncio.wait_for`` of Python 3.11 does it when its call returns in the same moment."""
    looking = asyncio.Event()

    async def names(_: Client) -> set[str]:
        looking.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return NAMES

    async with asyncio.timeout(30), managed_topology(nc, [COLORING_CONSUMER]):
        monkeypatch.setattr(topology_monitor, "list_stream_names", names)
        await looking.wait()
