"""Jobs that came back behind their consumer, which will never be given them."""

import asyncio
import shutil
from typing import Any

import pytest
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from pastelka_common.messaging.topology import (
    COLORING_CONSUMER,
    ConsumerSpec,
    ensure_consumer,
)
from pastelka_common.servers import ServerProcess
from pastelka_common.testing.waiting import until
from pastelka_orders.reconciler import undeliverable_jobs


async def come_back_behind(broken: Any, broker: ServerProcess, spec: ConsumerSpec, *, more: int = 0) -> None:
    """The consumer acknowledges the one job there is, and then the store has it again."""
    messages = next((broker.server.folder / "data").glob("jetstream/*/streams/JOBS/msgs"))
    copy = broker.server.folder / "copy"
    await ensure_consumer(broken.nc, spec)
    await broker.kill()
    await asyncio.to_thread(shutil.copytree, messages, copy)
    await broker.start()
    await until(lambda: answers(broken), 30)
    subscription = await broken.js.pull_subscribe_bind(spec.name, spec.stream)
    (msg,) = await subscription.fetch(1, timeout=10)
    await msg.ack_sync(timeout=10)
    await subscription.unsubscribe()
    assert await broken.jobs() == 0
    await broker.stop()
    await asyncio.to_thread(shutil.rmtree, messages)
    await asyncio.to_thread(shutil.move, copy, messages)
    await broker.start()
    await until(lambda: answers(broken), 30)
    assert await broken.jobs() == 1
    info = await broken.js.consumer_info(spec.stream, spec.name)
    assert (info.num_pending, info.num_ack_pending) == (0, 0), (
        "the server would deliver it: then there is nothing to repair"
    )


async def answers(broken: Any) -> bool:
    """Whether the client has found the server again."""
    try:
        await broken.js.account_info()
    except NatsError:
        return False
    return True


async def test_a_job_its_consumer_has_already_passed_is_published_again(
    broken: Any, broker: ServerProcess, coloring: Any
) -> None:
    await coloring()
    await come_back_behind(broken, broker, COLORING_CONSUMER)
    assert await broken.run_once(grace=60) == []  # it may have been acknowledged this very moment
    assert await broken.run_once() == [("coloring", "job_never_delivered"), ("coloring", "job_missing")]
    assert await broken.jobs() == 1
    info = await broken.js.consumer_info("JOBS", COLORING_CONSUMER.name)
    assert info.num_pending == 1
    assert await broken.run_once() == []


async def test_a_consumer_ahead_of_its_stream_is_recreated(
    broken: Any, coloring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that lost the end of a stream gives its numbers out again; the consumer has them behind it.

    Mostly it notices at its start and puts the consumer back, so the answer is played here.
    """
    await coloring()
    await ensure_consumer(broken.nc, COLORING_CONSUMER)

    async def ahead(*_: Any) -> tuple[int, int]:
        return 282, 282

    with monkeypatch.context() as patched:
        patched.setattr(undeliverable_jobs, "_sequences", ahead)
        assert await broken.run_once() == [("coloring", "consumer_ahead")]
    with pytest.raises(NotFoundError):
        await broken.js.consumer_info("JOBS", COLORING_CONSUMER.name)
    await ensure_consumer(broken.nc, COLORING_CONSUMER)  # as its workers do
    assert (await broken.js.consumer_info("JOBS", COLORING_CONSUMER.name)).num_pending == 1
    assert await broken.run_once() == []
