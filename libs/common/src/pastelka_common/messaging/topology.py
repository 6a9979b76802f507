"""Declarations of Pastelka's streams, consumers and buckets.

The first process that starts creates them; every process compares them at startup. It updates a difference if
the server allows that, and raises :class:`TopologyError` otherwise.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RePublish, RetentionPolicy, StreamConfig
from nats.js.errors import APIError, BadRequestError, NotFoundError

from pastelka_common.errors import BrokerSetupError
from pastelka_common.messaging.names import Names, names_of

DAY = 24 * 3600.0

JOBS = "JOBS"
STATUS = "STATUS"
EVENTS = "EVENTS"
DEAD = "DEAD"

RUNS = "RUNS"
"""Bucket: the record of each run (key: ``<kind>.<version>.<run>``), including the provider's job id."""
CANCELS = "CANCELS"
"""Bucket: cancelled runs (same keys). Republished on ``cancels.<key>``."""

_STREAM_EXISTS = 10058
_SUBJECTS_OVERLAP = 10065
_DUPLICATE_WINDOW = 120.0
_NAME_CONFLICT_REMEDY = (
    "Set NATS_PREFIX in every service to give this system's streams their own names, "
    "or use a separate NATS account."
)
_MAX_WAITING = 512


MANAGED_BY = "pastelka.io/managed-by"
"""Metadata key of all our streams and consumers; its value is ``pastelka``."""
_METADATA = {MANAGED_BY: "pastelka"}


class TopologyError(BrokerSetupError):
    """A required stream or consumer exists but cannot be used."""


def streams(replicas: int = 1, names: Names = Names()) -> list[StreamConfig]:  # noqa: B008 - frozen
    """Every stream, including those of buckets, with ``replicas`` copies of each.

    All are written synchronously: with ``persist_mode: async`` a killed server lost acknowledged events and
    reused their sequences. Streams filled by the outbox accept atomic batches (NATS ADR-50), which a server
    that syncs every write syncs once per batch.
    """
    plain = [
        StreamConfig(
            name=JOBS,
            subjects=["jobs.>"],
            retention=RetentionPolicy.WORK_QUEUE,
            max_age=0,
            allow_atomic=True,
            allow_direct=True,
            description="What is to be done",
        ),
        StreamConfig(
            name=STATUS,
            subjects=["status.>"],
            max_age=7 * DAY,
            description="What workers saw happen",
        ),
        StreamConfig(
            name=EVENTS,
            subjects=["events.>"],
            max_age=DAY,
            allow_atomic=True,
            description="What is committed",
        ),
        StreamConfig(
            name=DEAD,
            subjects=["dead.>"],
            max_age=30 * DAY,
            max_msgs_per_subject=1,  # one subject per job: only its newest failure matters
            allow_direct=True,
            description="What was given up on",
        ),
        _bucket(RUNS),
        _bucket(CANCELS, republish=RePublish(src=f"$KV.{CANCELS}.>", dest="cancels.>")),
    ]
    return [_with_prefix(stream, names, replicas) for stream in plain]


def _bucket(bucket: str, republish: RePublish | None = None) -> StreamConfig:
    """A key-value bucket as a stream (NATS ADR-8), with one value for each key."""
    return StreamConfig(
        name=f"KV_{bucket}",
        subjects=[f"$KV.{bucket}.>"],
        max_age=7 * DAY,
        max_msgs_per_subject=1,
        discard=DiscardPolicy.NEW,
        allow_direct=True,
        allow_rollup_hdrs=True,
        allow_msg_ttl=True,
        deny_delete=True,
        republish=republish,
    )


def _with_prefix(stream: StreamConfig, names: Names, replicas: int) -> StreamConfig:
    republish = stream.republish
    if republish is not None:
        src, dest = (names.subject(subject or "") for subject in (republish.src, republish.dest))
        republish = RePublish(src=src, dest=dest)
    return stream.evolve(
        name=names.stream(stream.name or ""),
        subjects=[names.subject(subject) for subject in stream.subjects or ()],
        republish=republish,
        num_replicas=replicas,
        duplicate_window=_DUPLICATE_WINDOW,
        metadata=_METADATA,
    )


def is_in_stream(subject: str) -> bool:
    """Whether a stream or bucket declared here stores messages on ``subject``."""
    prefixes = [pattern.removesuffix(">") for stream in streams() for pattern in stream.subjects or []]
    return subject.startswith(tuple(prefixes))


@dataclass(frozen=True)
class ConsumerSpec:
    """One durable pull consumer, with all settings explicit.

    ``ack_wait`` in seconds: time without a heartbeat until a delivery goes to another worker.
    ``max_ack_pending`` limits active deliveries across all replicas, ``max_waiting`` their pending requests.
    The server does not limit deliveries (``max_deliver`` -1), because it would drop the message without a
    dead letter: the job consumer counts them and writes one. With ``pinned`` only one replica receives at a
    time, which preserves order; another takes over after twice ``ack_wait`` without a request.
    """

    stream: str
    name: str
    filter_subject: str
    ack_wait: float
    max_ack_pending: int
    pinned: bool = False
    max_deliver: int = -1
    max_waiting: int = _MAX_WAITING
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def group(self) -> str | None:
        """Name of the priority group, if pinned."""
        return self.name if self.pinned else None

    def accepts(self, subject: str) -> bool:
        """Whether this consumer receives messages on ``subject``."""
        wanted, tokens = self.filter_subject.split("."), subject.split(".")
        if wanted[-1] == ">":
            wanted, tokens = wanted[:-1], tokens[: len(wanted) - 1]
        return len(wanted) == len(tokens) and all(
            pattern in {"*", token} for pattern, token in zip(wanted, tokens, strict=True)
        )

    def with_limit(self, max_ack_pending: int) -> "ConsumerSpec":
        """A copy with another limit of active deliveries."""
        return replace(self, max_ack_pending=max_ack_pending)

    def as_config(self) -> dict[str, Any]:
        """The JSON of the server's ``ConsumerConfig`` (durations in nanoseconds)."""
        config: dict[str, Any] = {
            "durable_name": self.name,
            "name": self.name,
            "filter_subject": self.filter_subject,
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": int(self.ack_wait * 1e9),
            "max_deliver": self.max_deliver,
            "max_ack_pending": self.max_ack_pending,
            "max_waiting": self.max_waiting,
            "replay_policy": "instant",
            "metadata": _METADATA | self.metadata,
        }
        if self.pinned:
            config |= {
                "priority_groups": [self.name],
                "priority_policy": "pinned_client",
                # Longer than ``ack_wait``: messages of a dead replica are redelivered before newer ones.
                "priority_timeout": int(2 * self.ack_wait * 1e9),
            }
        return config


COLORING_CONSUMER = ConsumerSpec(JOBS, "coloring", "jobs.coloring.*", ack_wait=10, max_ack_pending=1000)
VECTORIZE_CONSUMER = ConsumerSpec(JOBS, "vectorize", "jobs.svg.*", ack_wait=10, max_ack_pending=1000)
FACTS_CONSUMER = ConsumerSpec(STATUS, "orders-facts", "status.>", ack_wait=5, max_ack_pending=4096)
DEAD_CONSUMER = ConsumerSpec(DEAD, "orders-dead", "dead.jobs.>", ack_wait=30, max_ack_pending=256)
EVENTS_CONSUMER = ConsumerSpec(EVENTS, "notifier", "events.>", ack_wait=3, max_ack_pending=4096, pinned=True)

RETIRED_CONSUMERS = ("download", "fetch", "sync", "erase")
"""Former consumers of ``JOBS``: these jobs are now rows of orders."""


async def ensure_streams(nc: Client, replicas: int = 1) -> None:
    """Create or update every stream and bucket.

    Raises :class:`TopologyError`, before any change, for a stream that is not ours.
    """
    js = nc.jetstream()
    for stream in streams(replicas, names_of(nc)):
        await _ensure_stream(js, stream)


async def delete_retired_consumers(nc: Client) -> None:
    """Delete consumers of earlier releases, and the messages that only they received."""
    js, names = nc.jetstream(), names_of(nc)
    stream = names.stream(JOBS)
    for name in RETIRED_CONSUMERS:
        await js.purge_stream(stream, subject=names.subject(f"jobs.{name}.>"))
        with suppress(NotFoundError):
            await js.delete_consumer(stream, name)


async def delete_streams(nc: Client) -> None:
    """Delete all our existing streams and buckets.

    Raises :class:`TopologyError`, before anything is deleted, if one is not ours.
    """
    js = nc.jetstream()
    present: list[str] = []
    for stream in streams(names=names_of(nc)):
        try:
            _require_managed((await js.stream_info(stream.name or "")).config, stream)
        except NotFoundError:
            continue
        present.append(stream.name or "")
    for name in present:
        await js.delete_stream(name)


async def _ensure_stream(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        await js.add_stream(config)
    except BadRequestError as error:
        if error.err_code == _SUBJECTS_OVERLAP:
            raise TopologyError(
                f"stream {config.name} cannot be created: another stream of this NATS account has "
                f"{', '.join(config.subjects or ())}. {_NAME_CONFLICT_REMEDY}"
            ) from error
        if error.err_code != _STREAM_EXISTS:
            raise
    else:
        return
    _require_managed((await js.stream_info(config.name or "")).config, config)
    await _update_stream(js, config)


def _require_managed(present: StreamConfig, wanted: StreamConfig) -> None:
    """Raise :class:`TopologyError` unless the stream is marked as ours, or predates the marks.

    Such a stream lacks our metadata, but has the expected purpose.
    """
    if (present.metadata or {}).get(MANAGED_BY) == _METADATA[MANAGED_BY]:
        return
    if _purpose(present) != _purpose(wanted):
        raise TopologyError(
            f"stream {wanted.name} of this NATS account is not managed by Pastelka (its metadata has no "
            f"{MANAGED_BY}) and is not changed. {_NAME_CONFLICT_REMEDY}"
        )


def _purpose(config: StreamConfig) -> tuple[object, ...]:
    republish = config.republish
    return (
        config.subjects,
        config.retention or RetentionPolicy.LIMITS,
        config.max_age or 0.0,
        config.description or None,
        (republish.src, republish.dest) if republish else None,
    )


async def _update_stream(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        await js.update_stream(config)
    except APIError as error:
        raise TopologyError(
            f"stream {config.name} exists with settings that cannot be changed in place "
            f"({error.description}); restore its settings, or move the stream's messages to a new one"
        ) from error


async def ensure_consumer(nc: Client, spec: ConsumerSpec, *, paused_until: str | None = None) -> None:
    """Create the consumer, or update it if the server allows.

    A new one is paused until ``paused_until`` (RFC 3339); the server keeps the pause of an existing one. Uses
    the JetStream API directly, because the client lacks newer settings (ADR-42, priority groups).
    """
    names = names_of(nc)
    stream, filter_subject = names.stream(spec.stream), names.subject(spec.filter_subject)
    config = spec.as_config() | {"filter_subject": filter_subject}
    if paused_until is not None:
        config["pause_until"] = paused_until
    request = {"stream_name": stream, "config": config, "action": ""}
    subject = f"$JS.API.CONSUMER.CREATE.{stream}.{spec.name}.{filter_subject}"
    response = await nc.request(subject, json.dumps(request).encode(), timeout=5)
    error = json.loads(response.data).get("error")
    if error is not None:
        raise TopologyError(
            f"consumer {spec.name} on {stream}: {error.get('description')}; "
            "delete the consumer so that it is recreated, or restore its settings"
        )
