"""The specification's event reference and decision matrix, row by row."""

import json
from itertools import product

import pytest

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
from pastelka_notifier.decisions import Update, decide

LIST_UPDATE = Update(("orders",), {"type": "list_update"})
ORDER_UPDATE = Update(("orders", "orders/1270"), {"type": "order_update", "order_number": "1270"})


def image_status(status_type: str, status: str) -> Update:
    """The specification's example with another kind and status."""
    return Update(
        ("orders", "orders/1270"),
        {
            "type": "image_status",
            "order_number": "1270",
            "image_id": 123,
            "status_type": status_type,
            "version_id": 456,
            "status": status,
        },
    )


def changed(status_type: str, previous: str | None, status: str) -> VersionStatusChanged:
    return VersionStatusChanged(
        order_number="1270",
        image_id=123,
        status_type=status_type,
        version_id=456,
        previous=previous,
        status=status,
    )


# "Complete Mercure Event Reference": when each event is sent.
REFERENCE = [
    (OrderCreated(order_number="1270"), LIST_UPDATE),
    (OrderDeleted(order_number="1270"), LIST_UPDATE),
    (OrderChanged(order_number="1270"), ORDER_UPDATE),
    (SelectionChanged(order_number="1270", image_id=123), ORDER_UPDATE),
    (QueueChanged(kind="svg"), Update(("orders",), {"type": "queue_update", "kind": "svg"})),
]

# "Event Decision Matrix", and the SVG's counterpart of each row.
MATRIX = [
    ("coloring", None, "pending", None),
    ("coloring", "pending", "queued", ORDER_UPDATE),
    ("coloring", "queued", "processing", image_status("coloring", "processing")),
    ("coloring", "processing", "runpod_submitting", image_status("coloring", "runpod_submitting")),
    ("coloring", "runpod_submitting", "runpod_submitted", image_status("coloring", "runpod_submitted")),
    ("coloring", "runpod_submitted", "runpod_queued", image_status("coloring", "runpod_queued")),
    ("coloring", "runpod_queued", "runpod_processing", image_status("coloring", "runpod_processing")),
    ("coloring", "runpod_processing", "completed", ORDER_UPDATE),
    ("svg", None, "pending", None),
    ("svg", "pending", "queued", ORDER_UPDATE),
    ("svg", "queued", "processing", image_status("svg", "processing")),
    ("svg", "processing", "vectorizer_processing", image_status("svg", "vectorizer_processing")),
    ("svg", "vectorizer_processing", "completed", ORDER_UPDATE),
]

# The update of each new status, whatever the previous one: the table below is generated from it. A status
# added to the specification is missing here and fails the test until it is decided.
TOLD_AS = {
    "coloring": {
        "pending": ORDER_UPDATE,
        "queued": ORDER_UPDATE,
        "processing": image_status("coloring", "processing"),
        "runpod_submitting": image_status("coloring", "runpod_submitting"),
        "runpod_submitted": image_status("coloring", "runpod_submitted"),
        "runpod_queued": image_status("coloring", "runpod_queued"),
        "runpod_processing": image_status("coloring", "runpod_processing"),
        "completed": ORDER_UPDATE,
        "error": ORDER_UPDATE,
    },
    "svg": {
        "pending": ORDER_UPDATE,
        "queued": ORDER_UPDATE,
        "processing": image_status("svg", "processing"),
        "vectorizer_processing": image_status("svg", "vectorizer_processing"),
        "completed": ORDER_UPDATE,
        "error": ORDER_UPDATE,
    },
}
TRANSITIONS = [
    (kind, before, after)
    for kind, statuses in STATUS_ENUMS.items()
    for before, after in product(statuses, statuses)
]


def assert_same(update: Update | None, expected: Update | None) -> None:
    """Compare the topics, and the payload also as the JSON that a browser gets."""
    assert update == expected
    if update is not None and expected is not None:
        assert json.dumps(update.payload) == json.dumps(expected.payload)


@pytest.mark.parametrize(("event", "expected"), REFERENCE, ids=lambda value: type(value).__name__)
def test_the_event_reference(event: Event, expected: Update):
    assert_same(decide(event), expected)


@pytest.mark.parametrize(("kind", "before", "after", "expected"), MATRIX)
def test_the_decision_matrix(kind: str, before: str | None, after: str, expected: Update | None):
    assert_same(decide(changed(kind, before, after)), expected)


@pytest.mark.parametrize(("kind", "before"), [(kind, before) for kind, before, _ in TRANSITIONS])
def test_any_status_to_error_is_an_order_update(kind: str, before: str):
    assert_same(decide(changed(kind, before, "error")), ORDER_UPDATE)


@pytest.mark.parametrize(("kind", "before", "after"), TRANSITIONS)
def test_the_new_status_alone_decides_the_update(kind: str, before: str, after: str):
    assert_same(decide(changed(kind, before, after)), TOLD_AS[kind][after])


@pytest.mark.parametrize("kind", STATUS_ENUMS)
def test_only_a_new_version_waits_until_its_job_is_queued(kind: str):
    for status in STATUS_ENUMS[kind]:
        expected = None if status.is_startable else TOLD_AS[kind][status]
        assert_same(decide(changed(kind, None, status)), expected)


def test_an_order_number_is_not_encoded_in_topics_and_payloads():
    update = decide(OrderChanged(order_number="M 10.1*"))
    assert update is not None
    assert update.topics == ("orders", "orders/M 10.1*")
    assert update.payload == {"type": "order_update", "order_number": "M 10.1*"}


def test_an_event_of_an_unknown_kind_is_not_published():
    assert decide(Event(event="archived", order_number="1270")) is None


def test_an_unknown_status_is_an_error():
    with pytest.raises(ValueError, match="runpod_submitting"):
        decide(changed("svg", "processing", "runpod_submitting"))
