"""From a committed event to an update at the hub."""

import asyncio
import random

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram
from pydantic import TypeAdapter, ValidationError

from pastelka_common.contracts.messages import CommittedEvent, Event
from pastelka_common.messaging.pull import PullSubscription
from pastelka_common.messaging.topology import EVENTS_CONSUMER
from pastelka_common.telemetry import context_of, tracer
from pastelka_notifier.decisions import Update, decide
from pastelka_notifier.lanes import Lanes
from pastelka_notifier.mercure import HubRefusedError, HubUnavailableError, MercureHub

log = structlog.get_logger(__name__)

PUSHED = Counter("pastelka_updates_pushed_total", "Updates the hub accepted", ["type"])
FAILED = Counter("pastelka_updates_failed_total", "Tries that the hub did not accept", ["reason"])
PUSH_SECONDS = Histogram(
    "pastelka_push_seconds",
    "From taking an event to the hub's acceptance",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120),
)

_EVENTS: TypeAdapter[Event] = TypeAdapter(CommittedEvent)
_AHEAD = 2000
_BATCH = 500
_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


class Notifications:
    """Takes committed events and pushes what they call for, until it is pushed.

    While the hub is away the events wait, each order's in order, and their deadlines are extended.
    """

    def __init__(self, nc: Client, hub: MercureHub, *, width: int = 32) -> None:
        self._subscription = PullSubscription(nc, EVENTS_CONSUMER)
        self._hub = hub
        self._lanes: Lanes[Msg] = Lanes(self._push_and_ack, width=width)
        self._in_hand: dict[str, Msg] = {}  # by reply subject, which names the delivery

    async def run(self, stop: asyncio.Event, *, grace: float = 5.0) -> None:
        """Push until ``stop`` is set; what could not be pushed within ``grace`` goes to another."""
        await self._subscription.start()
        extending = asyncio.create_task(self._extend_all())
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                await self._take(stopped)
        finally:
            stopped.cancel()
            left = await self._subscription.stop()
            await self._lanes.finish(grace)
            extending.cancel()
            for msg in [*left, *self._in_hand.values()]:
                await msg.nak()

    async def _take(self, stopped: asyncio.Task[bool]) -> None:
        room = _AHEAD - len(self._in_hand) - self._subscription.outstanding
        if room > _AHEAD // 2:
            await self._subscription.ask(room)
        taking = asyncio.create_task(self._subscription.take(_BATCH))
        await asyncio.wait({taking, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not taking.done():
            taking.cancel()
            return
        for msg in taking.result():
            self._in_hand[msg.reply] = msg
            self._lanes.put(msg.subject.split(".")[2], msg)

    async def _push_and_ack(self, msg: Msg) -> None:
        try:
            update = _decided(msg)
            if update is not None:
                await self._push(msg, update)
            await msg.ack()
        except ValidationError as error:
            log.warning("malformed event dropped", subject=msg.subject, errors=error.error_count())
            await msg.term()
        self._in_hand.pop(msg.reply, None)

    async def _push(self, msg: Msg, update: Update) -> None:
        started = asyncio.get_running_loop().time()
        # The same event has the same id however often it is sent: browsers resume after it.
        update_id = (
            f"urn:pastelka:event:{msg.metadata.timestamp:%Y%m%dT%H%M%S}:{msg.metadata.sequence.stream}"
        )
        pause = _SHORTEST_PAUSE
        with tracer.start_as_current_span("push", context=context_of(msg.headers), kind=SpanKind.PRODUCER):
            while True:
                try:
                    await self._hub.publish(update, update_id=update_id)
                except HubUnavailableError as error:
                    FAILED.labels("unavailable").inc()
                    log.warning("push waits for the hub", error=str(error), pause=pause)
                    await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                    pause = min(pause * 2, _LONGEST_PAUSE)
                except HubRefusedError as error:
                    FAILED.labels("refused").inc()
                    log.error("push refused", error=str(error), payload=update.payload)  # noqa: TRY400
                    return
                else:
                    PUSHED.labels(update.payload["type"]).inc()
                    PUSH_SECONDS.observe(asyncio.get_running_loop().time() - started)
                    return

    async def _extend_all(self) -> None:
        """Keep what is in hand from being given to another replica while it waits here."""
        while True:
            await asyncio.sleep(EVENTS_CONSUMER.ack_wait / 3)
            for msg in list(self._in_hand.values()):
                try:
                    await msg.in_progress()
                except Exception as error:  # noqa: BLE001 - the next time may get through
                    log.debug("not extended", error=str(error))


def _decided(msg: Msg) -> Update | None:
    return decide(_EVENTS.validate_json(msg.data))
