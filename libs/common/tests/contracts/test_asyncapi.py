"""The AsyncAPI document is what its file holds, refers only to what it has, and fits real messages."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from pastelka_common.contracts import asyncapi, messages
from pastelka_common.contracts.messages import DeadLetter, Failure, Message, SvgFact, SvgJob
from pastelka_common.contracts.options import SvgOptions
from pastelka_common.contracts.statuses import SvgProcessingStatus
from pastelka_common.messaging import topology

DOCUMENT = asyncapi.document()


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _at(reference: str) -> Any:
    node: Any = DOCUMENT
    assert reference.startswith("#/")
    for part in reference[2:].split("/"):
        node = node[part]
    return node


def _models(base: type[Message]) -> set[type[Message]]:
    below = set(base.__subclasses__())
    return {leaf for child in below for leaf in (_models(child) or {child})}


def test_the_asyncapi_document_is_current():
    assert asyncapi.FILE.read_text(encoding="utf-8") == asyncapi.render(), (
        "run `uv run python -m pastelka_common.contracts.asyncapi` and commit libs/common/asyncapi.json"
    )


def test_rendering_is_stable_and_sorted():
    assert asyncapi.render() == asyncapi.render()
    parsed = json.loads(asyncapi.render())
    assert list(parsed) == sorted(parsed)
    assert list(parsed["components"]["schemas"]) == sorted(parsed["components"]["schemas"])


def test_every_reference_resolves():
    found = set(_references(DOCUMENT))
    assert len(found) > 20
    for reference in found:
        assert _at(reference) is not None


def test_every_message_is_in_the_document():
    ours = {model.__name__ for model in _models(Message) if model.__module__ == messages.__name__}
    assert ours | {"Cancellation"} == set(DOCUMENT["components"]["messages"])
    assert ours <= set(DOCUMENT["components"]["schemas"])


def test_operations_name_messages_of_their_channel():
    assert DOCUMENT["operations"]
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = operation["channel"]["$ref"]
        assert operation["messages"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")


def test_every_channel_is_sent_to_and_received_from():
    for name in DOCUMENT["channels"]:
        actions = {
            operation["action"]
            for operation in DOCUMENT["operations"].values()
            if operation["channel"]["$ref"] == f"#/channels/{name}"
        }
        assert actions == {"send", "receive"}, name


def test_parameters_are_those_of_the_address():
    for channel in DOCUMENT["channels"].values():
        in_address = {part.split("}")[0] for part in channel["address"].split("{")[1:]}
        assert set(channel["parameters"]) == in_address


@pytest.mark.parametrize("channel", asyncapi.CHANNELS, ids=lambda c: c.name)
def test_a_channel_matches_the_subjects_of_its_stream_and_consumer(channel: asyncapi.Channel):
    subject = channel.address.replace("{original_subject}", "jobs.svg.7").replace("{", "").replace("}", "")
    stream = next(s for s in topology.streams() if s.name == channel.stream)
    assert any(fnmatchcase(subject, pattern.replace(">", "*")) for pattern in stream.subjects or [])
    specs = [value for value in vars(topology).values() if isinstance(value, topology.ConsumerSpec)]
    for consumer in channel.receivers.values():
        spec = next(spec for spec in specs if spec.name == consumer)
        assert spec.stream == channel.stream
        assert fnmatchcase(subject, spec.filter_subject.replace(">", "*"))


def test_messages_carry_their_identity_and_trace():
    for message in DOCUMENT["components"]["messages"].values():
        headers = _at(message["traits"][0]["$ref"])["headers"]
        assert {"Nats-Msg-Id", "traceparent"} <= set(headers["properties"])


JOB = SvgJob(
    version_id=7,
    run=1,
    order_number="1270",
    image_id=3,
    source="42/121/coloring/v1/image_1.png",
    target="42/121/svg/v1/image_1.svg",
    options=SvgOptions(),
)
AT = datetime(2026, 11, 23, tzinfo=UTC)
FAILURE = Failure(code="broken", message="It broke.")


@pytest.mark.parametrize(
    "message",
    [
        JOB,
        SvgFact(
            version_id=7, run=1, attempt=1, step=2, at=AT, status=SvgProcessingStatus.ERROR, failure=FAILURE
        ),
        DeadLetter(
            original_subject=JOB.subject,
            original_payload=JOB.model_dump_json(),
            failure=FAILURE,
            attempt=1,
            at=AT,
        ),
    ],
    ids=lambda m: type(m).__name__,
)
def test_a_real_message_fits_its_schema(message: Message):
    reference = DOCUMENT["components"]["messages"][type(message).__name__]["payload"]["$ref"]
    validator = Draft202012Validator(DOCUMENT | {"$ref": reference})
    validator.validate(json.loads(message.model_dump_json(exclude_none=True)))
    with pytest.raises(ValidationError):
        validator.validate({"schema_version": 0})
