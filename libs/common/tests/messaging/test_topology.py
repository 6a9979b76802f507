"""Streams, buckets and consumers are made as designed, and what drifted is corrected or refused."""

import asyncio
import json
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RetentionPolicy, StreamConfig

from pastelka_common.jobs.active_runs import ActiveRunRegistry, RunCancelled, cancel_subject
from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.publish import Outgoing, Publisher
from pastelka_common.messaging.pull import PullSubscription
from pastelka_common.messaging.stored_messages import get_last_messages, list_subjects, purge_subject
from pastelka_common.messaging.topology import (
    CANCELS,
    COLORING_CONSUMER,
    DAY,
    DEAD,
    EVENTS,
    EVENTS_CONSUMER,
    JOBS,
    MANAGED_BY,
    RUNS,
    STATUS,
    ConsumerSpec,
    TopologyError,
    delete_streams,
    ensure_consumer,
    ensure_streams,
)
from pastelka_common.servers import ServerProcess
from pastelka_common.testing.waiting import soon


async def _config(nc: Client, spec: ConsumerSpec) -> dict[str, Any]:
    """As the server has it: the client leaves out what it does not know."""
    answer = await nc.request(f"$JS.API.CONSUMER.INFO.{spec.stream}.{spec.name}", timeout=5)
    return dict(json.loads(answer.data)["config"])


async def _change(nc: Client, spec: ConsumerSpec, **changes: Any) -> None:
    config = {**spec.as_config(), **changes}
    answer = await nc.request(
        f"$JS.API.CONSUMER.CREATE.{spec.stream}.{spec.name}.{spec.filter_subject}",
        json.dumps({"stream_name": spec.stream, "config": config}).encode(),
        timeout=5,
    )
    assert "error" not in json.loads(answer.data)


@pytest.mark.parametrize(
    ("name", "subjects", "retention", "days"),
    [
        (JOBS, ["jobs.>"], RetentionPolicy.WORK_QUEUE, 0),
        (STATUS, ["status.>"], RetentionPolicy.LIMITS, 7),
        (EVENTS, ["events.>"], RetentionPolicy.LIMITS, 1),
        (DEAD, ["dead.>"], RetentionPolicy.LIMITS, 30),
    ],
)
async def test_streams_are_as_designed(
    js: JetStreamContext, name: str, subjects: list[str], retention: RetentionPolicy, days: int
):
    config = (await js.stream_info(name)).config
    assert config.subjects == subjects
    assert config.retention == retention
    assert config.max_age == days * DAY
    assert config.duplicate_window == 120


async def test_a_subject_has_one_dead_letter(js: JetStreamContext):
    for failure in (b"first", b"second"):
        await js.publish("dead.jobs.coloring.1", failure)
    await js.publish("dead.jobs.coloring.2", b"other")
    assert (await js.stream_info(DEAD)).state.messages == 2
    assert (await js.get_last_msg(DEAD, "dead.jobs.coloring.1")).data == b"second"


async def test_buckets_are_as_designed(js: JetStreamContext):
    for bucket in (RUNS, CANCELS):
        config = (await js.stream_info(f"KV_{bucket}")).config
        assert config.max_age == 7 * DAY
        assert config.max_msgs_per_subject == 1
        assert config.allow_direct
    republish = (await js.stream_info(f"KV_{CANCELS}")).config.republish
    assert republish is not None
    assert republish.dest == "cancels.>"


async def test_declaring_the_topology_again_changes_nothing(nc: Client, js: JetStreamContext):
    await js.publish("jobs.coloring.1", b"kept")
    await (await js.key_value(CANCELS)).put("coloring.1.1", b"kept")
    await ensure_consumer(nc, COLORING_CONSUMER)
    before = [info.config for info in await js.streams_info()]
    consumer = await _config(nc, COLORING_CONSUMER)
    await ensure_streams(nc)
    await ensure_consumer(nc, COLORING_CONSUMER)
    assert [info.config for info in await js.streams_info()] == before
    assert await _config(nc, COLORING_CONSUMER) == consumer
    assert (await js.stream_info(JOBS)).state.messages == 1
    assert (await (await js.key_value(CANCELS)).get("coloring.1.1")).value == b"kept"


@pytest.mark.parametrize(
    ("name", "drift"),
    [
        (EVENTS, {"max_age": 600.0}),
        (STATUS, {"subjects": ["status.coloring.>"]}),
        (DEAD, {"max_msgs": 10}),
        (JOBS, {"duplicate_window": 1.0, "description": "by hand"}),
    ],
)
async def test_a_stream_that_drifted_is_corrected(
    nc: Client, js: JetStreamContext, name: str, drift: dict[str, Any]
):
    before = (await js.stream_info(name)).config
    await js.update_stream(before.evolve(**drift))
    assert (await js.stream_info(name)).config != before
    await ensure_streams(nc)
    assert (await js.stream_info(name)).config == before


async def test_an_unchangeable_stream_is_rejected_with_a_remedy(nc: Client, js: JetStreamContext):
    ours = (await js.stream_info(JOBS)).config
    await js.delete_stream(JOBS)
    await js.add_stream(ours.evolve(retention=RetentionPolicy.LIMITS))
    await js.publish("jobs.coloring.1", b"kept")
    with pytest.raises(TopologyError, match=r"stream JOBS .* cannot be changed in place .*restore its"):
        await ensure_streams(nc)
    assert (await js.stream_info(JOBS)).state.messages == 1


@pytest.mark.parametrize("name", [JOBS, STATUS, EVENTS, DEAD, f"KV_{RUNS}", f"KV_{CANCELS}"])
async def test_own_streams_without_metadata_are_adopted(nc: Client, js: JetStreamContext, name: str):
    ours = (await js.stream_info(name)).config
    assert (ours.metadata or {})[MANAGED_BY] == "pastelka"
    await js.update_stream(ours.evolve(metadata={}))
    assert MANAGED_BY not in ((await js.stream_info(name)).config.metadata or {})
    await ensure_streams(nc)
    assert (await js.stream_info(name)).config == ours


@pytest.mark.parametrize(
    "foreign",
    [
        StreamConfig(name=EVENTS, subjects=["events.>"]),
        StreamConfig(name=EVENTS, subjects=["orders.>"], description="What is committed"),
        StreamConfig(name=JOBS, subjects=["jobs.>"], retention=RetentionPolicy.WORK_QUEUE),
        StreamConfig(name=f"KV_{CANCELS}", subjects=[f"$KV.{CANCELS}.>"], max_msgs_per_subject=1),
        StreamConfig(name="theirs", subjects=["events.>"]),
    ],
)
async def test_a_foreign_stream_is_rejected_and_not_changed(
    nc: Client, js: JetStreamContext, foreign: StreamConfig
):
    for stream in await js.streams_info():
        await js.delete_stream(stream.config.name or "")
    before = (await js.add_stream(foreign)).config
    with pytest.raises(TopologyError, match=r"set NATS_PREFIX|Set NATS_PREFIX") as refused:
        await ensure_streams(nc)
    assert str(foreign.name if foreign.name != "theirs" else EVENTS) in str(refused.value)
    assert "delete" not in str(refused.value)
    assert (await js.stream_info(foreign.name or "")).config == before
    if foreign.name != "theirs":
        with pytest.raises(TopologyError):
            await delete_streams(nc)
        assert (await js.stream_info(foreign.name or "")).config == before


async def test_two_systems_share_an_account_with_a_foreign_stream(nc: Client, broker: ServerProcess):
    js = nc.jetstream()
    for stream in await js.streams_info():
        await js.delete_stream(stream.config.name or "")
    theirs = (await js.add_stream(StreamConfig(name=JOBS, subjects=["jobs.>"]))).config
    async with (
        connected(broker.url, name="a", prefix="one") as one,
        connected(broker.url, name="b", prefix="two") as two,
    ):
        for system in (one, two):
            await ensure_streams(system)
            await ensure_consumer(system, COLORING_CONSUMER)
        names = {str(info.config.name) for info in await js.streams_info()}
        plain = {JOBS, STATUS, EVENTS, DEAD}
        assert names == {
            JOBS,
            *(f"{prefix}_{name}" for prefix in ("one", "two") for name in plain),
            *(f"KV_{prefix}_{b}" for prefix in ("one", "two") for b in (CANCELS, RUNS)),
        }
        job = Outgoing("jobs.coloring.1", b"1")
        await Publisher(one).send_all([job, Outgoing("jobs.coloring.2", b"2"), Outgoing("events.a", b"3")])
        assert set(await get_last_messages(one, JOBS, ["jobs.coloring.1", "jobs.coloring.2"])) == {
            "jobs.coloring.1",
            "jobs.coloring.2",
        }
        assert await list_subjects(two, JOBS, "jobs.>") == set()
        assert await list_subjects(one, JOBS, "jobs.>") == {"jobs.coloring.1", "jobs.coloring.2"}
        pulling = PullSubscription(one, COLORING_CONSUMER)
        await pulling.start()
        await pulling.request(1)
        (msg,) = await soon(pulling.receive(1))
        await pulling.stop()
        assert COLORING_CONSUMER.accepts(msg.subject)
        cancelled = asyncio.Event()
        active_runs = await ActiveRunRegistry.open(one, "coloring")

        async def forever() -> None:
            cancelled.set()
            await asyncio.Event().wait()

        running = asyncio.create_task(active_runs.execute("coloring.1.1", forever))
        await soon(cancelled.wait())
        await Publisher(two).send(Outgoing(cancel_subject("coloring.1.1"), b"x"))
        await Publisher(one).send(Outgoing(cancel_subject("coloring.1.1"), b"x"))
        with pytest.raises(RunCancelled):
            await soon(running)
        await purge_subject(one, JOBS, "jobs.coloring.2")
        assert await list_subjects(one, JOBS, "jobs.>") == {"jobs.coloring.1"}
        await delete_streams(two)
    names = {str(info.config.name) for info in await js.streams_info()}
    assert not any("two_" in name for name in names)
    kept = await js.stream_info(JOBS)
    assert (kept.config, kept.state.messages) == (theirs, 0)


async def test_a_bucket_that_drifted_is_corrected_and_keeps_its_keys(nc: Client, js: JetStreamContext):
    await (await js.key_value(CANCELS)).put("coloring.1.1", b"kept")
    before = (await js.stream_info(f"KV_{CANCELS}")).config
    await js.update_stream(before.evolve(max_age=3600.0, max_msgs_per_subject=5))
    await ensure_streams(nc)
    assert (await js.stream_info(f"KV_{CANCELS}")).config == before
    assert (await (await js.key_value(CANCELS)).get("coloring.1.1")).value == b"kept"


async def test_a_consumer_that_drifted_is_corrected(nc: Client, js: JetStreamContext):
    await ensure_consumer(nc, COLORING_CONSUMER)
    before = await _config(nc, COLORING_CONSUMER)
    await _change(nc, COLORING_CONSUMER, max_ack_pending=3, ack_wait=int(5e9), max_deliver=2)
    assert (await _config(nc, COLORING_CONSUMER))["max_ack_pending"] == 3
    await ensure_consumer(nc, COLORING_CONSUMER)
    after = await _config(nc, COLORING_CONSUMER)
    assert after == before
    assert after["max_ack_pending"] == 1000
    assert after["ack_wait"] == COLORING_CONSUMER.ack_wait * 1e9
    assert after["max_deliver"] == -1


async def test_a_changed_limit_is_applied_to_the_consumer(nc: Client):
    await ensure_consumer(nc, COLORING_CONSUMER)
    await ensure_consumer(nc, COLORING_CONSUMER.with_limit(5))
    assert (await _config(nc, COLORING_CONSUMER))["max_ack_pending"] == 5


async def test_an_unchangeable_consumer_is_rejected_with_a_remedy(nc: Client):
    spec = EVENTS_CONSUMER
    await _change(nc, spec, deliver_policy="new")
    with pytest.raises(TopologyError, match=r"consumer notifier on EVENTS: .*delete the consumer"):
        await ensure_consumer(nc, spec)


async def test_a_pinned_consumer_has_its_group(nc: Client):
    await ensure_consumer(nc, EVENTS_CONSUMER)
    config = await _config(nc, EVENTS_CONSUMER)
    assert config["priority_policy"] == "pinned_client"
    assert config["priority_groups"] == ["notifier"]
    assert config["priority_timeout"] == 2 * EVENTS_CONSUMER.ack_wait * 1e9


@pytest.mark.parametrize(
    ("filter_subject", "subject", "takes"),
    [
        ("jobs.svg.*", "jobs.svg.7", True),
        ("jobs.svg.*", "jobs.coloring.7", False),
        ("jobs.svg.*", "jobs.svg.7.8", False),
        ("dead.jobs.>", "dead.jobs.svg.7", True),
        ("dead.jobs.>", "dead.events.7", False),
    ],
)
def test_a_consumer_accepts_subjects_that_match_its_filter(
    filter_subject: str, subject: str, *, takes: bool
) -> None:
    spec = ConsumerSpec(JOBS, "any", filter_subject, ack_wait=1, max_ack_pending=1)
    assert spec.accepts(subject) is takes
