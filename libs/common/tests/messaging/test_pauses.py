"""A paused consumer of jobs delivers nothing, whatever happens to it, and loses nothing."""

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from pastelka_common.messaging.names import NamedClient, Names
from pastelka_common.messaging.pauses import PAUSED_UNTIL, pause, pause_state, resume
from pastelka_common.messaging.pull import PullSubscription
from pastelka_common.messaging.topology import (
    COLORING_CONSUMER,
    VECTORIZE_CONSUMER,
    ensure_consumer,
    ensure_streams,
)
from pastelka_common.messaging.topology_monitor import TopologyMonitor
from pastelka_common.servers import ServerProcess
from pastelka_common.testing.waiting import soon, until


async def paused(nc: Client) -> PullSubscription:
    """A worker's subscription to the coloring consumer, which exists and is paused."""
    await ensure_consumer(nc, COLORING_CONSUMER)
    await pause(nc, COLORING_CONSUMER)
    return await requested(nc)


async def requested(nc: Client) -> PullSubscription:
    subscription = PullSubscription(nc, COLORING_CONSUMER, heartbeat=0.2)
    await subscription.start()
    await subscription.request(10)
    return subscription


async def until_another_is_served(nc: Client, js: JetStreamContext) -> None:
    """Returns once a job of the other kind, published now, has arrived."""
    await ensure_consumer(nc, VECTORIZE_CONSUMER)
    other = PullSubscription(nc, VECTORIZE_CONSUMER, heartbeat=0.2)
    await other.start()
    await other.request(1)
    await js.publish("jobs.svg.1", b"svg")
    for msg in await soon(other.receive(1)):
        await msg.ack_sync(timeout=10)
    await other.stop()


async def test_a_paused_consumer_delivers_nothing_until_it_is_resumed(nc: Client, js: JetStreamContext):
    subscription = await paused(nc)
    await js.publish("jobs.coloring.1", b"waits")
    await until_another_is_served(nc, js)
    assert subscription.outstanding == 10
    assert not subscription._arrived
    # What is created again as it is at the start of a worker keeps its pause.
    await ensure_consumer(nc, COLORING_CONSUMER.with_limit(7))
    await ensure_consumer(nc, COLORING_CONSUMER, paused_until="2020-01-01T00:00:00Z")
    assert await pause_state(nc, COLORING_CONSUMER) == "paused"
    await resume(nc, COLORING_CONSUMER)
    assert await pause_state(nc, COLORING_CONSUMER) == "running"
    assert [msg.data for msg in await soon(subscription.receive(1))] == [b"waits"]
    await subscription.stop()


async def test_a_job_that_is_handed_back_waits_for_the_end_of_the_pause(nc: Client, js: JetStreamContext):
    await ensure_consumer(nc, COLORING_CONSUMER)
    subscription = await requested(nc)
    await js.publish("jobs.coloring.1", b"begun")
    (begun,) = await soon(subscription.receive(1))
    await pause(nc, COLORING_CONSUMER)
    await begun.in_progress()
    await begun.nak()
    await until_another_is_served(nc, js)
    assert not subscription._arrived
    await resume(nc, COLORING_CONSUMER)
    assert [msg.data for msg in await soon(subscription.receive(1))] == [b"begun"]
    await subscription.stop()


async def test_a_pause_survives_the_server(nc: Client, js: JetStreamContext, broker: ServerProcess):
    subscription = await paused(nc)
    await js.publish("jobs.coloring.1", b"waits")
    await broker.kill()
    await broker.start()
    await until(lambda: nc.is_connected)
    await until_another_is_served(nc, js)
    assert await pause_state(nc, COLORING_CONSUMER) == "paused"
    assert not subscription._arrived
    await subscription.stop()


async def test_a_recreated_consumer_delivers_nothing_until_orders_has_compared_it(
    nc: Client, js: JetStreamContext
):
    subscription = await paused(nc)
    await js.publish("jobs.coloring.1", b"waits")
    await js.delete_consumer("JOBS", COLORING_CONSUMER.name)

    async def is_recreated() -> bool:
        return await pause_state(nc, COLORING_CONSUMER) != "missing"

    await until(is_recreated)
    assert await pause_state(nc, COLORING_CONSUMER) == "paused_elsewhere"
    await pause(nc, COLORING_CONSUMER)
    await until_another_is_served(nc, js)
    assert not subscription._arrived
    await subscription.stop()


async def test_without_orders_a_recreated_consumer_delivers_after_a_few_seconds(
    nc: Client, js: JetStreamContext
):
    monitor = TopologyMonitor(nc, [COLORING_CONSUMER])
    await monitor.declare(is_recreated=True)
    assert await pause_state(nc, COLORING_CONSUMER) == "paused_elsewhere"
    subscription = await requested(nc)
    await js.publish("jobs.coloring.1", b"waits")
    assert [msg.data for msg in await soon(subscription.receive(1))] == [b"waits"]
    await subscription.stop()


async def test_a_consumer_that_does_not_exist_is_created_paused(nc: Client, js: JetStreamContext):
    assert await pause_state(nc, COLORING_CONSUMER) == "missing"
    await resume(nc, COLORING_CONSUMER)
    assert await pause_state(nc, COLORING_CONSUMER) == "missing"
    await pause(nc, COLORING_CONSUMER)
    assert (await js.consumer_info("JOBS", "coloring")).config.pause_until == PAUSED_UNTIL


@pytest.mark.parametrize("prefix", ["shop"])
async def test_the_names_have_the_prefix(broker: ServerProcess, prefix: str):
    nc = NamedClient()
    nc.names = Names(prefix)
    await nc.connect(broker.url)
    await ensure_streams(nc)
    await pause(nc, COLORING_CONSUMER)
    assert await pause_state(nc, COLORING_CONSUMER) == "paused"
    await nc.close()
