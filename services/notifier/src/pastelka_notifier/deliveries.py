"""The deliveries in progress: which events they hold, and how each of them ended.

The server delivers an event again when it missed an extension or an acknowledgement (a lost
connection, a restart). Such a delivery must neither get into a lane a second time, behind later
events of its order, nor be pushed once more.
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
    """The same for every delivery of an event, and of no other: also after a loss of the stream.

    The stream's sequence alone would not do: a server that lost its last writes counts from there.
    """
    metadata = msg.metadata
    return f"urn:pastelka:event:{metadata.timestamp:%Y%m%dT%H%M%S.%f}:{metadata.sequence.stream}"


class Deliveries:
    """The latest delivery of each event in progress, and which events were pushed lately."""

    def __init__(self) -> None:
        self._in_progress: dict[str, Msg] = {}
        self._pushed: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        """Events in progress."""
        return len(self._in_progress)

    def __getitem__(self, event_id: str) -> Msg:
        """The latest delivery of an event in progress."""
        return self._in_progress[event_id]

    def add(self, msg: Msg) -> str | None:
        """Add a delivery; returns the event's id, or ``None`` if the event is in progress already."""
        event_id = event_id_of(msg)
        known = event_id in self._in_progress
        self._in_progress[event_id] = msg
        return None if known else event_id

    def was_pushed(self, event_id: str) -> bool:
        """Whether it was pushed already, and only its acknowledgement was lost."""
        return event_id in self._pushed

    async def done(self, event_id: str) -> None:
        """Acknowledge an event that needs nothing more."""
        self._pushed[event_id] = None
        while len(self._pushed) > _REMEMBERED:
            self._pushed.popitem(last=False)
        await _tell(self._in_progress[event_id].ack())
        del self._in_progress[event_id]

    async def drop(self, event_id: str) -> None:
        """Tell the server never to deliver it again."""
        await _tell(self._in_progress[event_id].term())
        del self._in_progress[event_id]

    async def fail(self, event_id: str) -> None:
        """Have it delivered again in a moment, a few times: it met a fault of ours."""
        msg = self._in_progress[event_id]
        if (msg.metadata.num_delivered or 1) >= _MOST_DELIVERIES:
            await self.drop(event_id)
            return
        await _tell(msg.nak(delay=_RETRY_SECONDS))
        del self._in_progress[event_id]

    async def extend(self) -> None:
        """Tell the server that all events in progress are still being worked on."""
        for msg in list(self._in_progress.values()):
            await _tell(msg.in_progress())

    async def hand_back(self, more: Iterable[Msg] = ()) -> None:
        """Return all events, and ``more`` that were not added yet, to another replica, oldest first."""
        for msg in more:
            self.add(msg)
        # Redelivered in the order in which they come back.
        for event_id, msg in sorted(
            self._in_progress.items(), key=lambda item: item[1].metadata.sequence.stream
        ):
            await _tell(msg.ack() if self.was_pushed(event_id) else msg.nak())
        self._in_progress.clear()


async def _tell(telling: Awaitable[None]) -> None:
    """Tell the server; what it does not hear is delivered again when its deadline has passed."""
    try:
        await telling
    except Exception as error:  # noqa: BLE001 - a redelivery, not a failure
        log.warning("ack failed", error=str(error) or type(error).__name__)
