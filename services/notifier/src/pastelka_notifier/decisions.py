"""Maps committed events to updates: the decision matrix of the specification, as a function.

Pure: no network, no clock. The payloads match the specification exactly.
"""

from dataclasses import dataclass
from typing import Any

from pastelka_common.contracts.messages import (
    Event,
    OrderChanged,
    OrderCreated,
    OrderDeleted,
    QueueChanged,
    SelectionChanged,
    VersionStatusChanged,
)
from pastelka_common.contracts.statuses import STATUS_ENUMS

LIST_TOPIC = "orders"


@dataclass(frozen=True, slots=True)
class Update:
    """One update for the hub: topics and payload."""

    topics: tuple[str, ...]
    payload: dict[str, Any]


def order_topic(order_number: str) -> str:
    """The topic of one order."""
    return f"orders/{order_number}"


def decide(event: Event | QueueChanged) -> Update | None:
    """The update for ``event``, or ``None`` if no subscriber needs one."""
    match event:
        case OrderCreated() | OrderDeleted():
            return Update((LIST_TOPIC,), {"type": "list_update"})
        case OrderChanged() | SelectionChanged():
            return _order_update(event)
        case VersionStatusChanged():
            return _of_status(event)
        case QueueChanged():
            return Update((LIST_TOPIC,), {"type": "queue_update", "kind": event.kind})
        case _:
            return None


def _of_status(event: VersionStatusChanged) -> Update | None:
    status = STATUS_ENUMS[event.status_type](event.status)
    if status.is_final:
        # The file or the error is available to the API's clients by now.
        return _order_update(event)
    if status.is_in_flight:
        return _image_status(event)
    # A new version is announced once, when its job is queued.
    return _order_update(event) if event.previous is not None else None


def _order_update(event: Event) -> Update:
    return Update(
        (LIST_TOPIC, order_topic(event.order_number)),
        {"type": "order_update", "order_number": event.order_number},
    )


def _image_status(event: VersionStatusChanged) -> Update:
    return Update(
        (LIST_TOPIC, order_topic(event.order_number)),
        {
            "type": "image_status",
            "order_number": event.order_number,
            "image_id": event.image_id,
            "status_type": event.status_type,
            "version_id": event.version_id,
            "status": event.status,
        },
    )
