"""The corpus as uploads to the API, a process of its own whose memory is measured from outside."""

import asyncio
import re
from typing import Any

import asyncpg
import httpx
import pytest

from pastelka_common.testing.waiting import until
from pastelka_orders.photos.photo_limits import DecoderBounds

from . import files
from .conftest import AIR, LARGEST_STORED, MEGABYTE, WORKERS, Running, bound_of_decoders
from .corpus import BOMBS, LIMITS, NAMES, NO_PHOTOS, TAMED

TABLES = ("orders", "line_items", "images", "outbox")


async def post(http: httpx.AsyncClient, *sent: tuple[str, bytes]) -> httpx.Response:
    """An order of these files."""
    return await http.post("/orders", files=[("photos", one) for one in sent])


async def assert_nothing_is_left(api: Running, sql: asyncpg.Connection) -> None:
    """Neither rows nor files, stored or temporary."""
    for table in TABLES:
        assert await sql.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608
    assert api.stored() == []
    await until(lambda: not api.left_behind(), 30)


@pytest.mark.timeout(400)
async def test_each_hostile_upload_is_refused_by_name_and_leaves_nothing(
    http: httpx.AsyncClient, api_process: Running, sql: asyncpg.Connection
) -> None:
    for hostile in (*BOMBS, *NO_PHOTOS):
        response = await post(http, ("empty.jpg", b""), (hostile.name, hostile.make()))
        assert response.status_code == 422, (hostile.name, response.text)
        assert response.headers["content-type"] == "application/problem+json"
        problem = response.json()
        assert problem["code"] == "photos_refused"
        _, error = problem["errors"]
        assert error["field"] == "photos[2]"
        assert error["code"] in hostile.codes, (hostile.name, error)
        assert error["message"].startswith(f"{hostile.name}: ")
        assert hostile.said in error["message"]
    await assert_nothing_is_left(api_process, sql)


def refused_in(answer: httpx.Response) -> set[str]:
    """The names of the files that were not stored."""
    document = answer.json()
    if answer.status_code == 201:
        return {one["name"] for one in document["refused_photos"]}
    return {error["message"].partition(": ")[0] for error in document["errors"]}


@pytest.mark.timeout(400)
async def test_concurrent_hostile_uploads_stay_within_the_memory_bound(
    http: httpx.AsyncClient, api_process: Running, sql: asyncpg.Connection, record_property: Any
) -> None:
    made = [(one.name, one.make()) for one in (*BOMBS, *NO_PHOTOS)]
    near = [(name, make()) for name, make, _ in TAMED]
    answers = await asyncio.gather(
        *(post(http, *made, *near[at::4]) for at in range(4)),
        *(post(http, ("empty.jpg", b""), one) for one in (*made, *near)),
    )
    for number, answer in enumerate(answers):
        # Those with a photo among them are orders of the photos alone.
        assert answer.status_code in {201, 422}, answer.text
        expected = {name for name, _ in made} if number < 4 else {"empty.jpg"}
        assert expected <= refused_in(answer)
    await until(lambda: not api_process.left_behind(), 30)
    watch, bounds = api_process.watch, DecoderBounds.of(LIMITS)
    print(  # noqa: T201 - shown with -s, for the documentation
        f"\nAPI: {api_process.at_rest / MEGABYTE:.0f} MB at rest, {watch.own / MEGABYTE:.0f} MB at most; "
        f"with its decoders {watch.most / MEGABYTE:.0f} MB; decoders' bound "
        f"{bound_of_decoders() / MEGABYTE:.0f} MB"
    )
    assert watch.own <= api_process.at_rest + WORKERS * LARGEST_STORED + AIR
    assert watch.most <= watch.own + bound_of_decoders()
    assert watch.most > watch.own + MEGABYTE  # there were decoders to be seen
    assert set(watch.limits.values()) - {0} <= {bounds.usual, bounds.large}
    assert bounds.usual in watch.limits.values()


@pytest.mark.timeout(400)
async def test_accepted_uploads_are_stored_clean(
    http: httpx.AsyncClient, api_process: Running, sql: asyncpg.Connection
) -> None:
    for name, make, unwanted in TAMED:
        response = await post(http, (name, make()))
        assert response.status_code == 201, (name, response.text)
        (path,) = await sql.fetchrow("SELECT path FROM images ORDER BY id DESC LIMIT 1")
        content = (api_process.storage / path).read_bytes()
        assert unwanted is None or unwanted not in content
        assert content.startswith((b"\xff\xd8\xff", files.PNG_START))
    await until(lambda: not api_process.left_behind(), 30)


async def named(http: httpx.AsyncClient, name: str, content: bytes) -> httpx.Response:
    """An order of one file with this very name: clients would escape some of it."""
    head = b'Content-Disposition: form-data; name="photos"; filename="' + name.encode() + b'"\r\n\r\n'
    body = b"--b\r\n" + head + content + b"\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    return await http.post("/orders", content=body, headers=headers)


async def test_file_names_do_not_affect_storage_paths(
    http: httpx.AsyncClient, api_process: Running, sql: asyncpg.Connection
) -> None:
    photo = files.noise("JPEG")
    for sent, shown in NAMES:
        response = await named(http, sent, b"")
        assert response.status_code in {400, 422}, response.text
        if response.status_code == 422:
            (error,) = response.json()["errors"]
            assert error["message"].startswith(f"{shown}: The file is empty"), (sent, error)
    await assert_nothing_is_left(api_process, sql)
    answers = [(await named(http, sent, photo)).status_code for sent, _ in NAMES]
    assert set(answers) <= {201, 400}
    assert answers.count(201) >= len(NAMES) - 2
    assert all(re.fullmatch(r"\d+/\d+/(thumb_)?image_1\.jpg(\.webp)?", path) for path in api_process.stored())
    assert len(api_process.stored()) == 2 * answers.count(201)
