"""Publishes events, runs the notification service, and watches its calls of the hub."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo

from pastelka_common.contracts.messages import Event, VersionStatusChanged
from pastelka_common.messaging.publish import Publisher, outgoing
from pastelka_common.messaging.topology import EVENTS, EVENTS_CONSUMER, ConsumerSpec, ensure_consumer
from pastelka_common.servers import free_port
from pastelka_common.testing.subscriber import ReceivedUpdate, Subscriber
from pastelka_common.testing.waiting import until
from pastelka_notifier.decisions import Update
from pastelka_notifier.handlers import NotificationService
from pastelka_notifier.mercure import MercureClient

Subscribe = Callable[..., Subscriber]


def event(order_number: str, number: int) -> VersionStatusChanged:
    """The ``number``-th event of an order; its payload carries the number as ``version_id``."""
    return VersionStatusChanged(
        order_number=order_number,
        image_id=1,
        status_type="coloring",
        version_id=number,
        previous="queued",
        status="processing",
    )


async def publish(js: JetStreamContext, events: Iterable[Event]) -> None:
    """Publish events in this order."""
    await Publisher(js._nc).send_all([outgoing(one) for one in events])


def interleaved(orders: list[str], numbers: range) -> list[VersionStatusChanged]:
    return [event(order, number) for number in numbers for order in orders]


def by_order(heard: Iterable[ReceivedUpdate]) -> dict[str, list[int]]:
    """The event numbers of each order, in their order of arrival."""
    found: dict[str, list[int]] = defaultdict(list)
    for one in heard:
        found[one.payload["order_number"]].append(one.payload["version_id"])
    return found


class WatchedHub(MercureClient):
    """A hub client that counts its calls, and can be made to fail or to wait."""

    accepted = 0
    failed = 0

    def __init__(self, url: str, key: str) -> None:
        super().__init__(url, key)
        self.faults: list[Exception] = []
        self.waits = False
        self.begun: list[Update] = []
        self._changed = asyncio.Condition()

    async def publish(self, update: Update, *, update_id: str) -> None:
        await self._note(self.begun, update)
        try:
            await self._meet_faults()
            await super().publish(update, update_id=update_id)
            self.accepted += 1
        except Exception:
            self.failed += 1
            raise
        finally:
            await self._note([], update)

    async def _meet_faults(self) -> None:
        if self.faults:
            raise self.faults.pop(0)
        if self.waits:
            await asyncio.Event().wait()

    async def _note(self, where: list[Update], update: Update) -> None:
        async with self._changed:
            where.append(update)
            self._changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(15), self._changed:
            await self._changed.wait_for(condition)


def nowhere() -> str:
    """Address without a hub."""
    return f"http://127.0.0.1:{free_port()}/.well-known/mercure"


@asynccontextmanager
async def notifying(notifications: NotificationService, *, grace: float = 5.0) -> AsyncIterator[None]:
    """Run the service while the body runs; stop it as SIGTERM does."""
    stop = asyncio.Event()
    task = asyncio.create_task(notifications.run(stop, grace=grace))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(15):
            await task


async def assert_nothing_is_left(nc: Client, consumer: str = EVENTS_CONSUMER.name) -> None:
    """Every event is acknowledged or terminated at its first delivery."""
    await nc.flush()
    info = await nc.jetstream().consumer_info(EVENTS, consumer)
    assert (info.num_pending, info.num_ack_pending, info.num_redelivered) == (0, 0, 0)


async def until_consumer(
    nc: Client, condition: Callable[[ConsumerInfo], bool], name: str = EVENTS_CONSUMER.name
) -> None:
    """Return when the consumer info meets a condition."""

    async def is_met() -> bool:
        return condition(await nc.jetstream().consumer_info(EVENTS, name))

    await until(is_met, 20)


@asynccontextmanager
async def consumer(nc: Client, **changes) -> AsyncIterator[ConsumerSpec]:
    """A separate consumer, like the notifier's but for ``changes``."""
    spec = replace(EVENTS_CONSUMER, name=f"test-{secrets.token_hex(4)}", **changes)
    await ensure_consumer(nc, spec)
    yield spec
    await nc.jetstream().delete_consumer(EVENTS, spec.name)
