"""The AsyncAPI 3.0 document of the messages, generated from their models.

``python -m pastelka_common.contracts.asyncapi`` writes it to ``libs/common/asyncapi.json``.
https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic.json_schema import models_json_schema

from pastelka_common.contracts.messages import (
    ColoringFact,
    ColoringJob,
    DeadLetter,
    Message,
    OrderChanged,
    OrderCreated,
    OrderDeleted,
    QueueChanged,
    SelectionChanged,
    SvgFact,
    SvgJob,
    VersionStatusChanged,
)
from pastelka_common.messaging import topology

FILE = Path(__file__).parents[3] / "asyncapi.json"

_SCHEMA_REF = "#/components/schemas/{model}"
_PARAMETERS = {
    "version_id": "Id of the coloring or SVG version.",
    "image_id": "Id of the photo.",
    "order_id": "Id of the order.",
    "order_number": "Number of the order, as one token; forbidden characters are percent-encoded.",
    "shopify_id": "Id of the order at Shopify.",
    "event": "What happened.",
    "kind": "Kind of the queue's versions: `coloring` or `svg`.",
    "original_subject": "Subject of the abandoned job (several tokens).",
    "key": "The run: `<kind>.<version id>.<run>`.",
}
_HEADERS = {
    "Nats-Msg-Id": "JetStream drops a second message with the same id within two minutes.",
    "traceparent": "W3C trace context of the operation that caused the message.",
    "tracestate": "As above.",
}
_EVENTS: tuple[type[Message], ...] = (
    OrderCreated,
    OrderDeleted,
    OrderChanged,
    SelectionChanged,
    VersionStatusChanged,
)


@dataclass(frozen=True)
class Channel:
    """A family of subjects in one stream: its messages, senders and receivers."""

    name: str
    address: str
    stream: str
    messages: tuple[type[Message], ...]
    senders: tuple[str, ...]
    receivers: dict[str, str]
    """Service to durable consumer."""


CHANNELS = (
    Channel(
        "coloringJobs",
        "jobs.coloring.{version_id}",
        topology.JOBS,
        (ColoringJob,),
        ("orders",),
        {"coloring": topology.COLORING_CONSUMER.name},
    ),
    Channel(
        "svgJobs",
        "jobs.svg.{version_id}",
        topology.JOBS,
        (SvgJob,),
        ("orders",),
        {"vectorize": topology.VECTORIZE_CONSUMER.name},
    ),
    Channel(
        "coloringFacts",
        "status.coloring.{version_id}",
        topology.STATUS,
        (ColoringFact,),
        ("coloring",),
        {"orders": topology.FACTS_CONSUMER.name},
    ),
    Channel(
        "svgFacts",
        "status.svg.{version_id}",
        topology.STATUS,
        (SvgFact,),
        ("vectorize",),
        {"orders": topology.FACTS_CONSUMER.name},
    ),
    Channel(
        "orderEvents",
        "events.order.{order_number}.{event}",
        topology.EVENTS,
        _EVENTS,
        ("orders",),
        {"notifier": topology.EVENTS_CONSUMER.name},
    ),
    Channel(
        "queueEvents",
        "events.queue.{kind}.queue_changed",
        topology.EVENTS,
        (QueueChanged,),
        ("orders",),
        {"notifier": topology.EVENTS_CONSUMER.name},
    ),
    Channel(
        "deadLetters",
        "dead.{original_subject}",
        topology.DEAD,
        (DeadLetter,),
        ("coloring", "vectorize", "orders"),
        {"orders": topology.DEAD_CONSUMER.name},
    ),
)
"""Every channel with messages of our own."""


def document() -> dict[str, Any]:
    """The whole document, as JSON values in a stable order."""
    channels = {channel.name: _channel(channel) for channel in CHANNELS}
    # A cancellation has no model: it is a key in a key-value bucket.
    channels["cancellations"] = _cancellations()
    operations = {name: value for channel in CHANNELS for name, value in _operations(channel).items()}
    operations |= _operations_of_cancellations()
    models = [message for channel in CHANNELS for message in channel.messages]
    return {
        "asyncapi": "3.0.0",
        "id": "urn:pastelka",
        "info": {
            "title": "Pastelka",
            "version": "1",
            "description": "Jobs (what to do), facts (what happened), events (what is committed).",
        },
        "defaultContentType": "application/json",
        "servers": {"nats": {"host": "localhost:4222", "protocol": "nats", "description": "`NATS_URL`"}},
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {model.__name__: _message(model) for model in models}
            | {"Cancellation": _cancellation()},
            "messageTraits": {"published": {"headers": _headers()}},
            "schemas": _schemas(models),
        },
    }


def render() -> str:
    """The document as the text of its file."""
    return json.dumps(document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


# --- channels -----------------------------------------------------------------------------------


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "address": channel.address,
        "description": f"Stream `{channel.stream}`.",
        "parameters": _parameters(channel.address),
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in channel.messages
        },
    }


def _cancellations() -> dict[str, Any]:
    address = f"$KV.{topology.CANCELS}.{{key}}"
    return {
        "address": address,
        "description": f"Bucket `{topology.CANCELS}`; the server repeats it on `cancels.{{key}}`.",
        "parameters": _parameters(address),
        "messages": {"Cancellation": {"$ref": "#/components/messages/Cancellation"}},
    }


def _parameters(address: str) -> dict[str, Any]:
    return {
        name: {"description": description}
        for name, description in _PARAMETERS.items()
        if f"{{{name}}}" in address
    }


# --- operations ---------------------------------------------------------------------------------


def _operations(channel: Channel) -> dict[str, Any]:
    models = [model.__name__ for model in channel.messages]
    operations = {
        _operation_name(sender, "send", channel.name): _operation("send", channel.name, models)
        for sender in channel.senders
    }
    for receiver, consumer in channel.receivers.items():
        operation = _operation("receive", channel.name, models)
        operation["description"] = f"Durable pull consumer `{consumer}` on `{channel.stream}`."
        operations[_operation_name(receiver, "receive", channel.name)] = operation
    return operations


def _operations_of_cancellations() -> dict[str, Any]:
    name, models = "cancellations", ["Cancellation"]
    operations = {_operation_name("orders", "send", name): _operation("send", name, models)}
    for worker in ("coloring", "vectorize"):
        operations[_operation_name(worker, "receive", name)] = _operation("receive", name, models)
    return operations


def _operation_name(service: str, action: str, channel: str) -> str:
    return f"{service}_{action}_{channel}"


def _operation(action: Literal["send", "receive"], channel: str, models: list[str]) -> dict[str, Any]:
    reference = f"#/channels/{channel}"
    return {
        "action": action,
        "channel": {"$ref": reference},
        "messages": [{"$ref": f"{reference}/messages/{model}"} for model in models],
    }


# --- components ---------------------------------------------------------------------------------


def _message(model: type[Message]) -> dict[str, Any]:
    return {
        "name": model.__name__,
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "payload": {"$ref": _SCHEMA_REF.format(model=model.__name__)},
        "traits": [{"$ref": "#/components/messageTraits/published"}],
    }


def _cancellation() -> dict[str, Any]:
    return {
        "name": "Cancellation",
        "summary": "A user cancelled the run with this key.",
        "contentType": "text/plain",
        "payload": {"type": "string", "const": "cancelled"},
        "traits": [{"$ref": "#/components/messageTraits/published"}],
    }


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": why} for name, why in _HEADERS.items()},
    }


def _schemas(models: list[type[Message]]) -> dict[str, Any]:
    _, schema = models_json_schema([(model, "validation") for model in models], ref_template=_SCHEMA_REF)
    definitions: dict[str, Any] = schema["$defs"]
    return definitions


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
    sys.stderr.write(f"written: {FILE}\n")
