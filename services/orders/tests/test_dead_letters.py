"""Dead letters are found however many others were taken away since."""

import asyncio
import random

import nats

from pastelka_common.contracts.messages import DeadLetter, Failure, now
from pastelka_common.messaging.topology import DEAD, ensure_streams
from pastelka_common.servers import ServerProcess
from pastelka_orders import dead_letters

GAP = 3000


def _letter(number: int) -> bytes:
    letter = DeadLetter(
        original_subject=f"sync.{number}",
        original_payload="{}",
        failure=Failure(code="given_up", message="Given up."),
        attempt=12,
        at=now(),
    )
    return letter.model_dump_json().encode()


async def test_the_newest_dead_letters_are_found_beyond_a_gap(broker: ServerProcess) -> None:
    nc = await nats.connect(broker.url)
    try:
        js = nc.jetstream()
        await ensure_streams(nc)
        for number in range(1, 31):
            await js.publish(f"dead.sync.{number}", _letter(number))
        await asyncio.gather(*(js.publish(f"dead.fetch.{n}", b"{}") for n in range(GAP)))
        await js.publish("dead.sync.31", _letter(31))
        await js.purge_stream(DEAD, subject="dead.fetch.*")
        found = await dead_letters.newest(nc, 20)
        assert found.count == 31
        assert [letter.subject for letter in found.newest] == [f"sync.{n}" for n in range(31, 11, -1)]
        assert len((await dead_letters.newest(nc, 100)).newest) == 31
    finally:
        await nc.close()


async def test_dead_letters_with_sequence_gaps_are_listed_newest_first(broker: ServerProcess) -> None:
    nc = await nats.connect(broker.url)
    try:
        js = nc.jetstream()
        await ensure_streams(nc)
        for number in range(1, 201):
            await js.publish(f"dead.sync.{number}", _letter(number))
        rng = random.Random(5)  # noqa: S311 - the same gaps each time
        kept = [*sorted(rng.sample(range(1, 200), 40)), 200]
        for number in set(range(1, 201)) - set(kept):
            await js.delete_msg(DEAD, number)
        for limit in (1, 3, 20, 60):
            found = await dead_letters.newest(nc, limit)
            assert [letter.sequence for letter in found.newest] == kept[::-1][:limit]
    finally:
        await nc.close()
