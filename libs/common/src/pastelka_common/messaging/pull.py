"""Continuous pulling from a durable consumer.

The client's ``fetch`` waits until a batch is full or its timeout expires; here messages are returned as they
arrive, while further requests are already pending at the server (NATS ADR-13 and ADR-37). A request that the
server lost (restart, reconnect) is detected and sent again; a deleted consumer is recreated.
"""

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.pauses import held_until
from pastelka_common.messaging.topology import ConsumerSpec, ensure_consumer

_EXPIRES = 30.0
_HEARTBEAT = 2.5
_MISSED_HEARTBEATS = 2.5
_CHECKS_PER_HEARTBEAT = 5
_DRAIN_SECONDS = 2.0
_MAX_PENDING_REQUESTS = 8
_GRACE = 10.0

_HEARTBEAT_STATUS = "100"
_EXPIRED = "408"
_WRONG_PIN = "423"
_NO_RESPONDERS = "503"
_EXPECTED_ENDS = frozenset({"404", _EXPIRED, _WRONG_PIN})
_CONSUMER_DELETED = "Consumer Deleted"

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class PullRequests:
    """The requests of one subscription.

    A delivery does not identify its request, but when the server ends a request it reports how much was
    unserved; without that, the whole request was refused. ``open`` is therefore exact, so a worker never
    receives more than it requested. Only a request beyond ``max_waiting`` is dropped silently, which its
    timeout reveals.
    """

    open: int = 0
    _last: int = 0
    _batches: dict[int, tuple[int, float]] = field(default_factory=dict)

    def add(self, batch: int, *, expires: float) -> int:
        """Record a request for ``batch`` messages that the server ends after ``expires`` seconds."""
        self._last += 1
        self._batches[self._last] = (batch, time.monotonic() + expires + _GRACE)
        self.open += batch
        return self._last

    def served(self) -> None:
        """Record a delivery."""
        self.open = max(self.open - 1, 0)

    def end(self, number: int, unserved: int | None = None) -> None:
        """Record that the server ended a request, with ``unserved`` messages (``None``: all) missing."""
        batch, _ = self._batches.pop(number, (0, 0.0))
        self.open = max(self.open - (batch if unserved is None else min(unserved, batch)), 0)

    def clear(self) -> None:
        """Record that the server has lost all requests."""
        self.open = 0
        self._batches.clear()

    def expire(self) -> None:
        """Remove requests long past their timeout: served in full, or dropped silently."""
        now = time.monotonic()
        over = [number for number, (_, deadline) in self._batches.items() if deadline < now]
        for number in over:
            del self._batches[number]
        if over:
            self.open = min(self.open, sum(batch for batch, _ in self._batches.values()))


class PullSubscription:
    """Messages of one consumer, never more than requested.

    :meth:`request` adds to the number of requested messages; :meth:`receive` waits for the first and returns
    all that have arrived, at most ``limit``. ``heartbeat`` (seconds) is the interval at which the server
    confirms a pending request; after two and a half missed ones it is sent again.
    """

    def __init__(self, nc: Client, spec: ConsumerSpec, *, heartbeat: float = _HEARTBEAT) -> None:
        self._nc = nc
        self._spec = spec
        self._stream = names_of(nc).stream(spec.stream)
        # A pinned replica without a request within ``ack_wait`` would lose its pin while idle.
        self._expires = spec.ack_wait / 2 if spec.pinned else _EXPIRES
        self._heartbeat = min(heartbeat, self._expires / 2)  # the server rejects longer ones
        self._inbox = ""
        self._subscription: Subscription | None = None
        self._connection = -1
        self._arrived: deque[Msg] = deque()
        self._changed = asyncio.Event()
        self._requested = 0
        self._requests = PullRequests()
        self._last_message_at = 0.0
        self._pin_id: str | None = None
        self._consumer_missing = False
        self._watch: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def outstanding(self) -> int:
        """Requested messages that :meth:`receive` has not returned yet."""
        return self._requested + len(self._arrived)

    @property
    def is_pinned(self) -> bool:
        """Whether this replica of a pinned group last had the server's pin."""
        return self._pin_id is not None

    async def start(self) -> None:
        """Subscribe to a fresh inbox."""
        self._stopped = False
        await self._resubscribe()
        self._watch = asyncio.create_task(self._monitor(), name=f"pull-{self._spec.name}")

    async def stop(self) -> list[Msg]:
        """Unsubscribe; returns messages that arrived, or were in flight, and were not received."""
        # Also a flag: ``asyncio.wait_for`` of Python 3.11, which the client uses, can swallow a cancellation
        # at the moment its call returns.
        self._stopped = True
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await self._end_subscription()
        left = list(self._arrived)
        self._arrived.clear()
        return left

    async def unpin(self) -> None:
        """After :meth:`stop`, let another replica of a pinned group take over at once."""
        if self._pin_id is None:
            return
        subject = f"$JS.API.CONSUMER.UNPIN.{self._stream}.{self._spec.name}"
        try:
            await self._nc.request(subject, json.dumps({"group": self._spec.group}).encode(), timeout=1)
        except Exception as error:  # noqa: BLE001 - another replica takes over when the pin expires
            log.debug("consumer unpin failed", consumer=self._spec.name, error=str(error))
        self._pin_id = None

    async def request(self, count: int) -> None:
        """Request ``count`` more messages."""
        self._requested += count
        await self._request_missing()

    async def receive(self, limit: int) -> list[Msg]:
        """Wait for a message; returns it with all others that have arrived, at most ``limit``.

        Raises ``ConnectionError`` once the client is closed.
        """
        while not self._arrived:
            if self._nc.is_closed:
                raise ConnectionError(f"the connection of consumer {self._spec.name} to NATS was closed")
            self._changed.clear()
            await self._changed.wait()
        return [self._arrived.popleft() for _ in range(min(limit, len(self._arrived)))]

    # --- requests ---------------------------------------------------------------------------------

    async def _resubscribe(self) -> None:
        await self._end_subscription()
        self._requests.clear()
        self._connection = self._nc.stats["reconnects"]
        self._inbox = self._nc.new_inbox()
        self._subscription = await self._nc.subscribe(
            f"{self._inbox}.*", cb=self._on_message, pending_msgs_limit=-1, pending_bytes_limit=-1
        )
        await self._request_missing()

    async def _request_missing(self) -> None:
        self._requests.expire()
        missing = self._requested - self._requests.open
        if missing < self._min_request or self._subscription is None or not self._nc.is_connected:
            return
        if self._requests.open == 0:
            # The server sends no heartbeats without an open request: restart the timeout.
            self._last_message_at = asyncio.get_running_loop().time()
        number = self._requests.add(missing, expires=self._expires)
        try:
            await self._nc.publish(
                f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._spec.name}",
                json.dumps(self._request_body(missing)).encode(),
                reply=f"{self._inbox}.{number}",
            )
        except Exception as error:  # noqa: BLE001 - the watch sends it again
            self._requests.end(number)
            log.warning("pull request failed", consumer=self._spec.name, error=str(error))

    @property
    def _min_request(self) -> int:
        """Minimum size of a request: 200 idle slots must not lead to 200 pending requests."""
        return max(1, self._requested // _MAX_PENDING_REQUESTS)

    def _request_body(self, batch: int) -> dict[str, Any]:
        request: dict[str, Any] = {
            "batch": batch,
            "expires": int(self._expires * 1e9),
            "idle_heartbeat": int(self._heartbeat * 1e9),
        }
        if self._spec.group is not None:
            request["group"] = self._spec.group
            if self._pin_id is not None:
                request["id"] = self._pin_id
        return request

    # --- responses ----------------------------------------------------------------------------------

    async def _on_message(self, msg: Msg) -> None:
        self._last_message_at = asyncio.get_running_loop().time()
        status = _status_of(msg)
        if status is None:
            self._deliver(msg)
            await self._request_missing()
        elif status != _HEARTBEAT_STATUS:
            await self._end_request(status, msg)

    def _deliver(self, msg: Msg) -> None:
        self._requested = max(self._requested - 1, 0)
        self._requests.served()
        msg.subject = names_of(self._nc).plain_subject(msg.subject)
        if self._spec.pinned and msg.headers:
            self._pin_id = msg.headers.get("Nats-Pin-Id", self._pin_id)
        self._arrived.append(msg)
        self._changed.set()

    async def _end_request(self, status: str, msg: Msg) -> None:
        headers = msg.headers or {}
        unserved = headers.get("Nats-Pending-Messages")
        number = int(msg.subject.rpartition(".")[2])
        self._requests.end(number, int(unserved) if unserved is not None else None)
        description = headers.get("Description", "")
        self._consumer_missing = status == _NO_RESPONDERS or description == _CONSUMER_DELETED
        if status not in _EXPECTED_ENDS:
            log.info("pull request ended", consumer=self._spec.name, status=status, reason=description)
        if status == _WRONG_PIN:
            self._pin_id = None
        if status in {_EXPIRED, _WRONG_PIN}:
            await self._request_missing()
        # After others (no consumer, leadership change) the watch sends requests again, not in a tight loop.

    # --- failures --------------------------------------------------------------------------

    async def _monitor(self) -> None:
        while not self._stopped:
            await asyncio.sleep(self._heartbeat / _CHECKS_PER_HEARTBEAT)
            try:
                await self._check()
            except Exception as error:  # noqa: BLE001 - checked again shortly
                log.warning(
                    "pull loop error", consumer=self._spec.name, error=str(error) or type(error).__name__
                )

    async def _check(self) -> None:
        if self._nc.is_closed:
            self._changed.set()
        if not self._nc.is_connected:
            return
        reconnected = self._connection != self._nc.stats["reconnects"]
        if reconnected or self._subscription is None or self._is_heartbeat_overdue():
            await self._resubscribe()
        elif self._consumer_missing:
            await ensure_consumer(self._nc, self._spec, paused_until=held_until(self._spec))
            self._consumer_missing = False
            log.warning("consumer recreated", consumer=self._spec.name)
        await self._request_missing()

    def _is_heartbeat_overdue(self) -> bool:
        elapsed = asyncio.get_running_loop().time() - self._last_message_at
        return self._requests.open > 0 and elapsed > _MISSED_HEARTBEATS * self._heartbeat

    async def _end_subscription(self) -> None:
        """Unsubscribe but keep messages in flight: no other worker receives them within ``ack_wait``."""
        old, self._subscription = self._subscription, None
        if old is None:
            return
        try:
            if self._nc.is_connected:
                async with asyncio.timeout(_DRAIN_SECONDS):
                    await old.drain()  # type: ignore[no-untyped-call]
            else:
                await old.unsubscribe()
        except Exception as error:  # noqa: BLE001 - a closed connection has no subscription left to end
            log.debug("unsubscribe", error=str(error))


def _status_of(msg: Msg) -> str | None:
    """Status code of a message that is not a delivery, else ``None``."""
    if msg.headers is None or msg.data:
        return None
    return msg.headers.get("Status")
