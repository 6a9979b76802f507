"""Continuous pulling from a durable consumer.

The client's own ``fetch`` waits until a batch is full or its time is over; here messages are
handed on the moment they arrive, while requests for more are already waiting at the server
(NATS ADR-13 and ADR-37). A request the server lost (restart, reconnect) is noticed by its missing
heartbeats and made again.
"""

import asyncio
import json
from collections import deque
from typing import Any

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from pastelka_common.messaging.topology import ConsumerSpec

_EXPIRES = 30.0
_HEARTBEAT = 2.5
_SILENCE = 2.5 * _HEARTBEAT

log = structlog.get_logger(__name__)


class PullSubscription:
    """Messages of one consumer, as many as were asked for.

    :meth:`ask` raises the number of messages wanted; :meth:`take` waits for the first and returns
    what has arrived, at most ``limit``.
    """

    def __init__(self, nc: Client, spec: ConsumerSpec) -> None:
        self._nc = nc
        self._spec = spec
        self._inbox = ""
        self._subscription: Subscription | None = None
        self._arrived: deque[Msg] = deque()
        self._changed = asyncio.Event()
        self._wanted = 0
        self._requested = 0
        self._heard_at = 0.0
        self._pin_id: str | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def outstanding(self) -> int:
        """Messages asked for that have not arrived."""
        return self._wanted

    async def start(self) -> None:
        """Subscribe to a fresh inbox."""
        await self._resubscribe()
        self._watch = asyncio.create_task(self._watch_silence(), name=f"pull-{self._spec.name}")

    async def stop(self) -> list[Msg]:
        """Unsubscribe; returns what had arrived and was not taken."""
        if self._watch is not None:
            self._watch.cancel()
        if self._subscription is not None:
            await _unsubscribe(self._subscription)
            self._subscription = None
        left = list(self._arrived)
        self._arrived.clear()
        return left

    async def ask(self, count: int) -> None:
        """Ask for ``count`` messages more."""
        self._wanted += count
        await self._request_missing()

    async def take(self, limit: int) -> list[Msg]:
        """Wait for a message; return it with all others that have arrived, at most ``limit``."""
        while not self._arrived:
            self._changed.clear()
            await self._changed.wait()
        return [self._arrived.popleft() for _ in range(min(limit, len(self._arrived)))]

    async def _resubscribe(self) -> None:
        if self._subscription is not None:
            await _unsubscribe(self._subscription)
        self._inbox = self._nc.new_inbox()
        self._requested = 0
        self._pin_id = None
        self._heard_at = asyncio.get_running_loop().time()
        self._subscription = await self._nc.subscribe(
            self._inbox, cb=self._receive, pending_msgs_limit=-1, pending_bytes_limit=-1
        )
        await self._request_missing()

    async def _request_missing(self) -> None:
        missing = self._wanted - self._requested
        if missing <= 0 or self._subscription is None or not self._nc.is_connected:
            return
        self._requested += missing
        request: dict[str, Any] = {
            "batch": missing,
            "expires": int(_EXPIRES * 1e9),
            "idle_heartbeat": int(_HEARTBEAT * 1e9),
        }
        if self._spec.group is not None:
            request["group"] = self._spec.group
            if self._pin_id is not None:
                request["id"] = self._pin_id
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._spec.stream}.{self._spec.name}"
        await self._nc.publish(subject, json.dumps(request).encode(), reply=self._inbox)

    async def _receive(self, msg: Msg) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        status = _status_of(msg)
        if status is None:
            self._deliver(msg)
        elif status != "100":
            await self._end_request(status, msg)

    def _deliver(self, msg: Msg) -> None:
        self._wanted = max(self._wanted - 1, 0)
        self._requested = max(self._requested - 1, 0)
        if self._spec.pinned and msg.headers:
            self._pin_id = msg.headers.get("Nats-Pin-Id", self._pin_id)
        self._arrived.append(msg)
        self._changed.set()

    async def _end_request(self, status: str, msg: Msg) -> None:
        headers = msg.headers or {}
        if status == "423":
            self._pin_id = None
        unserved = headers.get("Nats-Pending-Messages")
        self._requested = max(self._requested - int(unserved), 0) if unserved else 0
        if status not in {"404", "408", "409", "423"}:
            log.warning("pull request ended", consumer=self._spec.name, status=status, headers=dict(headers))
        if status in {"408", "423"}:
            await self._request_missing()
        # Others (no consumer, leadership change) are asked again by the watch: not in a tight loop.

    async def _watch_silence(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_HEARTBEAT / 5)
            if not self._nc.is_connected:
                self._requested = 0
                self._heard_at = 0.0
            elif self._wanted > 0 and loop.time() - self._heard_at > _SILENCE:
                await self._resubscribe()
            elif self._requested < self._wanted:
                await self._request_missing()


def _status_of(msg: Msg) -> str | None:
    """Status code of a message that is not a delivery, else ``None``."""
    if msg.headers is None or msg.data:
        return None
    return msg.headers.get("Status")


async def _unsubscribe(subscription: Subscription) -> None:
    try:
        await subscription.unsubscribe()
    except Exception as error:  # noqa: BLE001 - a closed connection has no subscription left to end
        log.debug("unsubscribe", error=str(error))
