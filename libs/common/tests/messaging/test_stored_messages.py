"""What a stream holds, asked in few questions."""

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.messaging.stored_messages import (
    StreamNotFoundError,
    get_last_message_from_leader,
    get_last_messages,
    get_stream_state,
    ids_in_subjects,
    list_stream_names,
    list_subjects,
)


async def test_the_last_message_of_each_subject_is_returned(nc: Client, js: JetStreamContext):
    for number in (1, 2, 2, 3):
        await js.publish(f"jobs.coloring.{number}", f"{number}".encode())
    found = await get_last_messages(nc, "JOBS", ["jobs.coloring.2", "jobs.coloring.3", "jobs.coloring.9"])
    assert sorted(found) == ["jobs.coloring.2", "jobs.coloring.3"]
    assert (found["jobs.coloring.2"].sequence, found["jobs.coloring.2"].data) == (3, b"2")
    leaders = await get_last_message_from_leader(nc, "JOBS", "jobs.coloring.2")
    assert leaders is not None
    assert (leaders.sequence, leaders.data, leaders.time) == (3, b"2", found["jobs.coloring.2"].time)
    assert await get_last_message_from_leader(nc, "JOBS", "jobs.coloring.9") is None
    assert await get_last_messages(nc, "JOBS", []) == {}
    assert await get_last_messages(nc, "JOBS", ["jobs.coloring.9"]) == {}


async def test_requests_for_many_subjects_are_split(nc: Client, js: JetStreamContext):
    for number in range(1300):
        await js.publish_async(f"jobs.coloring.{number}", b"x" * 500)
    await js.publish_async_completed()
    found = await get_last_messages(nc, "JOBS", [f"jobs.coloring.{number}" for number in range(2000)])
    assert ids_in_subjects(found) == set(range(1300))
    assert ids_in_subjects(await list_subjects(nc, "JOBS", "jobs.coloring.*")) == set(range(1300))
    assert await list_subjects(nc, "JOBS", "jobs.svg.*") == set()


async def test_the_state_of_a_stream_is_returned(nc: Client, js: JetStreamContext):
    empty = await get_stream_state(nc, "EVENTS")
    assert (empty.messages, empty.last, empty.deleted) == (0, 0, 0)
    for _ in range(4):
        await js.publish("events.order.1.order_changed", b"{}")
    await js.delete_msg("EVENTS", 2)
    state = await get_stream_state(nc, "EVENTS")
    assert (state.messages, state.first, state.last, state.deleted) == (3, 1, 4, 1)
    assert state.created == empty.created
    assert state.last_time == (await js.get_msg("EVENTS", 4)).time


async def test_a_missing_stream_is_an_error(nc: Client, js: JetStreamContext):
    await js.delete_stream("JOBS")
    assert "JOBS" not in await list_stream_names(nc)
    with pytest.raises(StreamNotFoundError, match="stream JOBS: stream not found"):
        await get_stream_state(nc, "JOBS")
    for question in (get_last_messages(nc, "JOBS", ["jobs.coloring.1"]), list_subjects(nc, "JOBS", "jobs.>")):
        with pytest.raises(BROKER_ERRORS):
            await question
