"""From the EVENTS stream to the hub, both real: order, failures on either side, and shutdown."""

import asyncio
import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from pastelka_common.contracts.messages import OrderChanged
from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.pull import PullSubscription
from pastelka_common.messaging.topology import EVENTS, ConsumerSpec
from pastelka_common.servers import MercureServer as HubServer
from pastelka_common.servers import NatsServer, running
from pastelka_common.testing.subscriber import Subscriber
from pastelka_notifier.handlers import NotificationService
from pastelka_notifier.mercure import HubRefusedError, HubUnavailableError, MercureClient
from services.notifier.tests.notifying import (
    Subscribe,
    WatchedHub,
    assert_nothing_is_left,
    by_order,
    consumer,
    event,
    interleaved,
    notifying,
    nowhere,
    publish,
    until_consumer,
)


async def test_events_of_each_order_arrive_in_order(
    nc: Client, js: JetStreamContext, mercure_hub: HubServer, subscribed: Subscribe
):
    orders = [secrets.token_hex(4) for _ in range(10)]
    topics = [f"orders/{order}" for order in orders]
    async with (
        MercureClient(mercure_hub.url, mercure_hub.publisher_key) as hub,
        subscribed(*topics) as subscriber,
    ):
        async with notifying(NotificationService(nc, hub)):
            await publish(js, interleaved(orders, range(50)))
            await subscriber.until(lambda heard: len(heard) >= 500)
        assert by_order(subscriber.updates) == {order: list(range(50)) for order in orders}
        assert len({one.id for one in subscriber.updates}) == 500
    await assert_nothing_is_left(nc)


async def test_a_burst_larger_than_the_pending_limit_does_not_stall(
    nc: Client, js: JetStreamContext, mercure_hub: HubServer, subscribed: Subscribe
):
    orders = [secrets.token_hex(4) for _ in range(10)]
    async with (
        WatchedHub(mercure_hub.url, mercure_hub.publisher_key) as hub,
        subscribed(*(f"orders/{order}" for order in orders)) as subscriber,
    ):
        hub.faults = [HubUnavailableError("busy")] * 40  # so that the queues drain only later
        await publish(js, interleaved(orders, range(450)))
        async with notifying(NotificationService(nc, hub)):
            await subscriber.until(lambda heard: len(heard) >= 4500, timeout=60)
        assert by_order(subscriber.updates) == {order: list(range(450)) for order in orders}
    await assert_nothing_is_left(nc)


async def test_events_during_a_hub_outage_arrive_in_order_afterwards(
    nc: Client, js: JetStreamContext, tmp_path: Path
):
    orders = [secrets.token_hex(4) for _ in range(10)]
    server = HubServer(folder=tmp_path)
    async with running(server, deadline=600) as process:
        live = Subscriber(server.url, server.subscriber_key, ["orders"])
        async with (
            WatchedHub(server.url, server.publisher_key) as hub,
            live,
            notifying(NotificationService(nc, hub)),
        ):
            publishing = asyncio.create_task(publish(js, interleaved(orders, range(50))))
            await live.until(lambda heard: len(heard) > 100)
            await process.kill()
            await publishing
            await hub.until(lambda: hub.failed >= 30)
            await process.start()
            await until_consumer(nc, lambda info: info.num_pending == info.num_ack_pending == 0)
        # A browser that was offline as well resumes from the hub's history.
        late = Subscriber(server.url, server.subscriber_key, ["orders"])
        late._headers |= {"Last-Event-ID": "earliest"}
        async with late:
            await late.until(lambda heard: len({one.id for one in heard}) == 500)
            for numbers in by_order(late.updates).values():
                # A duplicate is allowed (the hub died between accepting and responding), a reversal is not.
                assert numbers == sorted(numbers)
                assert set(numbers) == set(range(50))
    await assert_nothing_is_left(nc)


@pytest.mark.parametrize("hub_is", ["away", "silent"])
async def test_shutdown_nacks_all_pending_events_at_once_and_in_order(
    nc: Client,
    js: JetStreamContext,
    mercure_hub: HubServer,
    order_number: str,
    subscribed: Subscribe,
    hub_is: str,
):
    events = [event(order_number, number) for number in range(30)]
    # Not pinned, and with a deadline that does not expire here: only nacked events are redelivered.
    async with (
        consumer(nc, ack_wait=60, pinned=False) as spec,
        subscribed(f"orders/{order_number}") as subscriber,
        MercureClient(mercure_hub.url, mercure_hub.publisher_key) as hub,
    ):
        async with WatchedHub(nowhere(), "k" * 32) as broken:
            broken.waits = hub_is == "silent"
            async with notifying(NotificationService(nc, broken, consumer=spec), grace=0.05):
                await publish(js, events)
                await until_consumer(nc, lambda info: info.num_ack_pending == 30, spec.name)
                await broken.until(lambda: bool(broken.begun))
        assert broken.accepted == 0
        async with notifying(NotificationService(nc, hub, consumer=spec)):
            await subscriber.until(lambda heard: len(heard) == 30, timeout=10)
        assert by_order(subscriber.updates) == {order_number: list(range(30))}


async def test_a_push_cancelled_by_shutdown_is_not_lost(nc: Client, js: JetStreamContext, order_number: str):
    async with consumer(nc, ack_wait=60, pinned=False) as spec, WatchedHub(nowhere(), "k" * 32) as silent:
        silent.waits = True
        async with notifying(NotificationService(nc, silent, consumer=spec), grace=0):
            await publish(js, [event(order_number, 1)])
            await silent.until(lambda: bool(silent.begun))
        again = (await _pulled(nc, spec))[0]
        assert again.metadata.num_delivered == 2
        assert event(order_number, 1).subject == again.subject


async def _pulled(nc: Client, spec: ConsumerSpec) -> list[Msg]:
    """Messages that the consumer delivers immediately."""
    subscription = PullSubscription(nc, spec)
    await subscription.start()
    await subscription.request(10)
    async with asyncio.timeout(5):
        taken = await subscription.receive(10)
    return [*taken, *await subscription.stop()]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not json",
        b'{"event": "unheard_of", "order_number": "1"}',
        b'{"event": "order_changed"}',
        event("1", 1).model_copy(update={"status": "runpod_dreaming"}).model_dump_json().encode(),
    ],
    ids=["nothing", "no json", "unknown event", "incomplete", "unknown status"],
)
async def test_an_unreadable_event_is_dropped_and_blocks_no_other(
    nc: Client,
    js: JetStreamContext,
    mercure_hub: HubServer,
    order_number: str,
    subscribed: Subscribe,
    payload: bytes,
):
    topic = f"orders/{order_number}"
    async with (
        MercureClient(mercure_hub.url, mercure_hub.publisher_key) as hub,
        subscribed(topic) as subscriber,
    ):
        async with notifying(NotificationService(nc, hub)):
            await js.publish(f"events.order.{order_number}.order_changed", payload)
            await publish(js, [event(order_number, 1)])
            await subscriber.until(lambda heard: len(heard) == 1)
        assert by_order(subscriber.updates) == {order_number: [1]}
    await assert_nothing_is_left(nc)


async def test_an_update_that_the_hub_rejects_is_dropped_and_blocks_no_other(
    nc: Client, js: JetStreamContext, mercure_hub: HubServer, order_number: str, subscribed: Subscribe
):
    async with (
        WatchedHub(mercure_hub.url, mercure_hub.publisher_key) as hub,
        subscribed(f"orders/{order_number}") as subscriber,
    ):
        hub.faults = [HubRefusedError("too large")]
        async with notifying(NotificationService(nc, hub)):
            await publish(js, [event(order_number, 1), event(order_number, 2)])
            await subscriber.until(lambda heard: len(heard) == 1)
        assert by_order(subscriber.updates) == {order_number: [2]}
    await assert_nothing_is_left(nc)


async def test_an_unexpected_error_is_retried_and_blocks_no_other(
    nc: Client,
    js: JetStreamContext,
    mercure_hub: HubServer,
    order_number: str,
    subscribed: Subscribe,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("pastelka_notifier.deliveries._RETRY_SECONDS", 0.05)
    async with (
        WatchedHub(mercure_hub.url, mercure_hub.publisher_key) as hub,
        subscribed(f"orders/{order_number}") as subscriber,
    ):
        hub.faults = [RuntimeError("unforeseen")]
        async with notifying(NotificationService(nc, hub)):
            await publish(js, [event(order_number, 1), event(order_number, 2)])
            await subscriber.until(lambda heard: len(heard) == 2)
        assert by_order(subscriber.updates) == {order_number: [2, 1]}


async def test_an_event_that_always_fails_is_terminated(
    nc: Client, js: JetStreamContext, order_number: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pastelka_notifier.deliveries._RETRY_SECONDS", 0.02)
    async with WatchedHub(nowhere(), "k" * 32) as hub:
        hub.faults = [RuntimeError("always")] * 100
        async with notifying(NotificationService(nc, hub)):
            await publish(js, [event(order_number, 1)])
            await hub.until(lambda: hub.failed == 5)
            await until_consumer(nc, lambda info: info.num_ack_pending == 0)
        assert hub.failed == 5


async def test_a_redelivery_of_a_queued_event_is_pushed_once_and_in_order(
    nc: Client, js: JetStreamContext, mercure_hub: HubServer, order_number: str, subscribed: Subscribe
):
    async with (
        consumer(nc, ack_wait=0.5, pinned=False) as spec,
        WatchedHub(mercure_hub.url, mercure_hub.publisher_key) as hub,
        subscribed(f"orders/{order_number}") as subscriber,
    ):
        # Extensions arrive too late for this consumer's deadline.
        notifications = NotificationService(nc, hub, consumer=replace(spec, ack_wait=60))
        hub.faults = [HubUnavailableError("for a while")] * 4
        async with notifying(notifications):
            await publish(js, [event(order_number, number) for number in range(5)])
            await subscriber.until(lambda heard: len(heard) == 5)
            await until_consumer(nc, lambda info: info.num_ack_pending == 0, spec.name)
        delivered = (await js.consumer_info(EVENTS, spec.name)).delivered
        assert delivered is not None
        assert delivered.consumer_seq > 5
        assert by_order(subscriber.updates) == {order_number: list(range(5))}


async def test_events_waiting_for_the_hub_are_not_redelivered_elsewhere(
    nc: Client, js: JetStreamContext, mercure_hub: HubServer, order_number: str, subscribed: Subscribe
):
    async with (
        consumer(nc, ack_wait=1.5, pinned=False) as spec,
        WatchedHub(mercure_hub.url, mercure_hub.publisher_key) as hub,
        subscribed(f"orders/{order_number}") as subscriber,
    ):
        # The pauses add up to 2.5 s at least: without extensions the deadline would pass.
        hub.faults = [HubUnavailableError("for a while")] * 6
        async with notifying(NotificationService(nc, hub, consumer=spec)):
            await publish(js, [event(order_number, number) for number in range(5)])
            await subscriber.until(lambda heard: len(heard) == 5)
        assert by_order(subscriber.updates) == {order_number: list(range(5))}
        await assert_nothing_is_left(nc, spec.name)
        delivered = (await js.consumer_info(EVENTS, spec.name)).delivered
        assert delivered is not None
        assert delivered.consumer_seq == 5


async def test_an_event_without_an_update_is_acknowledged(
    nc: Client, js: JetStreamContext, mercure_hub: HubServer, order_number: str, subscribed: Subscribe
):
    async with (
        MercureClient(mercure_hub.url, mercure_hub.publisher_key) as hub,
        subscribed(f"orders/{order_number}") as subscriber,
    ):
        new = event(order_number, 1).model_copy(update={"previous": None, "status": "pending"})
        async with notifying(NotificationService(nc, hub)):
            await publish(js, [new, OrderChanged(order_number=order_number)])
            await subscriber.until(lambda heard: len(heard) == 1)
        assert subscriber.payloads == [{"type": "order_update", "order_number": order_number}]
    await assert_nothing_is_left(nc)


async def test_the_active_notifier_stays_active_while_it_waits_for_the_hub(
    nats_server: NatsServer, js: JetStreamContext, nc: Client, order_number: str
):
    second_event = event(order_number, 2)
    async with (
        consumer(nc, ack_wait=0.6) as spec,
        connected(nats_server.url, name="first") as first,
        connected(nats_server.url, name="second") as second,
        WatchedHub(nowhere(), "k" * 32) as one,
        WatchedHub(nowhere(), "k" * 32) as other,
        notifying(NotificationService(first, one, consumer=spec), grace=0),
    ):
        await publish(js, [event(order_number, 1)])
        await one.until(lambda: one.failed == 1)
        async with notifying(NotificationService(second, other, consumer=spec), grace=0):
            # Attempts serve as the clock: five pauses last longer than the pin without a pull request.
            await one.until(lambda: one.failed == 6)
            await publish(js, [second_event])
            await until_consumer(nc, lambda info: info.num_ack_pending == 2, spec.name)
        assert other.begun == []
