"""Events that were lost after their acknowledgement: connected clients are told to reload."""

import shutil
from typing import Any

import asyncpg

from pastelka_common.messaging.pull import PullSubscription
from pastelka_common.messaging.topology import EVENTS_CONSUMER, ensure_consumer, ensure_streams
from pastelka_common.testing.waiting import soon

LOST = [("events", "events_lost")]


async def push_all(broken: Any) -> None:
    """Acknowledge all events, as the notifier does once they are pushed."""
    info = await broken.js.consumer_info("EVENTS", EVENTS_CONSUMER.name)
    subscription = PullSubscription(broken.nc, EVENTS_CONSUMER)
    await subscription.start()
    left = info.num_pending or 0
    await subscription.request(left)
    while left:
        taken = await soon(subscription.receive(left))
        for msg in taken:
            await msg.ack_sync(timeout=10)
        left -= len(taken)
    await subscription.stop()
    await subscription.unpin()


async def recreate_events(broken: Any) -> None:
    """Lose the stream with all its events, as a lost broker store does, and create it again."""
    await broken.js.delete_stream("EVENTS")
    await ensure_streams(broken.nc)
    await ensure_consumer(broken.nc, EVENTS_CONSUMER)


async def told(broken: Any, after: int) -> list[str]:
    """Subjects of the events beyond a number, in order."""
    last = (await broken.js.stream_info("EVENTS")).state.last_seq
    return [(await broken.js.get_msg("EVENTS", number)).subject for number in range(after + 1, last + 1)]


async def old_orders(api: Any, sql: asyncpg.Connection, count: int) -> None:
    """Orders made by hand, all but the last of which changed an hour ago for the last time."""
    for _ in range(count):
        await api.order()
    await sql.execute(
        "UPDATE orders SET created_at = now() - interval '1 hour', updated_at = now() - interval '1 hour'"
        " WHERE id < $1",
        count,
    )


async def test_no_loss_is_reported_while_no_event_is_lost(api: Any, broken: Any) -> None:
    await api.order()
    await broken.published()
    assert await broken.run_once() == []
    await api.order()
    await broken.published()
    assert await broken.run_once() == []
    assert await broken.run_once() == []


async def test_a_recreated_stream_is_detected_as_lost_events(
    api: Any, broken: Any, sql: asyncpg.Connection
) -> None:
    await old_orders(api, sql, 3)
    await broken.published()
    await push_all(broken)
    assert await broken.run_once() == []
    await recreate_events(broken)
    assert await broken.run_once() == LOST
    # The first two have not changed since it was known that all is pushed.
    assert await told(broken, 0) == ["events.order.M1002.order_created", "events.order.M1002.order_changed"]
    assert await broken.run_once() == []


async def test_an_order_whose_book_changed_during_the_loss_is_announced(
    api: Any, broken: Any, sql: asyncpg.Connection
) -> None:
    await old_orders(api, sql, 2)
    await broken.published()
    await push_all(broken)
    assert await broken.run_once() == []
    await sql.execute(
        "INSERT INTO book_versions (order_id, version, options, content, fingerprint, is_forced)"
        " VALUES (1, 1, '{}', '{}', '', false)"
    )
    await recreate_events(broken)
    assert await broken.run_once() == LOST
    assert "events.order.M1000.order_changed" in await told(broken, 0)


async def test_losing_unpushed_events_announces_every_order(
    api: Any, broken: Any, sql: asyncpg.Connection
) -> None:
    await old_orders(api, sql, 2)
    await broken.published()
    assert await broken.run_once() == []  # no event was pushed yet, so there is no known good moment
    assert await sql.fetchval("SELECT events_good_at FROM reconciler") is None
    await broken.js.purge_stream("EVENTS")
    last = (await broken.js.stream_info("EVENTS")).state.last_seq
    assert await broken.run_once() == LOST
    assert {subject.split(".")[2] for subject in await told(broken, last)} == {"M1000", "M1001"}


async def test_an_order_deleted_before_the_loss_is_announced_as_deleted(
    api: Any, broken: Any, sql: asyncpg.Connection
) -> None:
    await api.order()
    await broken.published()
    await push_all(broken)
    await broken.run_once()
    await api.http.delete("/orders/M1000")
    await broken.published()
    await broken.js.delete_stream("EVENTS")
    await ensure_streams(broken.nc)
    assert await broken.run_once() == LOST
    assert await told(broken, 0) == ["events.order.M1000.order_deleted"]


async def test_a_single_missing_event_is_detected(api: Any, broken: Any) -> None:
    for _ in range(3):
        await api.order()
    await broken.published()
    await broken.run_once()
    await broken.js.delete_msg("EVENTS", 2)
    assert await broken.run_once() == LOST
    assert await broken.run_once() == []


async def test_a_restored_older_stream_is_detected_even_past_the_last_sequence(
    api: Any, broken: Any, broker: Any, sql: asyncpg.Connection
) -> None:
    """Orders that changed after the copy was made are told of, also those that had been pushed."""
    data = broker.server.folder / "data"
    await old_orders(api, sql, 2)
    await broken.published()
    await push_all(broken)
    await broken.run_once()
    await broker.stop()
    shutil.copytree(data, data.with_name("older"))
    await broker.start()
    await sql.execute("UPDATE images SET svg_chosen_at = now() WHERE id = 2")
    await api.order()
    await broken.published()
    await push_all(broken)
    await broken.run_once()
    await broker.kill()
    shutil.rmtree(data)
    shutil.move(data.with_name("older"), data)
    await broker.start()
    for _ in range(3):
        await broken.js.publish("events.order.X.order_changed", b"{}")
    last = (await broken.js.stream_info("EVENTS")).state.last_seq
    assert last > 3
    assert await broken.run_once() == LOST
    assert {subject.split(".")[2] for subject in await told(broken, last)} == {"M1001", "M1002"}
    assert await broken.run_once() == []
