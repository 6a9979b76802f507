"""Publishing several messages: whole batches where the stream takes them, nothing twice."""

import json

from nats.aio.client import Client
from nats.js import JetStreamContext

from pastelka_common.messaging.publish import MSG_ID, Outgoing, Publisher


def events(numbers: range) -> list[Outgoing]:
    return [
        Outgoing(f"events.order.M1.e{number}", json.dumps(number).encode(), {MSG_ID: f"e{number}"})
        for number in numbers
    ]


async def stored(js: JetStreamContext, stream: str) -> list[int]:
    count = (await js.stream_info(stream)).state.messages
    messages = [await js.get_msg(stream, seq) for seq in range(1, count + 1)]
    return [json.loads(message.data or b"") for message in messages]


async def test_a_batch_is_stored_completely_and_in_order(nc: Client, js: JetStreamContext):
    await Publisher(nc).send_all(events(range(1200)))
    assert await stored(js, "EVENTS") == list(range(1200))


async def test_a_partly_stored_batch_is_completed_without_duplicates(nc: Client, js: JetStreamContext):
    publisher = Publisher(nc)
    await publisher.send_all(events(range(3, 5)))
    await publisher.send_all(events(range(8)))
    assert sorted(await stored(js, "EVENTS")) == list(range(8))
    await publisher.send_all(events(range(8)))
    assert len(await stored(js, "EVENTS")) == 8


async def test_a_batch_may_span_several_streams_and_buckets(nc: Client, js: JetStreamContext):
    jobs = [Outgoing(f"jobs.coloring.{n}", b"1", {MSG_ID: f"j{n}"}) for n in range(3)]
    cancels = [Outgoing(f"$KV.CANCELS.coloring.{n}.1", b"cancelled") for n in range(3)]
    await Publisher(nc).send_all([*jobs, *cancels, *events(range(3))])
    assert (await js.stream_info("JOBS")).state.messages == 3
    assert (await js.stream_info("KV_CANCELS")).state.messages == 3
    assert await stored(js, "EVENTS") == [0, 1, 2]
