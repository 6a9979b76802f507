"""Pulling: at once, never more than asked, and again after whatever was lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from pastelka_common.messaging.pull import PullSubscription
from pastelka_common.messaging.topology import EVENTS, JOBS, ConsumerSpec, ensure_consumer
from pastelka_common.servers import ServerProcess
from pastelka_common.testing.waiting import soon, until

SPEC = ConsumerSpec(JOBS, "coloring", "jobs.coloring.*", ack_wait=30, max_ack_pending=1000)
PINNED = ConsumerSpec(EVENTS, "notifier", "events.order.>", ack_wait=1, max_ack_pending=100, pinned=True)
HEARTBEAT = 0.5

Subscribe = Callable[..., Awaitable[PullSubscription]]


@pytest_asyncio.fixture(loop_scope="session")
async def subscribe(nc: Client) -> AsyncIterator[Subscribe]:
    started: list[PullSubscription] = []

    async def subscribe(
        spec: ConsumerSpec = SPEC, *, on: Client | None = None, heartbeat: float = HEARTBEAT
    ) -> PullSubscription:
        await ensure_consumer(on or nc, spec)
        subscription = PullSubscription(on or nc, spec, heartbeat=heartbeat)
        await subscription.start()
        started.append(subscription)
        return subscription

    yield subscribe
    for subscription in started:
        await subscription.stop()


async def _publish(js: JetStreamContext, *numbers: int, subject: str = "jobs.coloring") -> None:
    for number in numbers:
        await js.publish(f"{subject}.{number}", str(number).encode())


async def _take(subscription: PullSubscription, count: int, seconds: float = 10) -> list[int]:
    taken: list[Msg] = []
    while len(taken) < count:
        taken += await soon(subscription.receive(count - len(taken)), seconds)
    return [int(msg.data) for msg in taken]


async def _delivered(js: JetStreamContext, spec: ConsumerSpec = SPEC) -> int:
    """Messages the server has sent and that are not acknowledged."""
    return (await js.consumer_info(spec.stream, spec.name)).num_ack_pending or 0


async def _nothing_more(subscription: PullSubscription, js: JetStreamContext, *, held: int) -> None:
    """After a round trip to the server nothing but what we hold has been sent."""
    assert await _delivered(js) == held
    await subscription._nc.flush()
    assert not subscription._arrived


async def test_a_message_arrives_without_waiting_for_a_batch(subscribe: Subscribe, js: JetStreamContext):
    subscription = await subscribe()
    await subscription.request(100)
    await _publish(js, 1)
    assert await _take(subscription, 1, seconds=1) == [1]
    await _publish(js, 2)
    assert await _take(subscription, 1, seconds=1) == [2]
    assert subscription.outstanding == 98


async def test_no_more_messages_arrive_than_requested(subscribe: Subscribe, js: JetStreamContext):
    await _publish(js, *range(10))
    subscription = await subscribe()
    await _nothing_more(subscription, js, held=0)
    await subscription.request(3)
    assert await _take(subscription, 3) == [0, 1, 2]
    await _nothing_more(subscription, js, held=3)
    await subscription.request(1)
    await subscription.request(1)
    assert await _take(subscription, 2) == [3, 4]
    await _nothing_more(subscription, js, held=5)


async def test_receive_returns_at_most_its_limit_and_counts_the_rest(
    subscribe: Subscribe, js: JetStreamContext
):
    subscription = await subscribe()
    await subscription.request(5)
    await _publish(js, *range(5))
    await until(lambda: len(subscription._arrived) == 5)
    assert subscription.outstanding == 5
    assert [int(msg.data) for msg in await subscription.receive(2)] == [0, 1]
    assert subscription.outstanding == 3
    assert [int(msg.data) for msg in await subscription.receive(10)] == [2, 3, 4]
    assert subscription.outstanding == 0


async def test_many_small_requests_are_combined(subscribe: Subscribe, js: JetStreamContext):
    subscription = await subscribe()
    for _ in range(200):
        await subscription.request(1)
    requests = len(subscription._requests._batches)
    assert 1 < requests < 50

    async def all_wait() -> bool:
        return (await js.consumer_info(SPEC.stream, SPEC.name)).num_waiting == requests

    await until(all_wait)
    await asyncio.gather(*(_publish(js, number) for number in range(210)))
    assert len(set(await _take(subscription, 200))) == 200
    await _nothing_more(subscription, js, held=200)


async def test_an_idle_subscription_is_not_considered_silent(subscribe: Subscribe, js: JetStreamContext):
    subscription = await subscribe(heartbeat=5)
    await subscription.request(1)
    await _publish(js, 1)
    await _take(subscription, 1)
    inbox = subscription._inbox
    subscription._last_message_at = -1e6  # nothing was asked for, so nothing was heard
    await subscription.request(1)
    await subscription._check()
    assert subscription._inbox == inbox


async def test_a_silent_request_is_repeated(subscribe: Subscribe, js: JetStreamContext):
    subscription = await subscribe(heartbeat=5)
    await subscription.request(2)
    inbox = subscription._inbox
    subscription._last_message_at = -1e6
    await subscription._check()
    assert subscription._inbox != inbox
    await _publish(js, *range(5))
    assert await _take(subscription, 2) == [0, 1]
    await _nothing_more(subscription, js, held=2)


async def test_heartbeats_keep_a_waiting_request_alive(subscribe: Subscribe):
    subscription = await subscribe(heartbeat=0.2)
    # A stall of the machine would look like silence to the watch: check right after a heartbeat instead.
    subscription._watch.cancel()
    await subscription.request(1)
    inbox, asked_at = subscription._inbox, subscription._last_message_at

    def just_heard() -> bool:
        last = subscription._last_message_at
        return last > max(asked_at + 1.0, asyncio.get_running_loop().time() - 0.2)

    await until(just_heard)  # for twice what counts as silence
    await subscription._check()
    assert subscription._inbox == inbox
    assert subscription._requests.open == 1


async def test_a_subscription_survives_a_killed_server(
    subscribe: Subscribe, js: JetStreamContext, broker: ServerProcess
):
    subscription = await subscribe()
    await subscription.request(3)
    await broker.kill()
    await broker.start()
    await until(lambda: subscription._nc.is_connected)
    await _publish(js, *range(10))
    assert await _take(subscription, 3, seconds=5) == [0, 1, 2]
    await _nothing_more(subscription, js, held=3)


async def test_a_deleted_consumer_is_created_again(subscribe: Subscribe, js: JetStreamContext):
    subscription = await subscribe()
    await subscription.request(2)
    await js.delete_consumer(SPEC.stream, SPEC.name)
    await _publish(js, *range(5))
    assert await _take(subscription, 2, seconds=5) == [0, 1]
    await _nothing_more(subscription, js, held=2)


async def test_a_consumer_missing_at_a_request_is_created(subscribe: Subscribe, js: JetStreamContext):
    subscription = await subscribe()
    await js.delete_consumer(SPEC.stream, SPEC.name)
    await _publish(js, 1)
    await subscription.request(1)
    assert await _take(subscription, 1, seconds=5) == [1]


async def test_stop_returns_undelivered_messages(subscribe: Subscribe, js: JetStreamContext):
    subscription = await subscribe()
    await subscription.request(4)
    await _publish(js, *range(3))

    async def all_are_sent() -> bool:
        return await _delivered(js) == 3

    await until(all_are_sent)  # some may still be in flight
    assert [int(msg.data) for msg in await subscription.stop()] == [0, 1, 2]
    await _publish(js, 3)
    await subscription._nc.flush()
    assert await _delivered(js) == 3  # the fourth stayed at the server


async def test_receive_ends_when_the_connection_is_closed(subscribe: Subscribe, connect):
    mine = await connect()
    subscription = await subscribe(on=mine)
    await subscription.request(1)
    taking = asyncio.create_task(subscription.receive(1))
    await mine.close()
    await soon(asyncio.wait({taking}))
    assert isinstance(taking.exception(), ConnectionError)


async def test_one_client_of_a_pinned_group_is_served_and_another_takes_over(
    subscribe: Subscribe, js: JetStreamContext, connect
):
    first = await subscribe(PINNED, on=await connect())
    await first.request(50)
    await _publish(js, 0, subject="events.order")
    order = await _take(first, 1)
    second = await subscribe(PINNED, on=await connect())
    await second.request(50)
    await _publish(js, *range(1, 10), subject="events.order")
    order += await _take(first, 9)
    assert await _delivered(js, PINNED) == 10
    await second._nc.flush()
    assert not second._arrived

    await first._nc.close()  # gone without a word, its ten events unacknowledged
    await _publish(js, *range(10, 15), subject="events.order")
    taken_over: list[Msg] = []
    while len(taken_over) < 15:
        taken_over += await soon(second.receive(50))
    assert order == list(range(10))
    assert sorted(int(msg.data) for msg in taken_over) == list(range(15))
    # What the dead one held comes as each of it is due again, the newer in their order.
    held = [msg for msg in taken_over if int(msg.data) < 10]
    assert {msg.metadata.num_delivered for msg in held} == {2}
    assert [int(msg.data) for msg in taken_over if int(msg.data) >= 10] == list(range(10, 15))


async def test_a_pinned_group_keeps_the_order_when_the_server_is_killed(
    subscribe: Subscribe, js: JetStreamContext, broker: ServerProcess
):
    # Written through, unlike EVENTS: of what is written behind, a kill takes the end of the stream.
    await js.delete_stream(EVENTS)
    await js.add_stream(StreamConfig(name=EVENTS, subjects=["events.>"]))
    subscription = await subscribe(PINNED)
    await subscription.request(10)
    await _publish(js, 0, 1, subject="events.order")
    assert await _take(subscription, 2) == [0, 1]
    pin = subscription._pin_id
    await broker.kill()
    await broker.start()
    await until(lambda: subscription._nc.is_connected)
    await _publish(js, 2, 3, 4, subject="events.order")
    numbers: list[int] = []
    while {2, 3, 4} - set(numbers):
        numbers += [int(msg.data) for msg in await soon(subscription.receive(10))]
    assert [number for number in numbers if number >= 2] == [2, 3, 4]
    assert subscription._pin_id != pin


async def test_stopping_ends_the_watch_even_if_a_call_swallows_its_cancellation(
    subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``asyncio.wait_for`` of Python 3.11 does when its call returns in that very moment."""
    looking = asyncio.Event()

    async def look() -> None:
        looking.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    subscription = await subscribe()
    monkeypatch.setattr(subscription, "_check", look)
    await soon(looking.wait())
    await soon(subscription.stop())
