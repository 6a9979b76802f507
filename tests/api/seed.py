"""Test data: orders, images, versions in every status, and dead letters."""

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import aiohttp
import asyncpg
from PIL import Image

from pastelka_common.contracts.messages import DeadLetter, Failure, now
from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType
from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.topology import ensure_streams
from services.orders.tests.fake_shopify import webhook_headers
from tests.api.running import SHOP_DOMAIN, WEBHOOK_SECRET, RunningApi

_SPARE_ORDERS = 25
"""Orders with one photo each: enough that some remain after deletions."""
_SHOP_ORDERS = 5
_FAILED = 12
"""Colorings of one more order, all in error."""
_LETTERS = 30
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'
_SETS = {status_type: [status.value for status in statuses] for status_type, statuses in STATUS_ENUMS.items()}

FIRST_SVG_IMAGE = len(_SETS["coloring"]) + 1
"""Id of the first image with an SVG, whose id is 1; a coloring has the id of its image."""


@dataclass(frozen=True)
class ExistingIds:
    """Existing numbers of orders, ids of images and versions, and numbers of dead letters."""

    orders: list[str]
    images: list[int]
    colorings: list[int]
    svgs: list[int]
    letters: list[int]


async def seed(api: RunningApi, headers: dict[str, str]) -> ExistingIds:
    """Create the data: photos through the API, statuses and files directly, as workers would."""
    async with aiohttp.ClientSession(f"{api.url}/api/v1/", headers=headers) as http:
        photos = max(len(values) for values in _SETS.values())
        for count in (photos, photos, _FAILED, *[1] * _SPARE_ORDERS):
            await _order(http, count)
        for number in ("M1000", "M1001", "M1002"):
            await _post(http, f"orders/{number}/generate-coloring")
        for number in range(_SHOP_ORDERS):
            await _webhook(http, number)
    sql = await asyncpg.connect(api.database_url.replace("+asyncpg", "", 1))
    try:
        await _fill(sql, api.storage)
        letters = await _letters(api.nats_url, sql)
        return ExistingIds(
            orders=[row[0] for row in await sql.fetch("SELECT order_number FROM orders ORDER BY id")],
            images=await _ids(sql, "images"),
            colorings=await _ids(sql, "coloring_versions"),
            svgs=await _ids(sql, "svg_versions"),
            letters=letters,
        )
    finally:
        await sql.close()


async def _order(http: aiohttp.ClientSession, photos: int) -> None:
    form = aiohttp.FormData({"customer_name": "Jana Nováková", "note": "seeded"})
    for number in range(photos):
        form.add_field("photos", picture("JPEG", number), filename=f"{number}.jpg")
    async with http.post("orders", data=form) as response:
        assert response.status == 201, await response.text()


async def _post(http: aiohttp.ClientSession, path: str) -> None:
    async with http.post(path) as response:
        assert response.status == 202, await response.text()


async def _webhook(http: aiohttp.ClientSession, number: int) -> None:
    attribute = {"name": "Fotka 1", "value": f"https://cdn.example.com/{number}.jpg"}
    item = {"id": 900 + number, "title": "Omalovánky", "quantity": 1, "properties": [attribute]}
    order = {"id": 5000 + number, "name": f"#{1270 + number}", "line_items": [item]}
    body = json.dumps(order).encode()
    headers = webhook_headers(body, secret=WEBHOOK_SECRET, topic="orders/create", domain=SHOP_DOMAIN)
    async with http.post("webhooks/shopify", data=body, headers=headers) as response:
        assert response.status == 200, await response.text()


async def _fill(sql: asyncpg.Connection, storage: Path) -> None:
    """Colorings in every status; SVGs in every status of completed colorings; colorings in error."""
    first, second, third = [await _versions(sql, number) for number in ("M1000", "M1001", "M1002")]
    for version, image in third:
        await _set(sql, storage, "coloring", version, image, "error")
    for place, (version, image) in enumerate(first):
        await _set(
            sql, storage, "coloring", version, image, _SETS["coloring"][place % len(_SETS["coloring"])]
        )
    for place, (version, image) in enumerate(second):
        await _set(sql, storage, "coloring", version, image, "completed")
        svg = await sql.fetchval(
            """INSERT INTO svg_versions (image_id, coloring_version_id, version)
            VALUES ($1, $2, 1) RETURNING id""",
            image,
            version,
        )
        await _set(sql, storage, "svg", svg, image, _SETS["svg"][place % len(_SETS["svg"])])


async def _versions(sql: asyncpg.Connection, number: str) -> list[tuple[int, int]]:
    rows = await sql.fetch(
        """SELECT c.id, c.image_id FROM coloring_versions c JOIN images i ON i.id = c.image_id
        JOIN line_items l ON l.id = i.line_item_id JOIN orders o ON o.id = l.order_id
        WHERE o.order_number = $1 ORDER BY c.id""",
        number,
    )
    return [(row[0], row[1]) for row in rows]


async def _set(
    sql: asyncpg.Connection, storage: Path, kind: StatusType, version: int, image: int, status: str
) -> None:
    path = f"seed/{kind}/{version}.{'png' if kind == 'coloring' else 'svg'}"
    completed = status == "completed"
    if completed:
        file = storage / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture("PNG", version) if kind == "coloring" else _SVG)
    await sql.execute(
        f"""UPDATE {kind}_versions SET status = $2, path = $3, error_code = $4, error_message = $4
        WHERE id = $1""",  # noqa: S608 - one of two tables
        version,
        status,
        path if completed else None,
        "provider_failed" if status == "error" else None,
    )
    if completed:
        await sql.execute(
            f"UPDATE images SET selected_{kind}_id = $2 WHERE id = $1",  # noqa: S608 - as above
            image,
            version,
        )


async def _letters(nats_url: str, sql: asyncpg.Connection) -> list[int]:
    """Dead letters of the failed jobs; the jobs are in the outbox, which no relay reads here."""
    jobs = await sql.fetch(
        "SELECT subject, payload FROM outbox WHERE subject LIKE 'jobs.coloring.%' ORDER BY id DESC"
    )
    async with connected(nats_url, name="seed") as nc:
        js = nc.jetstream()
        await ensure_streams(nc)
        sequences = []
        for number in range(_LETTERS):
            job = jobs[number % _FAILED]
            letter = DeadLetter(
                original_subject=job["subject"],
                original_payload=job["payload"].decode(),
                failure=Failure(code="provider_failed", message="It failed."),
                attempt=3,
                at=now(),
            )
            acknowledged = await js.publish(letter.subject, letter.model_dump_json().encode())
            sequences.append(acknowledged.seq)
        return sequences


async def _ids(sql: asyncpg.Connection, table: str) -> list[int]:
    return [row[0] for row in await sql.fetch(f"SELECT id FROM {table} ORDER BY id")]  # noqa: S608


def picture(kind: str, number: int) -> bytes:
    """A small photo or page that differs for each number."""
    buffer = BytesIO()
    Image.new("RGB", (120, 90), (number * 40 % 256, number * 90 % 256, 120)).save(buffer, kind)
    return buffer.getvalue()
