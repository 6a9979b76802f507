"""Workers say which runs they have in hand."""

import asyncio

from nats.aio.client import Client

from pastelka_common.messaging import hands
from pastelka_common.messaging.keyed_lock import KeyedLock


async def test_every_worker_that_answers_counts(nc: Client):
    mine: set[str] = {"coloring.1.1"}
    async with (
        hands.telling(nc, lambda: mine),
        hands.telling(nc, lambda: {"svg.2.1", "svg.3.4"}),
        hands.telling(nc, set),
    ):
        assert await hands.in_hand(nc, wait=0.5) == {"coloring.1.1", "svg.2.1", "svg.3.4"}
        mine.clear()
        assert await hands.in_hand(nc, wait=0.5) == {"svg.2.1", "svg.3.4"}


async def test_nobody_is_not_waited_for(nc: Client):
    async with asyncio.timeout(5):
        assert await hands.in_hand(nc, wait=60) == set()


async def test_one_at_a_time_for_each_key_and_nothing_is_kept():
    turns, order, first_may_end = KeyedLock(), [], asyncio.Event()

    async def hold(name: str, key: str, until: asyncio.Event | None = None) -> None:
        async with turns.of(key):
            order.append(f"{name} begins")
            if until is not None:
                await until.wait()
            order.append(f"{name} ends")

    first = asyncio.create_task(hold("first", "a", first_may_end))
    second = asyncio.create_task(hold("second", "a"))
    cancelled = asyncio.create_task(hold("cancelled", "a"))
    await asyncio.sleep(0)  # they begin in this order
    await hold("other", "b")
    cancelled.cancel()
    first_may_end.set()
    await asyncio.gather(first, second, cancelled, return_exceptions=True)
    assert order == [
        "first begins",
        "other begins",
        "other ends",
        "first ends",
        "second begins",
        "second ends",
    ]
    assert turns._locks == {}
