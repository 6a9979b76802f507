"""Messages survive the wire, know where they go, and read what a newer writer says."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from pastelka_common.contracts.messages import (
    ColoringFact,
    ColoringJob,
    CommittedEvent,
    DeadLetter,
    Event,
    Failure,
    Message,
    OrderChanged,
    OrderCreated,
    OrderDeleted,
    QueueChanged,
    Retry,
    SelectionChanged,
    SvgFact,
    SvgJob,
    VersionStatusChanged,
    job_key,
    subject_token,
)
from pastelka_common.contracts.options import ColoringOptions, SvgOptions, unsupported_options
from pastelka_common.contracts.statuses import ColoringProcessingStatus, SvgProcessingStatus

AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
JOB = {"version_id": 7, "run": 2, "first_attempt": 4, "order_number": "1270", "image_id": 3}
PATHS = {"source": "42/121/image_1.jpg", "target": "42/121/coloring/v1/image_1.png"}
FACT = {"version_id": 7, "run": 2, "attempt": 3, "step": 4, "at": AT}

EXAMPLES: list[tuple[Message, str, str | None]] = [
    (ColoringJob(**JOB, **PATHS, options=ColoringOptions()), "jobs.coloring.7", "coloring.7.2.4"),
    (SvgJob(**JOB, **PATHS, options=SvgOptions()), "jobs.svg.7", "svg.7.2.4"),
    (
        ColoringFact(**FACT, status=ColoringProcessingStatus.RUNPOD_QUEUED, provider_job_id="rp-1"),
        "status.coloring.7",
        "coloring.7.2.3.4",
    ),
    (
        SvgFact(**FACT, status=SvgProcessingStatus.ERROR, failure=Failure(code="c", message="A sentence.")),
        "status.svg.7",
        "svg.7.2.3.4",
    ),
    (
        ColoringFact(
            **FACT,
            status=ColoringProcessingStatus.RUNPOD_SUBMITTING,
            retry=Retry(attempt=1, of=12, next_at=AT, code="provider_busy", message="A sentence."),
            possibly_paid_twice=True,
        ),
        "status.coloring.7",
        "coloring.7.2.3.4",
    ),
    (OrderCreated(order_number="1270"), "events.order.1270.order_created", None),
    (OrderDeleted(order_number="1270"), "events.order.1270.order_deleted", None),
    (OrderChanged(order_number="1270"), "events.order.1270.order_changed", None),
    (QueueChanged(kind="coloring"), "events.queue.coloring.queue_changed", None),
    (SelectionChanged(order_number="1270", image_id=3), "events.order.1270.selection_changed", None),
    (
        VersionStatusChanged(
            order_number="1270",
            image_id=3,
            status_type="svg",
            version_id=7,
            previous=None,
            status="pending",
        ),
        "events.order.1270.version_status_changed",
        None,
    ),
    (
        DeadLetter(
            original_subject="jobs.svg.7",
            original_payload="{",
            failure=Failure(code="c", message="A sentence."),
            attempt=12,
            at=AT,
        ),
        "dead.jobs.svg.7",
        None,
    ),
]


def _name(value: object) -> str:
    return type(value).__name__ if isinstance(value, Message) else ""


@pytest.mark.parametrize(("message", "subject", "msg_id"), EXAMPLES, ids=_name)
def test_a_message_is_unchanged_by_serialization(message: Message, subject: str, msg_id: str | None):
    assert type(message).model_validate_json(message.model_dump_json(exclude_none=True)) == message
    assert message.subject == subject
    assert message.msg_id == msg_id
    assert message.schema_version == 1


@pytest.mark.parametrize("message", [example[0] for example in EXAMPLES], ids=_name)
def test_a_field_of_a_newer_writer_is_ignored(message: Message):
    newer = json.loads(message.model_dump_json()) | {"schema_version": 2, "added_later": {"deep": [1]}}
    read = type(message).model_validate(newer)
    assert read.schema_version == 2
    assert read.subject == message.subject
    assert not hasattr(read, "added_later")


def test_the_name_of_an_event_selects_its_model():
    events: TypeAdapter[Event] = TypeAdapter(CommittedEvent)
    for message, _, _ in EXAMPLES:
        if isinstance(message, Event):
            assert type(events.validate_json(message.model_dump_json())) is type(message)
    with pytest.raises(ValidationError, match="event"):
        events.validate_json('{"event": "order_eaten", "order_number": "1"}')


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("1270", "1270"),
        ("M1000", "M1000"),
        ("#1270", "%231270"),
        ("a.b", "a%2Eb"),
        ("*", "%2A"),
        (">", "%3E"),
        ("a b\tc", "a%20b%09c"),
        ("č", "%C4%8D"),
        ("100%", "100%25"),
        ("$JS", "%24JS"),
    ],
)
def test_a_subject_token_is_escaped(value: str, token: str):
    assert subject_token(value) == token
    assert OrderChanged(order_number=value).subject == f"events.order.{token}.order_changed"


def test_tokens_of_different_numbers_differ():
    values = ["a.b", "a%2Eb", "a b", "a%20b", "a_b", "a-b"]
    assert len({subject_token(value) for value in values}) == len(values)


def test_a_retry_is_another_message_and_a_repeated_publish_is_not():
    job = ColoringJob(**JOB, **PATHS, options=ColoringOptions())
    assert job.model_copy(update={"run": 3}).msg_id != job.msg_id
    assert job.model_copy(update={"first_attempt": 5}).msg_id != job.msg_id
    assert job.model_copy(update={"provider_job_id": "rp-1"}).msg_id == job.msg_id


def test_a_job_and_its_buckets_share_a_key():
    job = SvgJob(**JOB, **PATHS, options=SvgOptions())
    assert job.key == job_key("svg", 7, 2) == "svg.7.2"


def test_facts_are_ordered_by_run_attempt_and_step():
    def fact(run: int, attempt: int, step: int) -> ColoringFact:
        return ColoringFact(
            version_id=1,
            run=run,
            attempt=attempt,
            step=step,
            at=AT,
            status=ColoringProcessingStatus.PROCESSING,
        )

    facts = [fact(2, 1, 1), fact(1, 2, 1), fact(1, 1, 9), fact(1, 1, 10)]
    assert sorted(f.order for f in facts) == [(1, 1, 9), (1, 1, 10), (1, 2, 1), (2, 1, 1)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"run": 0},
        {"attempt": 0},
        {"step": 0},
        {"at": "2026-11-23T08:30:00"},
        {"status": "vectorizer_processing"},
    ],
)
def test_a_fact_out_of_range_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        ColoringFact.model_validate({**FACT, "status": "processing", **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"megapixels": 0.4},
        {"megapixels": 8.1},
        {"megapixels": float("nan")},
        {"steps": 0},
        {"steps": 21},
        {"steps": 4.5},
        {"steps": "4"},
        {"steps": True},
        {"megapixels": "1"},
        {"megapixels": True},
        {"frame": "yes"},
        {"frame": 1},
        {"background": "loud"},
        {"line_weight": "heavy"},
        {"unknown": 1},
    ],
)
def test_an_option_out_of_range_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        ColoringOptions.model_validate(wrong)


@pytest.mark.parametrize(
    "right", [{"megapixels": 0.5}, {"megapixels": 8}, {"steps": 1}, {"steps": 20}, {"steps": 4.0}]
)
def test_an_option_at_its_bound_is_accepted(right: dict[str, object]):
    assert ColoringOptions.model_validate(right).model_dump() == {"megapixels": 1.0, "steps": 4, **right}


def test_a_style_is_serialized_only_if_it_is_not_the_default():
    defaults = {"frame": True, "background": "quiet", "line_weight": "normal"}
    assert ColoringOptions.model_validate(defaults).model_dump_json() == '{"megapixels":1.0,"steps":4}'
    job = ColoringJob(**JOB, **PATHS, options=ColoringOptions.model_validate(defaults))
    assert '"options":{"megapixels":1.0,"steps":4}' in job.model_dump_json()
    style = '{"megapixels":1.0,"steps":4,"frame":false,"background":"none","line_weight":"thin"}'
    job = ColoringJob(**JOB, **PATHS, options=ColoringOptions.model_validate_json(style))
    assert f'"options":{style}' in job.model_dump_json()
    assert ColoringJob.model_validate_json(job.model_dump_json()) == job


@pytest.mark.parametrize(
    ("provider", "unsupported"),
    [("local", []), ("runpod", ["frame", "line_weight"]), ("other", ["frame", "line_weight"])],
)
def test_an_unknown_provider_supports_size_and_detail_only(provider: str, unsupported: list[str]):
    assert unsupported_options(provider, {"line_weight", "steps", "frame"}) == unsupported


def test_a_message_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        EXAMPLES[0][0].schema_version = 9
