"""Orders that are too old are erased, all of them and no other; nothing of them is left."""

import asyncio
from datetime import timedelta, timezone
from typing import Any

import pytest
from nats.js.errors import KeyNotFoundError

from pastelka_common.contracts.messages import now
from pastelka_common.messaging.topology import CANCELS
from pastelka_orders.database import Database
from pastelka_orders.handlers.erasures import request_erasure
from pastelka_orders.repository import erasures
from services.orders.tests.job_attempts import attempt_due

OLD = timedelta(days=31)
YOUNG = timedelta(days=29)
ADD = """INSERT INTO orders (order_number, source, created_at, updated_at) VALUES ($1, 'manual', $2, $2)"""


async def events(house: Any) -> list[str]:
    js = house.nc.jetstream()
    last = (await js.stream_info("EVENTS")).state.last_seq
    return [(await js.get_msg("EVENTS", number)).subject or "" for number in range(1, last + 1)]


async def test_no_personal_data_remains_and_the_record_holds_no_name(house: Any) -> None:
    order_id = await house.order(age=OLD)
    await house.order(number="4712", shopify_id=99, email="another@example.com", age=YOUNG)
    held = await house.traces()
    # What the scan must be able to find, or its silence would mean nothing.
    assert {"table orders", "table line_items", "table images", "table order_history"} <= set(held)
    await house.sql.execute("DELETE FROM orders WHERE order_number = '4712'")
    assert await house.run_once() == (1, 0)
    assert await house.traces() == []
    assert not (house.storage.root / str(order_id)).exists()
    assert await house.numbers() == []
    record = await house.record()
    assert (record["reason"], record["asked_by"], record["order_id"]) == ("retention", None, order_id)
    assert (record["photos"], record["pages"]) == (1, 2)
    assert (record["files"], record["bytes"]) == (7, 3 * 1000 + 3 * 10 + 2)
    assert record["asked_at"] <= record["deleted_at"] <= record["erased_at"]
    assert (record["attempts"], record["last_error"]) == (0, None)
    assert "events.order.4711.order_deleted" in await events(house)
    assert await house.run_once() == (0, 0)


async def test_orders_are_kept_while_retention_is_off(house: Any) -> None:
    await house.order(age=timedelta(days=4000))
    assert await house.run_once(None) == (0, 0)
    assert await house.numbers() == ["4711"]


@pytest.mark.parametrize("zone", ["Europe/Prague", "Pacific/Kiritimati", "America/Los_Angeles"])
async def test_the_retention_limit_is_exact_to_the_minute_in_every_time_zone(
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


async def test_a_clock_difference_prevents_erasure(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.order(age=OLD)
    monkeypatch.setattr("pastelka_orders.erasure.loop.now", lambda: now() + timedelta(days=400))
    assert await house.run_once() == (0, 0)
    assert await house.numbers() == ["4711"]
    assert "clocks" in await house.sql.fetchval("SELECT error FROM retention")


async def test_active_work_is_stopped_first(house: Any) -> None:
    await house.order(age=OLD)
    version = await house.api.post("/images/1/generate-coloring", {"megapixels": 2.0, "steps": 8})
    await house.published()
    assert await house.run_once() == (1, 0)
    bucket = await house.nc.jetstream().key_value(CANCELS)
    assert (await bucket.get(f"coloring.{version['id']}.1")).value == b"cancelled"
    with pytest.raises(KeyNotFoundError):
        await bucket.get("coloring.1.1")
    # Its worker may still write a page: the folder is looked for again.
    record = await house.record()
    assert record["is_watched"]
    assert record["next_attempt_at"] > now()


async def test_an_order_without_recent_work_is_not_watched_after_its_erasure(house: Any) -> None:
    await house.order(age=OLD)
    await house.run_once()
    record = await house.record()
    assert (record["is_watched"], record["next_attempt_at"]) == (False, None)


@pytest.mark.parametrize("days", [0, 1])
async def test_files_that_are_written_after_the_erasure_are_deleted_too(house: Any, days: int) -> None:
    """A worker may have been frozen for long."""
    order_id = await house.order(age=timedelta(days=days))
    await house.api.http.delete("/orders/4711")
    assert await house.erase() == (1, 0)
    late = f"{order_id}/1/coloring/v1/image_1.png"
    await house.storage.write(late, b"a page that a frozen worker was making")
    await attempt_due(house.database, house.eraser())
    assert house.api.files() == [late]  # not due yet
    await house.sql.execute("UPDATE erasures SET next_attempt_at = now()")
    await attempt_due(house.database, house.eraser())
    assert house.api.files() == []


async def test_the_files_of_a_deleted_order_are_checked_10_to_25_times(house: Any) -> None:
    await house.order(age=timedelta(days=1))
    await house.api.http.delete("/orders/4711")
    assert await house.erase() == (1, 0)
    looks = 0
    while (due := (await house.record())["next_attempt_at"]) is not None:
        await house.sql.execute(
            "UPDATE erasures SET next_attempt_at = now(), deleted_at = deleted_at - ($1 - now())", due
        )
        await attempt_due(house.database, house.eraser())
        looks += 1
        assert looks < 100
    assert 10 < looks < 25


async def test_reappeared_files_are_checked_again_soon(house: Any) -> None:
    order_id = await house.order(age=timedelta(days=1))
    await house.api.http.delete("/orders/4711")
    assert await house.erase() == (1, 0)
    await house.sql.execute("UPDATE erasures SET looks = 9, next_attempt_at = now()")
    await house.storage.write(f"{order_id}/1/image_1.jpg", b"written late")
    await attempt_due(house.database, house.eraser())
    assert await house.sql.fetchval("SELECT next_attempt_at < now() + interval '3 minutes' FROM erasures")


async def test_two_workers_at_once_erase_each_order_once(house: Any) -> None:
    for number in range(20):
        await house.order(number=f"5{number:03}", shopify_id=1000 + 10 * number, age=OLD)
    swept = await asyncio.gather(house.retention().run_once(), house.retention().run_once())
    assert sorted(swept) == [False, True]
    await asyncio.gather(*(attempt_due(house.database, house.eraser()) for _ in range(2)))
    assert await house.sql.fetchval("SELECT erased FROM retention") == 20
    records = await house.sql.fetch("SELECT files, bytes FROM erasures WHERE erased_at IS NOT NULL")
    assert [(row["files"], row["bytes"]) for row in records] == [(7, 3032)] * 20


async def test_two_concurrent_erasers_of_the_same_orders_do_not_conflict(house: Any) -> None:
    """As when the command works while a worker does."""
    for number in range(8):
        await house.order(number=f"5{number:03}", shopify_id=1000 + 10 * number, age=OLD)
    for target in await house.database.read(lambda c: erasures.expired(c, days=30, batch=50)):
        await house.database.write(lambda c, one=target: request_erasure(c, one, "retention", None))
    ids = [row["order_id"] for row in await house.sql.fetch("SELECT order_id FROM erasures")]
    open_ones = [await house.database.read(lambda c, one=one: erasures.find(c, one)) for one in ids]
    eraser = house.eraser()
    await asyncio.gather(*(eraser.erase(one) for one in (*open_ones, *open_ones)))
    await house.run_once()
    records = await house.sql.fetch("SELECT files, bytes, erased_at FROM erasures")
    assert [(row["files"], row["bytes"]) for row in records] == [(7, 3032)] * 8
    assert all(row["erased_at"] for row in records)
    assert await house.traces() == []
