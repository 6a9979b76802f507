"""Fetching and syncing, from the click to rows and events: PostgreSQL, JetStream and a shop of ours."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client

from pastelka_common.contracts.messages import now
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.topology import ensure_streams
from pastelka_common.servers import NatsServer, running
from pastelka_common.testing.waiting import until
from pastelka_orders.database import Database
from pastelka_orders.outbox import Relay
from pastelka_orders.row_jobs import JobRunner
from pastelka_orders.settings import OrdersSettings
from pastelka_orders.shopify.client import ORDERS_PER_PAGE, AdminApi
from pastelka_orders.shopify.jobs import ShopJobs
from services.orders.tests.fake_shopify import FakeShopify, shop_line, shop_order

LONG = 60.0
PAGE_ENDS = 1000 + ORDERS_PER_PAGE - 1


@pytest_asyncio.fixture(loop_scope="session")
async def nc(tmp_path: Path) -> AsyncIterator[Client]:
    """A nats-server of this test's own, with the streams."""
    async with running(NatsServer(folder=tmp_path / "nats", sync_always=False)) as server:
        connection = await nats.connect(server.url)
        await ensure_streams(connection)
        yield connection
        await connection.close()


@asynccontextmanager
async def worker(nc: Client, database: Database, settings: OrdersSettings) -> AsyncIterator[None]:
    """The part of the worker that follows the shop, with the relay."""
    stop = asyncio.Event()
    relay = Relay(database, Publisher(nc))
    async with AdminApi(settings) as shop:
        jobs = ShopJobs(database, shop, relay.wake)
        runner = JobRunner(database, jobs, 3, on_commit=relay.wake)
        tasks = [asyncio.create_task(part.run(stop)) for part in (relay, runner)]
        try:
            yield
        finally:
            stop.set()
            relay.wake()
            await asyncio.wait_for(asyncio.gather(*tasks), LONG)


@pytest_asyncio.fixture(loop_scope="session")
async def working(nc: Client, database: Database, settings: OrdersSettings) -> AsyncIterator[None]:
    """The worker at work."""
    async with worker(nc, database, settings):
        yield


def numbers(sql: asyncpg.Connection) -> Callable[[], Awaitable[list[str]]]:
    """Reads the order numbers that are stored."""

    async def read() -> list[str]:
        return [row["order_number"] for row in await sql.fetch("SELECT order_number FROM orders ORDER BY 1")]

    return read


async def events(nc: Client, order_number: str) -> int:
    """How many events of an order JetStream holds."""
    info = await nc.jetstream().stream_info("EVENTS", subjects_filter=f"events.order.{order_number}.>")
    return sum((info.state.subjects or {}).values())


async def letters(nc: Client) -> list[dict[str, Any]]:
    """All dead letters."""
    js = nc.jetstream()
    state = (await js.stream_info("DEAD")).state
    return [
        json.loads((await js.get_msg("DEAD", sequence)).data or b"")
        for sequence in range(state.first_seq, state.first_seq + state.messages)
    ]


def photo(number: int) -> str:
    return f"https://uploads.example.com/{number}.jpg"


def orders(first: int, last: int) -> list[dict[str, Any]]:
    """Orders with one line item and photo each."""
    return [shop_order(n, [shop_line(n, [photo(n)])]) for n in range(first, last + 1)]


async def test_all_orders_since_a_day_are_fetched(
    api: Any, sql: asyncpg.Connection, shopify: FakeShopify, working: None, nc: Client
) -> None:
    shopify.add(*orders(1000, 1059))
    answer = await api.post("/orders/fetch-from-shopify", {"since": "2026-11-01"})
    assert answer["status"] == "queued"
    expected = [str(number) for number in range(1000, 1060)]
    await until(lambda: _equal(numbers(sql), expected), LONG)
    order = await api.get("/orders/1059")
    assert (order["status"], order["payment_status"]) == ("downloading", "paid")
    assert await sql.fetchval("SELECT count(*) FROM images") == 60
    await until(lambda: events(nc, "1059"), LONG)


async def _equal(read: Callable[[], Awaitable[Any]], expected: Any) -> bool:
    return bool(await read() == expected)


async def test_the_event_of_an_order_is_published_when_the_order_is_committed(
    api: Any, sql: asyncpg.Connection, shopify: FakeShopify, working: None, nc: Client
) -> None:
    shopify.add(*orders(1000, PAGE_ENDS + 5))
    # The second page cannot be read for now; the first is told of all the same.
    shopify.fail_from(2, 503)
    await api.post("/orders/fetch-from-shopify", {"since": "2026-11-01"})
    await until(lambda: events(nc, str(PAGE_ENDS)), LONG)
    assert str(PAGE_ENDS + 1) not in await numbers(sql)()
    shopify.recover()
    await until(lambda: events(nc, str(PAGE_ENDS + 5)), LONG)


async def test_an_unreadable_order_is_named_in_its_dead_letter_and_blocks_no_other(
    api: Any, sql: asyncpg.Connection, shopify: FakeShopify, working: None, nc: Client
) -> None:
    await sql.execute(
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'not this one' USING ERRCODE = 'check_violation'; END$$;
        CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW
        WHEN (NEW.order_number = '1003') EXECUTE FUNCTION refuse()"""
    )
    shopify.add(*orders(1000, 1012))
    shopify.add(shop_order(1005, [shop_line(1005, quantity=-1, currentQuantity=-1)]))
    await api.post("/orders/fetch-from-shopify", {"since": "2026-11-01"})
    expected = [str(number) for number in range(1000, 1013) if number not in {1003, 1005}]
    await until(lambda: _equal(numbers(sql), expected), LONG)
    (letter,) = await until(lambda: letters(nc), LONG)
    assert json.loads(letter["original_payload"])["order_number"] == "1005"
    assert letter["failure"]["code"] == "shop_answer_unreadable"
    assert "#1005" in letter["failure"]["message"]
    # The other one is being tried again by itself, and comes in once it can.
    await sql.execute("DROP TRIGGER refuse ON orders")
    await until(lambda: events(nc, "1003"), LONG)


async def test_a_transient_shop_failure_is_retried(
    api: Any, sql: asyncpg.Connection, shopify: FakeShopify, working: None
) -> None:
    # Without a day, the orders of the last 30 days are fetched.
    moment = f"{now():%Y-%m-%dT%H:%M:%SZ}"
    shopify.add(*(order | {"createdAt": moment, "updatedAt": moment} for order in orders(1000, 1001)))
    shopify.fail(503, "drop")
    await api.post("/orders/fetch-from-shopify")
    await until(lambda: _equal(numbers(sql), ["1000", "1001"]), LONG)


async def test_a_fetch_continues_after_a_restart(
    api: Any,
    sql: asyncpg.Connection,
    shopify: FakeShopify,
    nc: Client,
    database: Database,
    settings: OrdersSettings,
) -> None:
    shopify.add(*orders(1000, 1059))
    shopify.fail_from(2, 503)
    async with worker(nc, database, settings):
        await api.post("/orders/fetch-from-shopify", {"since": "2026-11-01"})
        await until(lambda: _has(numbers(sql), str(PAGE_ENDS)), LONG)
    shopify.recover()
    async with worker(nc, database, settings):
        await until(lambda: _has(numbers(sql), "1059"), LONG)
    assert len(await numbers(sql)()) == 60


async def is_all_done(sql: asyncpg.Connection) -> bool:
    return bool(await sql.fetchval("SELECT count(*) = 0 FROM shop_jobs"))


async def test_a_sync_of_an_order_unknown_to_the_shop_becomes_a_dead_letter(
    api: Any, sql: asyncpg.Connection, shop: Any, payload: Any, working: None, nc: Client
) -> None:
    await shop.send(payload())
    await api.post("/orders/1270/sync")  # the shop knows nothing of it
    (letter,) = await until(lambda: letters(nc), LONG)
    assert letter["original_subject"] == "sync.820982911946154508"
    assert await is_all_done(sql)


async def _has(read: Callable[[], Awaitable[list[str]]], wanted: str) -> bool:
    return wanted in await read()


async def test_a_fetch_updates_a_changed_old_order_but_adds_none(
    api: Any, sql: asyncpg.Connection, shopify: FakeShopify, shop: Any, payload: Any, working: None
) -> None:
    await shop.send(payload(id=5_000_000_900, name="#900", created_at="2026-10-01T10:00:00+02:00"))
    shopify.add(
        shop_order(
            900,
            createdAt="2026-10-01T08:00:00Z",
            updatedAt="2026-11-22T08:00:00Z",
            displayFinancialStatus="REFUNDED",
        ),
        shop_order(901, createdAt="2026-10-01T08:00:00Z", updatedAt="2026-11-22T08:00:00Z"),
        *orders(1000, 1000),
    )
    await api.post("/orders/fetch-from-shopify", {"since": "2026-11-01T00:00:00+01:00"})

    async def followed() -> bool:
        return (await api.get("/orders/900"))["payment_status"] == "refunded"

    await until(followed, LONG)
    await until(lambda: _equal(numbers(sql), ["1000", "900"]), LONG)


async def test_a_fetch_restores_a_deleted_order(
    api: Any, sql: asyncpg.Connection, shopify: FakeShopify, shop: Any, payload: Any, working: None
) -> None:
    await shop.send(payload(id=5_000_001_000, name="#1000"))
    assert (await api.http.delete("/orders/1000")).status_code == 204
    shopify.add(*orders(1000, 1000))
    await api.post("/orders/fetch-from-shopify", {"since": "2026-11-01"})
    await until(lambda: _equal(numbers(sql), ["1000"]), LONG)
    assert await sql.fetchval("SELECT count(*) FROM deleted_shop_orders") == 0


async def test_one_order_is_synced_and_its_photos_are_fetched_again(
    api: Any,
    sql: asyncpg.Connection,
    shopify: FakeShopify,
    shop: Any,
    payload: Any,
    working: None,
    nc: Client,
) -> None:
    await shop.send(payload(id=5_000_001_270))
    await sql.execute("UPDATE images SET download_error_code = 'photo_gone', download_error_message = 'x'")
    await sql.execute("UPDATE orders SET status = 'error'")
    line = shop_line(866550311766439020, ["https://uploads.example.com/a/1.jpg"])
    shopify.add(shop_order(1270, [line], updatedAt="2026-11-21T10:00:00Z", displayFinancialStatus="VOIDED"))
    await api.post("/orders/1270/sync")

    async def synced() -> Any:
        order = await api.get("/orders/1270")
        return order if order["payment_status"] == "voided" else None

    order = await until(synced, LONG)
    assert order["status"] == "downloading"
    assert [item["quantity"] for item in order["line_items"]] == [1, 0, 0]
    (image,) = order["line_items"][0]["images"]
    assert "error" not in image
    assert await sql.fetchval("SELECT next_attempt_at <= now() FROM images WHERE id = 1")
    await until(lambda: is_all_done(sql), LONG)


async def test_concurrent_webhooks_and_fetches_store_each_order_once(
    api: Any,
    sql: asyncpg.Connection,
    shopify: FakeShopify,
    shop: Any,
    payload: Any,
    working: None,
    nc: Client,
) -> None:
    shopify.add(*(shop_order(n, [shop_line(n, [photo(n)])]) for n in range(1000, 1010)))

    def sent(number: int) -> Any:
        found = payload(id=5_000_000_000 + number, name=f"#{number}", updated_at="2026-11-20T00:00:00Z")
        found["line_items"] = [
            found["line_items"][0]
            | {"id": number, "properties": [{"name": "Fotka 1", "value": photo(number)}]}
        ]
        return found

    await api.post("/orders/fetch-from-shopify", {"since": "2026-11-01"})
    await asyncio.gather(*(shop.send(sent(n), "orders/create") for n in range(1000, 1010) for _ in range(3)))
    await until(lambda: _equal(numbers(sql), [str(n) for n in range(1000, 1010)]), LONG)

    async def all_fetched() -> bool:
        return await sql.fetchval("SELECT count(*) FROM orders WHERE payment_status = 'paid'") == 10

    await until(all_fetched, LONG)
    assert await sql.fetchval("SELECT count(*) FROM images") == 10
    assert await sql.fetchval("SELECT count(*) FROM line_items") == 10
    assert await letters(nc) == []


async def test_missing_line_items_are_fetched_from_the_shop(
    api: Any, shopify: FakeShopify, shop: Any, payload: Any, working: None
) -> None:
    sent = payload(id=5_000_001_270)
    del sent["line_items"]
    lines = [shop_line(n, [photo(n)]) for n in range(1, 301)]
    shopify.add(shop_order(1270, lines))  # not as new as the webhook yet
    await shop.send(sent)
    await until(lambda: "Lines" in shopify.operations, LONG)
    shopify.add(shop_order(1270, lines, updatedAt=sent["updated_at"]))

    async def complete() -> Any:
        order = await api.get("/orders/1270")
        return order if order["status"] == "downloading" else None

    order = await until(complete, LONG)
    assert len(order["line_items"]) == 300


async def test_an_order_unknown_to_the_shop_ends_in_error(
    api: Any, shop: Any, payload: Any, working: None, nc: Client
) -> None:
    sent = payload()
    del sent["line_items"]
    await shop.send(sent)
    (letter,) = await until(lambda: letters(nc), LONG)
    assert letter["failure"]["code"] == "shop_order_gone"
    assert (await api.get("/orders/1270"))["status"] == "error"


async def test_sync_waits_for_no_lock(api: Any, sql: asyncpg.Connection, shop: Any, payload: Any) -> None:
    """Six at once, while another transaction locks the order's row."""
    await shop.send(payload())
    async with sql.transaction(), asyncio.timeout(LONG):
        await sql.execute("SELECT 1 FROM orders FOR UPDATE")
        answers = await asyncio.gather(*(api.post("/orders/1270/sync") for _ in range(6)))
    assert [answer["status"] for answer in answers] == ["queued"] * 6


async def test_a_manual_order_cannot_be_synced(api: Any) -> None:
    await api.order()
    assert (await api.post("/orders/M1000/sync", status=409))["code"] == "order_not_of_shop"
    assert (await api.post("/orders/9/sync", status=404))["code"] == "order_not_found"


@pytest.mark.parametrize("since", ["soon", "1999-12-31", "2999-01-01", 5.5, "2026-11-01T10:00:00"])
async def test_the_since_parameter_must_be_a_past_date(api: Any, since: Any) -> None:
    problem = await api.post("/orders/fetch-from-shopify", {"since": since}, status=422)
    assert problem["code"] == "invalid_request"
