"""Pushes an update to the hub for each committed event."""

import asyncio
import random

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram
from pydantic import TypeAdapter

from pastelka_common.contracts.messages import CommittedEvent, Event, QueueChanged, now
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.pull import PullSubscription
from pastelka_common.messaging.topology import EVENTS_CONSUMER, ConsumerSpec
from pastelka_common.telemetry import context_of, tracer
from pastelka_notifier.decisions import Update, decide
from pastelka_notifier.deliveries import Deliveries
from pastelka_notifier.keyed_queue import KeyedQueue
from pastelka_notifier.mercure import HubRefusedError, HubUnavailableError, MercureClient

log = structlog.get_logger(__name__)

PUSHED = Counter("pastelka_updates_pushed_total", "Updates the hub accepted", ["type"])
FAILED = Counter("pastelka_updates_failed_total", "Pushes that failed", ["reason"])
for _reason in ("unavailable", "refused", "malformed", "internal"):
    # Initialized with 0: Prometheus sees no increase in a counter that first appears with 1.
    FAILED.labels(_reason)
PUSH_SECONDS = Histogram(
    "pastelka_push_duration_seconds",
    "From taking an event to the hub's acceptance",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120),
)

EVENT_TO_PUSH = Histogram(
    "pastelka_event_to_push_seconds",
    "From the broker's taking of an event to the hub's acceptance of its update",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30, 120),
)

_EVENTS: TypeAdapter[Event | QueueChanged] = TypeAdapter(CommittedEvent)
_AHEAD = 2000
_BATCH = 500
_SHORTEST_PAUSE = 0.1
_MAX_PAUSE = 2.0


class NotificationService:
    """Consumes committed events and pushes their updates until the hub accepts them.

    While the hub is unavailable, events wait in the sequence of their order, and their acknowledgement
    deadlines are extended. An event that cannot be parsed, or that the hub rejects, is logged and dropped: no
    retry can succeed, and later events must not wait.
    """

    def __init__(
        self, nc: Client, hub: MercureClient, *, width: int = 32, consumer: ConsumerSpec = EVENTS_CONSUMER
    ) -> None:
        self._nc = nc
        self._consumer = consumer
        self._subscription = PullSubscription(nc, consumer)
        self._hub = hub
        self._queue: KeyedQueue[str] = KeyedQueue(self._work, width=width)
        self._deliveries = Deliveries()

    @property
    def is_active(self) -> bool:
        """Whether this is the active replica, according to the server's last delivery."""
        return self._subscription.is_pinned

    async def run(self, stop: asyncio.Event, *, grace: float = 5.0) -> None:
        """Push until ``stop`` is set; nacks what could not be pushed within ``grace``."""
        await self._subscription.start()
        extending = asyncio.create_task(self._extend_all())
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                await self._take(stopped)
        finally:
            stopped.cancel()
            left = await self._subscription.stop()
            await self._queue.finish(grace)
            extending.cancel()
            await self._withdraw_requests()
            await self._deliveries.hand_back(left)
            await self._subscription.unpin()

    async def _withdraw_requests(self) -> None:
        """Make the server drop the open pull requests.

        A consumer info request makes the server discard the pull requests without a subscriber. Otherwise it
        discards them only at the first event that is nacked, and redelivers that event last.
        """
        try:
            await self._nc.jetstream().consumer_info(
                names_of(self._nc).stream(self._consumer.stream), self._consumer.name
            )
        except Exception as error:  # noqa: BLE001 - it only costs the order of one event
            log.warning("pull request withdrawal failed", error=str(error) or type(error).__name__)

    async def _take(self, stopped: asyncio.Task[bool]) -> None:
        await self._ask_for_more()
        taking = asyncio.create_task(self._subscription.receive(_BATCH))
        try:
            await asyncio.wait({taking, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            taking.cancel()
        if not taking.done():
            return
        # Events of a dead replica are redelivered together, in no particular order.
        for msg in sorted(taking.result(), key=lambda msg: msg.metadata.sequence.stream):
            self._accept(msg)

    async def _ask_for_more(self) -> None:
        room = _AHEAD - len(self._deliveries) - self._subscription.outstanding
        if room > _AHEAD // 2:
            await self._subscription.request(room)

    def _accept(self, msg: Msg) -> None:
        event_id = self._deliveries.add(msg)
        if event_id is not None:
            self._queue.put(msg.subject.split(".")[2], event_id)

    async def _work(self, event_id: str) -> None:
        await self._push_event(event_id)
        # The pull may have stopped at the limit of events in progress; request the missing ones.
        await self._ask_for_more()

    async def _push_event(self, event_id: str) -> None:
        """Push one event and acknowledge it; a cancelled push stays active, to be nacked."""
        if self._deliveries.was_pushed(event_id):
            await self._deliveries.done(event_id)
            return
        msg = self._deliveries[event_id]
        try:
            update = decide(_EVENTS.validate_json(msg.data))
        except ValueError as error:
            # Log the type only: pydantic's message repeats the event.
            log.warning("malformed event dropped", subject=msg.subject, error=type(error).__name__)
            FAILED.labels("malformed").inc()
            await self._deliveries.drop(event_id)
            return
        try:
            if update is not None:
                await self._push(msg, update, event_id)
        except Exception:
            log.exception("event failed", subject=msg.subject)
            FAILED.labels("internal").inc()
            await self._deliveries.fail(event_id)
        else:
            await self._deliveries.done(event_id)

    async def _push(self, msg: Msg, update: Update, event_id: str) -> None:
        started = asyncio.get_running_loop().time()
        pause = _SHORTEST_PAUSE
        attributes = {
            "messaging.system": "nats",
            "messaging.operation.type": "process",
            "messaging.destination.name": msg.subject,
            "messaging.message.id": event_id,
        }
        with tracer.start_as_current_span(
            "push", context=context_of(msg.headers), kind=SpanKind.CONSUMER, attributes=attributes
        ):
            while True:
                try:
                    # Every push of an event has the same id: browsers resume after it.
                    await self._hub.publish(update, update_id=event_id)
                except HubUnavailableError as error:
                    FAILED.labels("unavailable").inc()
                    log.warning("push deferred, hub unavailable", error=str(error), pause=pause)
                    await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                    pause = min(pause * 2, _MAX_PAUSE)
                except HubRefusedError as error:
                    FAILED.labels("refused").inc()
                    log.error("push refused", error=str(error), payload=update.payload)  # noqa: TRY400
                    return
                else:
                    PUSHED.labels(update.payload["type"]).inc()
                    PUSH_SECONDS.observe(asyncio.get_running_loop().time() - started)
                    EVENT_TO_PUSH.observe((now() - msg.metadata.timestamp).total_seconds())
                    return

    async def _extend_all(self) -> None:
        """Extend the deadlines of waiting events, so that they are not redelivered to another replica."""
        while True:
            await asyncio.sleep(self._consumer.ack_wait / 3)
            await self._deliveries.extend()
