"""The streams, consumers and buckets of Pastelka, declared once.

Whoever starts first creates them; everyone compares them at start. What differs is corrected
where the server allows it, and raises :class:`TopologyError` where it does not.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import KeyValueConfig, RePublish, RetentionPolicy, StreamConfig
from nats.js.errors import APIError, BadRequestError

DAY = 24 * 3600.0

JOBS = "JOBS"
STATUS = "STATUS"
EVENTS = "EVENTS"
DEAD = "DEAD"

PROVIDER_JOBS = "PROVIDER_JOBS"
"""Bucket: what a provider calls the job of one run (key: ``<kind>.<version>.<run>``)."""
CANCELS = "CANCELS"
"""Bucket: runs a person cancelled (same keys). Republished on ``cancels.<key>``."""

_STREAM_EXISTS = 10058
_MAX_WAITING = 512


class TopologyError(RuntimeError):
    """A stream or consumer exists with settings that cannot be changed in place."""


def streams(replicas: int = 1) -> list[StreamConfig]:
    """Every stream, with ``replicas`` copies of each.

    All are written through: with ``persist_mode: async`` a killed server lost events that it had
    acknowledged, and gave their numbers to others. What the outbox fills takes atomic batches
    (NATS ADR-50), of which a server that syncs every write syncs one and not each message.
    """
    plain = [
        StreamConfig(
            name=JOBS,
            subjects=["jobs.>"],
            retention=RetentionPolicy.WORK_QUEUE,
            allow_atomic=True,
            allow_direct=True,
            duplicate_window=120,
            description="What is to be done",
        ),
        StreamConfig(
            name=STATUS,
            subjects=["status.>"],
            max_age=7 * DAY,
            duplicate_window=120,
            description="What workers saw happen",
        ),
        StreamConfig(
            name=EVENTS,
            subjects=["events.>"],
            max_age=DAY,
            duplicate_window=120,
            allow_atomic=True,
            description="What is committed",
        ),
        StreamConfig(name=DEAD, subjects=["dead.>"], max_age=30 * DAY, description="What was given up on"),
    ]
    for stream in plain:
        stream.num_replicas = replicas
    return plain


def buckets(replicas: int = 1) -> list[KeyValueConfig]:
    """Every key-value bucket."""
    return [
        KeyValueConfig(bucket=PROVIDER_JOBS, ttl=7 * DAY, replicas=replicas, direct=True),
        KeyValueConfig(
            bucket=CANCELS,
            ttl=7 * DAY,
            replicas=replicas,
            direct=True,
            republish=RePublish(src=f"$KV.{CANCELS}.>", dest="cancels.>"),
        ),
    ]


def is_stored(subject: str) -> bool:
    """Whether a stream or bucket that is declared here stores messages on ``subject``."""
    prefixes = [pattern.removesuffix(">") for stream in streams() for pattern in stream.subjects or []]
    prefixes += [f"$KV.{bucket.bucket}." for bucket in buckets()]
    return subject.startswith(tuple(prefixes))


@dataclass(frozen=True)
class ConsumerSpec:
    """One durable pull consumer, with nothing left to the server's defaults.

    ``ack_wait`` in seconds: how long a delivery may stay silent before it is given to someone
    else. ``max_ack_pending`` bounds the deliveries in hand over all replicas, ``max_waiting`` their
    requests for more. Deliveries are not
    limited by the server (``max_deliver`` -1), which would drop the message without a word: the
    job consumer counts them and writes a dead letter. With ``pinned`` only one replica is served
    at a time, and another takes over when it has been silent for twice ``ack_wait``: that keeps order.
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

    def takes(self, subject: str) -> bool:
        """Whether a message on ``subject`` is one of this consumer's."""
        wanted, tokens = self.filter_subject.split("."), subject.split(".")
        if wanted[-1] == ">":
            wanted, tokens = wanted[:-1], tokens[: len(wanted) - 1]
        return len(wanted) == len(tokens) and all(
            pattern in {"*", token} for pattern, token in zip(wanted, tokens, strict=True)
        )

    def with_limit(self, max_ack_pending: int) -> "ConsumerSpec":
        """The same with another bound on deliveries in hand."""
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
            "metadata": self.metadata,
        }
        if self.pinned:
            config |= {
                "priority_groups": [self.name],
                "priority_policy": "pinned_client",
                # Longer than ``ack_wait``: what a dead replica held comes again before anything newer.
                "priority_timeout": int(2 * self.ack_wait * 1e9),
            }
        return config


COLORING_CONSUMER = ConsumerSpec(JOBS, "coloring", "jobs.coloring.*", ack_wait=10, max_ack_pending=1000)
VECTORIZE_CONSUMER = ConsumerSpec(JOBS, "vectorize", "jobs.svg.*", ack_wait=10, max_ack_pending=1000)
# Those that wait for a turn at their host count as pending, too: they must not keep out all others.
DOWNLOAD_CONSUMER = ConsumerSpec(JOBS, "download", "jobs.download.*", ack_wait=30, max_ack_pending=1000)
FETCH_CONSUMER = ConsumerSpec(JOBS, "fetch", "jobs.fetch.*", ack_wait=30, max_ack_pending=1)
SYNC_CONSUMER = ConsumerSpec(JOBS, "sync", "jobs.sync.*", ack_wait=30, max_ack_pending=256)
ERASE_CONSUMER = ConsumerSpec(JOBS, "erase", "jobs.erase.*", ack_wait=30, max_ack_pending=16)
FACTS_CONSUMER = ConsumerSpec(STATUS, "orders-facts", "status.>", ack_wait=5, max_ack_pending=4096)
DEAD_CONSUMER = ConsumerSpec(DEAD, "orders-dead", "dead.jobs.>", ack_wait=30, max_ack_pending=256)
EVENTS_CONSUMER = ConsumerSpec(
    EVENTS, "notifier", "events.order.>", ack_wait=3, max_ack_pending=4096, pinned=True
)


async def ensure_streams(js: JetStreamContext, replicas: int = 1) -> None:
    """Create or correct every stream and bucket."""
    for stream in streams(replicas):
        await _ensure_stream(js, stream)
    for bucket in buckets(replicas):
        await _ensure_bucket(js, bucket)


async def _ensure_stream(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        await js.add_stream(config)
    except BadRequestError as error:
        if error.err_code != _STREAM_EXISTS:
            raise
        await _update_stream(js, config)


async def _update_stream(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        await js.update_stream(config)
    except APIError as error:
        raise TopologyError(
            f"stream {config.name} exists with settings that cannot be changed in place "
            f"({error.description}); delete it (the orders database rebuilds it) or restore its settings"
        ) from error


async def _ensure_bucket(js: JetStreamContext, config: KeyValueConfig) -> None:
    try:
        await js.create_key_value(config)
    except BadRequestError as error:
        if error.err_code != _STREAM_EXISTS:
            raise
        await _correct_bucket(js, config)


async def _correct_bucket(js: JetStreamContext, config: KeyValueConfig) -> None:
    """Give the bucket back the settings we care about; the client can only create buckets."""
    present = (await js.stream_info(f"KV_{config.bucket}")).config
    await _update_stream(
        js,
        present.evolve(
            max_age=config.ttl,
            max_msgs_per_subject=config.history,
            num_replicas=config.replicas,
            allow_direct=config.direct,
            republish=config.republish,
        ),
    )


async def ensure_consumer(nc: Client, spec: ConsumerSpec) -> None:
    """Create the consumer, or correct it where the server allows.

    Speaks the JetStream API directly (ADR-42 for priority groups), whose newer settings the client
    does not know.
    """
    request = {"stream_name": spec.stream, "config": spec.as_config(), "action": ""}
    subject = f"$JS.API.CONSUMER.CREATE.{spec.stream}.{spec.name}.{spec.filter_subject}"
    answer = await nc.request(subject, json.dumps(request).encode(), timeout=5)
    error = json.loads(answer.data).get("error")
    if error is not None:
        raise TopologyError(
            f"consumer {spec.name} on {spec.stream}: {error.get('description')}; "
            "delete the consumer so that it is created anew, or restore its settings"
        )
