"""Orders that are too old are erased, all of them and no other; nothing of them is left."""

import asyncio
import json
from datetime import timedelta, timezone
from typing import Any

import pytest
from nats.js.errors import KeyNotFoundError

from pastelka_common.contracts.messages import DeadLetter, now
from pastelka_common.messaging.consumer import Delivery
from pastelka_common.messaging.topology import CANCELS, DEAD
from pastelka_common.testing.waiting import until
from pastelka_orders.consumers import DeadLetters
from pastelka_orders.database import Database
from pastelka_orders.handlers.erasures import ask
from pastelka_orders.leases import DatabaseLease
from pastelka_orders.outbox import RELAY_LEASE
from pastelka_orders.repository import erasures

OLD = timedelta(days=31)
YOUNG = timedelta(days=29)
ADD = """INSERT INTO orders (order_number, source, created_at, updated_at) VALUES ($1, 'manual', $2, $2)"""


async def events(house: Any) -> list[str]:
    js = house.nc.jetstream()
    last = (await js.stream_info("EVENTS")).state.last_seq
    return [(await js.get_msg("EVENTS", number)).subject or "" for number in range(1, last + 1)]


async def test_nothing_of_the_person_is_left_and_a_record_that_names_nobody(house: Any) -> None:
    order_id = await house.order(age=OLD)
    await house.order(number="4712", shopify_id=99, email="somebody@example.com", age=YOUNG)
    held = await house.traces()
    # What the scan must be able to find, or its silence would mean nothing.
    assert {"table orders", "table line_items", "table images", "stream DEAD", "stream JOBS"} <= set(held)
    await house.sql.execute("DELETE FROM orders WHERE order_number = '4712'")
    await house.nc.jetstream().purge_stream("DEAD", subject="dead.jobs.download.2")
    await house.nc.jetstream().purge_stream("JOBS", subject="jobs.download.2")
    assert await house.run_once() == (1, 0)
    assert await house.traces() == []
    assert not (house.storage.root / str(order_id)).exists()
    assert await house.numbers() == []
    record = await house.record()
    assert (record["reason"], record["asked_by"], record["order_id"]) == ("retention", None, order_id)
    assert (record["photos"], record["pages"]) == (1, 2)
    assert (record["files"], record["bytes"]) == (7, 3 * 1000 + 3 * 10 + 2)
    assert record["asked_at"] <= record["deleted_at"] <= record["erased_at"]
    assert (record["subjects"], record["failures"], record["error"]) == (None, 0, None)
    assert "events.order.4711.order_deleted" in await events(house)
    assert await house.run_once() == (0, 0)


async def test_facts_of_its_versions_are_purged(house: Any) -> None:
    await house.order(age=OLD)
    assert (await house.nc.jetstream().stream_info("STATUS")).state.messages == 1
    await house.run_once()
    assert (await house.nc.jetstream().stream_info("STATUS")).state.messages == 0


async def test_orders_are_kept_while_retention_is_off(house: Any) -> None:
    await house.order(age=timedelta(days=4000))
    assert await house.run_once(None) == (0, 0)
    assert await house.numbers() == ["4711"]


@pytest.mark.parametrize("zone", ["Europe/Prague", "Pacific/Kiritimati", "America/Los_Angeles"])
async def test_an_order_is_old_to_the_minute_wherever_its_shop_is(
    house: Any, orders_url: str, zone: str
) -> None:
    """Times 24 hours: also across the days on which clocks change, whatever zone the session has."""
    minute, kept = timedelta(minutes=1), list[str]()
    house.database = Database(orders_url, timezone=zone)
    try:
        for days in (1, 30, 100, 200, 300):
            limit = now() - timedelta(days=days)
            for hours in (-11, 0, 14):
                east = timezone(timedelta(hours=hours))
                await house.sql.execute(ADD, f"old {days} {hours}", (limit - minute).astimezone(east))
                await house.sql.execute(ADD, f"young {days} {hours}", (limit + minute).astimezone(east))
                kept.append(f"young {days} {hours}")
            assert await house.run_once(days) == (3, 0), days
            assert sorted(await house.numbers()) == sorted(kept), days
    finally:
        await house.database.aclose()


async def test_clocks_that_differ_erase_nothing(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.order(age=OLD)
    monkeypatch.setattr("pastelka_orders.erasure.loop.now", lambda: now() + timedelta(days=400))
    assert await house.run_once() == (0, 0)
    assert await house.numbers() == ["4711"]
    assert "clocks" in await house.sql.fetchval("SELECT error FROM retention")


async def test_work_in_hand_is_stopped_first(house: Any) -> None:
    await house.order(age=OLD)
    version = await house.api.post("/images/1/generate-coloring", {"megapixels": 2.0, "steps": 8})
    await house.published()
    assert await house.run_once() == (1, 0)
    bucket = await house.nc.jetstream().key_value(CANCELS)
    assert (await bucket.get(f"coloring.{version['id']}.1")).value == b"cancelled"
    with pytest.raises(KeyNotFoundError):
        await bucket.get("coloring.1.1")
    assert (await house.nc.jetstream().stream_info("JOBS")).state.messages == 0
    # Its worker may still write a page: the reconciler looks after the folder.
    assert (await house.record())["is_watched"]


async def test_a_quiet_order_is_not_looked_after_for_a_week(house: Any) -> None:
    await house.order(age=OLD)
    await house.run_once()
    assert not (await house.record())["is_watched"]


async def test_a_download_that_fails_after_the_erasure_leaves_no_letter(house: Any) -> None:
    await house.order(age=OLD)
    await house.run_once()
    await house.fail_download(1)
    assert await house.traces() == ["stream DEAD"]
    js = house.nc.jetstream()
    found = await js.get_last_msg(DEAD, "dead.jobs.download.1")
    letter = DeadLetter.model_validate_json(found.data or b"")
    handler = DeadLetters(house.database, house.nc, lambda: None)
    await handler.handle(letter, Delivery(1, is_last=False, sequence=found.seq or 0))
    assert await house.traces() == []


async def test_a_letter_of_a_photo_that_is_here_stays(house: Any) -> None:
    await house.order(age=YOUNG)
    found = await house.nc.jetstream().get_last_msg(DEAD, "dead.jobs.download.1")
    letter = DeadLetter.model_validate_json(found.data or b"")
    handler = DeadLetters(house.database, house.nc, lambda: None)
    await handler.handle(letter, Delivery(1, is_last=False, sequence=found.seq or 0))
    assert (await house.nc.jetstream().stream_info(DEAD)).state.messages == 1


async def test_messages_that_wait_in_the_outbox_go_too(house: Any) -> None:
    await house.order(age=OLD)
    payload = json.dumps({"image_id": 1, "order_number": "4711", "url": "tajny-token"}).encode()
    # The relay stands still, as it does while NATS is away.
    await house.database.write(house.relay.lease.release)
    assert await house.database.write(DatabaseLease(RELAY_LEASE).take)
    await house.sql.execute(
        "INSERT INTO outbox (subject, msg_id, payload) VALUES ('jobs.download.1', 'x', $1)", payload
    )
    assert "table outbox" in await house.traces()
    swept = await house.retention().run_once()
    assert swept is not None
    assert swept.erased == 1
    assert await house.traces() == []


async def test_messages_that_are_being_published_are_purged_once_they_are(house: Any) -> None:
    await house.order(age=OLD)
    await house.database.write(house.relay.lease.release)
    other = DatabaseLease(RELAY_LEASE)
    assert await house.database.write(other.take)
    await house.database.write(lambda c: other.note_work(c, working=True))
    erasing = asyncio.create_task(house.retention().run_once())
    await until(lambda: _rows_are_gone(house), 30)
    # Read before the rows went, and published only now.
    payload = b'{"image_id": 1, "order_number": "4711", "url": "tajny-token"}'
    await house.nc.jetstream().publish("jobs.download.1", payload)
    assert not erasing.done()
    await house.database.write(other.release)
    swept = await erasing
    assert swept is not None
    assert swept.erased == 1
    assert await house.traces() == []


async def _rows_are_gone(house: Any) -> bool:
    return await house.sql.fetchval("SELECT count(*) FROM orders") == 0


async def test_two_workers_at_once_erase_each_order_once(house: Any) -> None:
    for number in range(20):
        await house.order(number=f"5{number:03}", shopify_id=1000 + 10 * number, age=OLD)
    first, second = await asyncio.gather(house.retention().run_once(), house.retention().run_once())
    assert sorted([first is None, second is None]) == [False, True]
    assert await house.sql.fetchval("SELECT erased FROM retention") == 20
    records = await house.sql.fetch("SELECT files, bytes FROM erasures WHERE erased_at IS NOT NULL")
    assert [(row["files"], row["bytes"]) for row in records] == [(7, 3032)] * 20


async def test_two_erasers_of_the_same_orders_do_not_harm_each_other(house: Any) -> None:
    """As when the command works while a worker does."""
    for number in range(8):
        await house.order(number=f"5{number:03}", shopify_id=1000 + 10 * number, age=OLD)
    for target in await house.database.read(lambda c: erasures.expired(c, days=30, batch=50)):
        await house.database.write(lambda c, one=target: ask(c, one, "retention", None))
    open_ones = await house.database.read(lambda c: erasures.unfinished(c, after=0, batch=50))
    eraser = house.eraser()
    done = await asyncio.gather(*(eraser.finish(one) for one in (*open_ones, *open_ones)))
    assert all(done)
    await house.run_once()
    records = await house.sql.fetch("SELECT files, bytes, erased_at FROM erasures")
    assert [(row["files"], row["bytes"]) for row in records] == [(7, 3032)] * 8
    assert all(row["erased_at"] for row in records)
    assert await house.traces() == []
