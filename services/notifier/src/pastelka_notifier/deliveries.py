"""The active deliveries: their events, and the outcome of each.

The server redelivers an event if an extension or an acknowledgement was lost (connection loss, restart). Such
a redelivery must neither enter its order's queue a second time, behind later events, nor be pushed again.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Iterable

import structlog
from nats.aio.msg import Msg

log = structlog.get_logger(__name__)

_REMEMBERED = 10_000
_MOST_DELIVERIES = 5
_RETRY_SECONDS = 2.0


def event_id_of(msg: Msg) -> str:
    """An id shared by all deliveries of an event and by no other event, also after a loss of the stream.

    The stream sequence alone would not do: a server that lost its last writes reuses sequences.
    """
    metadata = msg.metadata
    return f"urn:pastelka:event:{metadata.timestamp:%Y%m%dT%H%M%S.%f}:{metadata.sequence.stream}"


class Deliveries:
    """The latest delivery of each active event, and the recently pushed events."""

    def __init__(self) -> None:
        self._in_progress: dict[str, Msg] = {}
        self._pushed: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        """Number of active events."""
        return len(self._in_progress)

    def __getitem__(self, event_id: str) -> Msg:
        """The latest delivery of an active event."""
        return self._in_progress[event_id]

    def add(self, msg: Msg) -> str | None:
        """Register a delivery; returns the event's id, or ``None`` if the event is already active."""
        event_id = event_id_of(msg)
        known = event_id in self._in_progress
        self._in_progress[event_id] = msg
        return None if known else event_id

    def was_pushed(self, event_id: str) -> bool:
        """Whether the event was already pushed and only its acknowledgement was lost."""
        return event_id in self._pushed

    async def done(self, event_id: str) -> None:
        """Acknowledge a finished event."""
        self._pushed[event_id] = None
        while len(self._pushed) > _REMEMBERED:
            self._pushed.popitem(last=False)
        await _send_ack(self._in_progress[event_id].ack())
        del self._in_progress[event_id]

    async def drop(self, event_id: str) -> None:
        """Terminate the event: the server never redelivers it."""
        await _send_ack(self._in_progress[event_id].term())
        del self._in_progress[event_id]

    async def fail(self, event_id: str) -> None:
        """Nack the event after an internal error, so that it is redelivered a few times."""
        msg = self._in_progress[event_id]
        if (msg.metadata.num_delivered or 1) >= _MOST_DELIVERIES:
            await self.drop(event_id)
            return
        await _send_ack(msg.nak(delay=_RETRY_SECONDS))
        del self._in_progress[event_id]

    async def extend(self) -> None:
        """Extend the acknowledgement deadline of every active event."""
        for msg in list(self._in_progress.values()):
            await _send_ack(msg.in_progress())

    async def hand_back(self, more: Iterable[Msg] = ()) -> None:
        """Nack all active events, and ``more`` that were not registered yet, oldest first."""
        for msg in more:
            self.add(msg)
        # The server redelivers them in the order of the nacks.
        for event_id, msg in sorted(
            self._in_progress.items(), key=lambda item: item[1].metadata.sequence.stream
        ):
            await _send_ack(msg.ack() if self.was_pushed(event_id) else msg.nak())
        self._in_progress.clear()


async def _send_ack(telling: Awaitable[None]) -> None:
    """Send an acknowledgement; if it is lost, the event is redelivered after its deadline."""
    try:
        await telling
    except Exception as error:  # noqa: BLE001 - a redelivery, not a failure
        log.warning("ack failed", error=str(error) or type(error).__name__)
