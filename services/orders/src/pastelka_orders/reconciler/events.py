"""Republishes events that JetStream lost after acknowledging them.

A mark (sequence and time of the last event) detects a lost or older ``EVENTS``. Then every order that changed
since all events were last known to be pushed is announced again. Browsers refetch on an event, so too many
are harmless and too few are not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nats.aio.client import Client
from nats.js.errors import NotFoundError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import OrderChanged, OrderCreated, OrderDeleted, now
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.stored_messages import StreamState, get_stream_state
from pastelka_common.messaging.topology import DAY, EVENTS, EVENTS_CONSUMER
from pastelka_orders.outbox import Outbox
from pastelka_orders.reconciler.reconcile_pass import ReconcilePass
from pastelka_orders.repository import reconciling
from pastelka_orders.repository.reconciling import ReconcilerSnapshot

# A transaction may have been open when all events were last known to be pushed.
_MARGIN = timedelta(seconds=60)
_RETENTION = timedelta(seconds=DAY)


@dataclass(frozen=True, slots=True)
class EventsCheck:
    """Result of the check: the mark, and until when all events were pushed (``None``: unknown)."""

    mark: dict[str, Any]
    good_at: datetime | None


async def repair_events(reconcile_pass: ReconcilePass, last: ReconcilerSnapshot | None) -> EventsCheck:
    """Announce changed orders again if events were lost; returns the new state."""
    until = await reconcile_pass.database.read(reconciling.published_until)
    stream = await get_stream_state(reconcile_pass.nc, EVENTS)
    if last is not None and last.events_mark is not None:
        await _repair(reconcile_pass, last, stream)
    return EventsCheck(_mark(stream), until if await _all_pushed(reconcile_pass.nc) else None)


async def _repair(reconcile_pass: ReconcilePass, last: ReconcilerSnapshot, stream: StreamState) -> None:
    mark = last.events_mark or {}
    if not await _is_lost(reconcile_pass.nc, stream, mark):
        return
    since = (last.events_good_at or now() - _RETENTION) - _MARGIN
    older = await _end_of_older_copy(reconcile_pass.nc, stream, mark)
    if older is not None:
        since = min(since, older - _MARGIN)
    count = await reconcile_pass.change(lambda c: _announce(c, since))
    reconcile_pass.record("events", "events_lost", since=since.isoformat(timespec="seconds"), orders=count)


async def _announce(connection: AsyncConnection, since: datetime) -> int:
    outbox = Outbox()
    for number in await reconciling.deleted_orders(connection, since):
        outbox.add(OrderDeleted(order_number=number))
    changed = await reconciling.changed_orders(connection, since)
    for order in changed:
        if order.is_new:
            outbox.add(OrderCreated(order_number=order.order_number))
        outbox.add(OrderChanged(order_number=order.order_number))
    await outbox.flush(connection)
    return len(changed)


def _mark(stream: StreamState) -> dict[str, Any]:
    return {
        "created": stream.created.isoformat(),
        "last": stream.last,
        "time": stream.last_time.isoformat(),
        "gone": stream.deleted,
    }


async def _is_lost(nc: Client, stream: StreamState, mark: dict[str, Any]) -> bool:
    """Whether the stream lacks events: recreated, an older copy, truncated, or purged."""
    if stream.created != datetime.fromisoformat(mark["created"]) or stream.last < mark["last"]:
        return True
    if stream.deleted > mark["gone"]:
        return True
    if mark["last"] == 0:
        return False
    if mark["last"] < stream.first:
        # Either expired by age, or purged by hand.
        return now() - datetime.fromisoformat(mark["time"]) < _RETENTION * 0.95
    return await _time_of(nc, mark["last"]) != datetime.fromisoformat(mark["time"])


async def _end_of_older_copy(nc: Client, stream: StreamState, mark: dict[str, Any]) -> datetime | None:
    """Time of the newest event of an older copy; later events were published again."""
    marked = datetime.fromisoformat(mark["time"])
    low, high, found = stream.first, min(stream.last, mark["last"]), None
    while stream.messages and low <= high:
        middle = (low + high) // 2
        moment = await _time_of(nc, middle)
        if moment is not None and moment <= marked:
            found, low = moment, middle + 1
        else:
            high = middle - 1
    return found


async def _time_of(nc: Client, sequence: int) -> datetime | None:
    try:
        return (await nc.jetstream().get_msg(names_of(nc).stream(EVENTS), sequence)).time
    except NotFoundError:
        return None


async def _all_pushed(nc: Client) -> bool:
    try:
        info = await nc.jetstream().consumer_info(names_of(nc).stream(EVENTS), EVENTS_CONSUMER.name)
    except NotFoundError:
        return False
    return not info.num_pending and not info.num_ack_pending
