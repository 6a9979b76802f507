"""A customer with an order that touches everything, and what erases it: all of it real."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from pastelka_common.contracts.messages import Failure, now
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.topology import DEAD_CONSUMER, EVENTS_CONSUMER, ensure_consumer, ensure_streams
from pastelka_common.servers import ServerProcess
from pastelka_common.storage import FolderStorage, photo_path, thumbnail_path, version_path
from pastelka_common.testing.waiting import until
from pastelka_orders.database import Database
from pastelka_orders.dead_letters import row_job_letter
from pastelka_orders.erasure import Eraser, Retention
from pastelka_orders.outbox import Relay
from pastelka_orders.settings import OrdersSettings
from services.orders.tests.fake_shopify import webhook_headers
from services.orders.tests.job_attempts import attempt_due

SECRET = "a-webhook-secret"
SHOP_ID = 820982911946154508
NUMBER = "4711"
NAME = "Ludmila Vopičková"
EMAIL = "Ludmila.Vopickova@Example.com"
DEDICATION = "Pro Kristýnku k narozeninám"
NOTE = "Prosím bez kočky"
PHOTO = "https://uploads.example.com/kristynka-u-more.jpg?token=tajny-token"
NEEDLES = ("vopičková", "vopickova", "kristýnku", "kristynka", "tajny-token", "bez kočky")
"""In lower case; what must be found nowhere once the order is erased."""


@pytest.fixture
def settings(settings: OrdersSettings) -> OrdersSettings:
    """The API's settings, with a shop that sends webhooks."""
    return OrdersSettings.model_validate(settings.model_dump() | {"shopify_webhook_secret": SECRET})


@pytest_asyncio.fixture(loop_scope="session")
async def nc(broker: ServerProcess) -> AsyncIterator[Client]:
    """A connection to it, with the streams."""
    connection = await nats.connect(broker.url, max_reconnect_attempts=-1, reconnect_time_wait=0.05)
    await ensure_streams(connection)
    for spec in (EVENTS_CONSUMER, DEAD_CONSUMER):
        await ensure_consumer(connection, spec)
    yield connection
    await connection.close()


@dataclass
class House:
    """The system that holds a customer's data."""

    api: Any
    sql: asyncpg.Connection
    database: Database
    nc: Client
    storage: FolderStorage
    relay: Relay

    shop_id = SHOP_ID
    email = EMAIL
    photo = PHOTO
    needles = NEEDLES

    @staticmethod
    def shop_order(**values: Any) -> dict[str, Any]:
        """An order of the customer as its webhook brings it."""
        return shop_order(**values)

    async def hook(
        self, payload: Any, topic: str = "orders/create", *, status: int = 200, webhook_id: str | None = None
    ) -> httpx.Response:
        """A signed webhook."""
        body = json.dumps(payload).encode()
        headers = webhook_headers(body, secret=SECRET, topic=topic, webhook_id=webhook_id)
        response = await self.api.http.post("/webhooks/shopify", content=body, headers=headers)
        assert response.status_code == status, response.text
        return response

    async def order(
        self,
        *,
        number: str = NUMBER,
        shopify_id: int = SHOP_ID,
        email: str = EMAIL,
        age: timedelta = timedelta(days=3),
    ) -> int:
        """An order of the shop with photo, pages, thumbnails, a note of a run and a dead letter.

        Everything of it has been quiet for as long as it is old. Returns its id.
        """
        await self.hook(shop_order(number=number, shopify_id=shopify_id, email=email, age=age))
        await self.published()
        order_id = await self.sql.fetchval("SELECT id FROM orders WHERE order_number = $1", number)
        image = await self.sql.fetchrow(
            """SELECT i.id, l.id AS item FROM images i JOIN line_items l ON l.id = i.line_item_id
            WHERE l.order_id = $1""",
            order_id,
        )
        await self.fail_download(image["id"], number)
        await self.sql.execute("UPDATE orders SET note = $1 WHERE id = $2", NOTE, order_id)
        await self.pages(order_id, image["item"], image["id"])
        await self.quiet(order_id, age)
        return order_id

    async def pages(self, order_id: int, item: int, image_id: int) -> None:
        """A stored photo, a page with thumbnail and note, an SVG, and facts about them."""
        place = {"order_id": order_id, "line_item_id": item, "position": 1}
        photo = photo_path(**place, suffix="jpg")
        page = version_path("coloring", **place, version=1)
        svg = version_path("svg", **place, version=1)
        for path in (photo, page, svg):
            await self.storage.write(path, b"x" * 1000)
            await self.storage.write(thumbnail_path(path), b"x" * 10)
        await self.storage.write(page.replace("image_1.png", ".image_1.png.run"), b"{}")
        await self.sql.execute(
            "UPDATE images SET path = $1, downloaded_at = now(), download_error_message = $2 WHERE id = $3",
            photo,
            f"could not fetch {PHOTO}",
            image_id,
        )
        coloring = await self.sql.fetchval(
            """INSERT INTO coloring_versions (image_id, version, status, path)
            VALUES ($1, 1, 'completed', $2) RETURNING id""",
            image_id,
            page,
        )
        await self.sql.execute(
            """INSERT INTO svg_versions (image_id, coloring_version_id, version, status, path)
            VALUES ($1, $2, 1, 'completed', $3)""",
            image_id,
            coloring,
            svg,
        )
        await self.nc.jetstream().publish(f"status.coloring.{coloring}", f'{{"path": "{page}"}}'.encode())

    async def quiet(self, order_id: int, age: timedelta) -> None:
        """Nothing has happened to the order since it was made."""
        ago = "now() - $1::interval"
        images = "SELECT i.id FROM images i JOIN line_items l ON l.id = i.line_item_id WHERE l.order_id = $2"
        for statement in (
            f"UPDATE orders SET updated_at = {ago} WHERE id = $2",  # noqa: S608 - our own words
            f"UPDATE images SET downloaded_at = {ago} WHERE id IN ({images})",  # noqa: S608
            f"UPDATE coloring_versions SET updated_at = {ago} WHERE image_id IN ({images})",  # noqa: S608
            f"UPDATE svg_versions SET updated_at = {ago} WHERE image_id IN ({images})",  # noqa: S608
        ):
            await self.sql.execute(statement, age, order_id)

    async def fail_download(self, image_id: int, number: str = NUMBER) -> None:
        """A dead letter about the photo, as the worker writes it."""
        job = json.dumps({"image_id": image_id, "order_number": number})
        failure = Failure(
            code="photo_gone", message="uploads.example.com has no photo at this address any more."
        )
        letter = row_job_letter(f"download.{image_id}", job, 1, failure)
        await self.nc.jetstream().publish(letter.subject, letter.model_dump_json().encode())

    async def published(self) -> None:
        """Wait until nothing is left in the outbox."""
        self.relay.wake()

        async def empty() -> bool:
            return await self.sql.fetchval("SELECT count(*) FROM outbox") == 0

        await until(empty, 30)

    def retention(self, days: int | None = 30) -> Retention:
        """The loop with orders kept for so many days."""
        return Retention(self.database, self.storage, days=days, interval=60)

    def eraser(self) -> Eraser:
        """What finishes one erasure."""
        return Eraser(self.database, self.storage)

    async def run_once(self, days: int | None = 30) -> tuple[int, int]:
        """A pass and what it leads to; returns how many were erased, and how many could not be."""
        assert await self.retention(days).run_once()
        return await self.erase()

    async def erase(self) -> tuple[int, int]:
        """One attempt at each order that is to be erased."""
        await self.sql.execute(
            "UPDATE erasures SET next_attempt_at = now(), claimed_until = NULL WHERE erased_at IS NULL"
        )
        count = "SELECT count(*) FILTER (WHERE erased_at IS NOT NULL), count(*) FROM erasures"
        before = await self.sql.fetchrow(count)
        await attempt_due(self.database, self.eraser())
        await self.published()
        erased, all_of_them = await self.sql.fetchrow(count)
        return erased - before[0], all_of_them - erased

    async def record(self, number: str = NUMBER) -> asyncpg.Record:
        """The record of an order's erasure."""
        return await self.sql.fetchrow("SELECT * FROM erasures WHERE order_number = $1", number)

    async def numbers(self) -> list[str]:
        """The orders that are here."""
        return [
            row["order_number"] for row in await self.sql.fetch("SELECT order_number FROM orders ORDER BY 1")
        ]

    async def traces(self) -> list[str]:
        """Where anything of the person is found: in tables, in streams and buckets, in names of files."""
        found = [f"table {name}" async for name, content in self._tables() if _holds(content)]
        found += [f"stream {name}" async for name, content in self._messages() if _holds(content)]
        return sorted({*found, *(f"file {name}" for name in self.api.files() if _holds(name))})

    async def _tables(self) -> AsyncIterator[tuple[str, str]]:
        tables = await self.sql.fetch(
            """SELECT relname FROM pg_class
            WHERE relkind IN ('r', 'S', 'm') AND relnamespace = 'public'::regnamespace"""
        )
        for table in tables:
            for row in await self.sql.fetch(f'SELECT * FROM "{table["relname"]}"'):  # noqa: S608 - our names
                yield table["relname"], " ".join(_text(value) for value in row.values())

    async def _messages(self) -> AsyncIterator[tuple[str, str]]:
        js = self.nc.jetstream()
        for info in await js.streams_info():
            for number in range(max(info.state.first_seq, 1), info.state.last_seq + 1):
                try:
                    msg = await js.get_msg(info.config.name or "", number)
                except NotFoundError:
                    continue
                yield info.config.name or "", f"{msg.subject} {msg.headers} {_text(msg.data or b'')}"


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _holds(content: str) -> bool:
    """Whether any needle is in it, also where JSON spells a letter as an escape."""
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), content).lower()
    return any(needle in plain for needle in NEEDLES)


def shop_order(
    *,
    number: str = NUMBER,
    shopify_id: int = SHOP_ID,
    email: str = EMAIL,
    age: timedelta = timedelta(days=3),
    made: datetime | None = None,
) -> dict[str, Any]:
    """An order of the shop as its webhook brings it."""
    moment = (made or now() - age).isoformat()
    first, last = NAME.split()
    return {
        "id": shopify_id,
        "name": f"#{number}",
        "email": email,
        "contact_email": email,
        "created_at": moment,
        "updated_at": moment,
        "financial_status": "paid",
        "customer": {"id": 5, "email": email, "first_name": first, "last_name": last},
        "shipping_lines": [{"title": "Zásilkovna"}],
        "line_items": [
            {
                "id": shopify_id + 1,
                "title": "Omalovánky",
                "quantity": 1,
                "properties": [
                    {"name": "Fotka 1", "value": PHOTO},
                    {"name": "Věnování", "value": DEDICATION},
                ],
            }
        ],
    }


@pytest_asyncio.fixture(loop_scope="session")
async def house(api: Any, database: Database, nc: Client, sql: asyncpg.Connection) -> AsyncIterator[House]:
    """The system with its relay at work."""
    relay, stop = Relay(database, Publisher(nc, timeout=1)), asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    yield House(api, sql, database, nc, api.app.state.services.storage, relay)
    stop.set()
    relay.wake()
    await asyncio.wait_for(task, 20)
