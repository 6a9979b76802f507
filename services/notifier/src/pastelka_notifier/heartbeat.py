"""Heartbeats that a page can see: the hub's own are comments, which scripts do not receive.

A page that receives nothing for 45 s treats its connection as dead. The active notifier publishes heartbeats
and announces each to the others; a standby publishes only if no announcement arrives.
"""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from pastelka_notifier.decisions import Update
from pastelka_notifier.mercure import HubRefusedError, HubUnavailableError, MercureClient

TOPIC = "heartbeat"
HEARTBEAT = Update((TOPIC,), {"type": "heartbeat"})
SUBJECT = "notifier.heartbeat"
"""Subject of announcements between notifiers; belongs to no stream."""

INTERVAL = 15.0
_STANDBY_DELAY = 4.0
"""Seconds that a standby waits in addition to the interval: between one and two times this."""

log = structlog.get_logger(__name__)


class Heartbeat:
    """Publishes a heartbeat every ``interval`` seconds, unless another notifier does.

    Without the broker no update can arrive, so there is no heartbeat either: pages then reconnect and reload.
    A heartbeat that the hub does not accept is dropped; the next one follows.
    """

    def __init__(
        self,
        nc: Client,
        hub: MercureClient,
        is_active: Callable[[], bool],
        *,
        interval: float = INTERVAL,
        standby_delay: float = _STANDBY_DELAY,
    ) -> None:
        self._nc = nc
        self._hub = hub
        self._is_active = is_active
        self._interval = interval
        self._standby_delay = standby_delay
        self._announced = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Publish until the block ends."""
        subscription = await self._nc.subscribe(SUBJECT, cb=self._note)
        publishing = asyncio.create_task(self._run(), name="heartbeat")
        try:
            yield
        finally:
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
            if not self._nc.is_closed:
                await subscription.unsubscribe()

    async def _run(self) -> None:
        while True:
            if await self._is_due():
                await self._publish()

    async def _note(self, _: Msg) -> None:
        self._announced.set()

    async def _is_due(self) -> bool:
        """Whether no announcement has arrived within this notifier's waiting time."""
        self._announced.clear()
        longer = 0.0 if self._is_active() else self._standby_delay * random.uniform(1, 2)  # noqa: S311 - jitter
        try:
            async with asyncio.timeout(self._interval + longer):
                await self._announced.wait()
        except TimeoutError:
            return True
        return False

    async def _publish(self) -> None:
        if not self._nc.is_connected:
            return
        update_id = f"urn:pastelka:heartbeat:{uuid.uuid4()}"
        try:
            await self._hub.publish(HEARTBEAT, update_id=update_id, event_type=TOPIC)
            await self._nc.publish(SUBJECT, b"")
        except (HubUnavailableError, HubRefusedError) as error:
            log.warning("heartbeat publish failed", error=str(error))
        except Exception as error:  # noqa: BLE001 - the broker went away: the next one follows
            log.warning("heartbeat announcement failed", error=str(error) or type(error).__name__)
