"""Order within a key, concurrency across keys, and shutdown."""

import asyncio

import pytest

from pastelka_notifier.keyed_queue import KeyedQueue

Item = tuple[str, int]


class ControlledWork:
    """Work that waits until it is released, and records when each item began and ended."""

    def __init__(self) -> None:
        self.begun: list[Item] = []
        self.ended: list[Item] = []
        self.cancelled: list[Item] = []
        self.gate = asyncio.Semaphore(0)
        self.changed = asyncio.Condition()

    async def work(self, item: Item) -> None:
        await self._note(self.begun, item)
        try:
            await self.gate.acquire()
        except asyncio.CancelledError:
            self.cancelled.append(item)
            raise
        await self._note(self.ended, item)

    async def _note(self, where: list[Item], item: Item) -> None:
        async with self.changed:
            where.append(item)
            self.changed.notify_all()

    async def until(self, condition) -> None:
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(condition)

    def allow(self, count: int) -> None:
        for _ in range(count):
            self.gate.release()


@pytest.fixture
async def bench() -> ControlledWork:
    return ControlledWork()


async def test_items_of_one_key_run_in_order_one_at_a_time(bench: ControlledWork):
    queue = KeyedQueue(bench.work, width=8)
    items = [("a", number) for number in range(20)]
    for item in items:
        queue.put("a", item)
    await bench.until(lambda: bench.begun)
    assert bench.begun == items[:1]
    bench.allow(20)
    await queue.finish(5)
    assert bench.begun == bench.ended == items


async def test_different_keys_run_concurrently(bench: ControlledWork):
    queue = KeyedQueue(bench.work, width=8)
    for key in "abc":
        queue.put(key, (key, 0))
        queue.put(key, (key, 1))
    await bench.until(lambda: len(bench.begun) == 3)
    assert bench.begun == [("a", 0), ("b", 0), ("c", 0)]
    bench.allow(6)
    await queue.finish(5)
    assert len(bench.ended) == 6


async def test_width_limits_concurrency(bench: ControlledWork):
    queue = KeyedQueue(bench.work, width=3)
    for key in range(10):
        queue.put(key, (str(key), 0))
    await bench.until(lambda: len(bench.begun) == 3)
    for done in range(1, 8):
        bench.allow(1)
        await bench.until(lambda done=done: len(bench.begun) == 3 + done)
        assert len(bench.begun) - len(bench.ended) == 3
    bench.allow(3)
    await queue.finish(5)
    assert len(bench.ended) == 10


async def test_a_key_can_be_reused_after_its_queue_was_empty(bench: ControlledWork):
    queue = KeyedQueue(bench.work, width=2)
    bench.allow(2)
    queue.put("a", ("a", 0))
    await bench.until(lambda: len(bench.ended) == 1)
    queue.put("a", ("a", 1))
    await queue.finish(5)
    assert bench.ended == [("a", 0), ("a", 1)]


async def test_finish_cancels_work_after_the_grace_period(bench: ControlledWork):
    queue = KeyedQueue(bench.work, width=2)
    for key in "abc":
        queue.put(key, (key, 0))
        queue.put(key, (key, 1))
    await bench.until(lambda: len(bench.begun) == 2)
    await queue.finish(0.01)
    assert sorted(bench.cancelled) == [("a", 0), ("b", 0)]
    assert sorted(bench.begun) == sorted(bench.cancelled)
    assert bench.ended == []


async def test_finish_of_an_empty_queue_returns_at_once(bench: ControlledWork):
    async with asyncio.timeout(1):
        await KeyedQueue(bench.work, width=1).finish(60)


async def test_a_failure_affects_only_its_item(bench: ControlledWork):
    async def work(item: Item) -> None:
        if item == ("a", 0):
            raise RuntimeError("unforeseen")
        await bench.work(item)

    queue = KeyedQueue(work, width=1)
    for item in [("a", 0), ("a", 1), ("b", 0)]:
        queue.put(item[0], item)
    bench.allow(2)
    await queue.finish(5)
    assert sorted(bench.ended) == [("a", 1), ("b", 0)]
