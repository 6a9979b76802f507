"""The corpus behind the links of a shop's order: webhook, worker, and what people see of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from pastelka_common.servers.ports import free_port
from pastelka_common.testing.waiting import until
from pastelka_common.testing.wire import write_in_pieces
from pastelka_orders.photos.photo_limits import DecoderBounds
from services.orders.tests.fake_shopify import webhook_headers

from . import files
from .conftest import AIR, LARGEST_STORED, MEGABYTE, SECRET, WORKERS, Running, bound_of_decoders
from .corpus import BOMBS, LIMITS, NO_PHOTOS, TAMED
from .processes import service, watched

CONCURRENCY = 8
PAYLOAD = Path(__file__).parent.parent / "shopify" / "payloads" / "create.json"


class Host:
    """A stranger's file server: answers path ``/<n>`` with the n-th answer, byte for byte."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            number = int(request.split()[1].strip("/"))
            await write_in_pieces(writer, self.answers[number])
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the worker has heard enough
        finally:
            writer.close()

    def add(self, content: bytes, *headers: str) -> str:
        """The URL of one more answer."""
        lines = ["HTTP/1.1 200 OK", "Connection: close", f"Content-Length: {len(content)}", *headers]
        self.answers.append("\r\n".join([*lines, "", ""]).encode() + content)
        return f"http://127.0.0.1:{self.port}/{len(self.answers) - 1}"


@pytest_asyncio.fixture(loop_scope="session")
async def host() -> AsyncIterator[Host]:
    """The stranger."""
    found = Host()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def worker(
    env: dict[str, str], nats_url: str, host: Host, tmp_path: Path, api_process: Running
) -> AsyncIterator[Running]:
    """The worker, which may fetch from the stranger although he is next door."""
    url, temporary = f"http://127.0.0.1:{free_port()}", tmp_path / "worker"
    temporary.mkdir()
    settings = {
        **env,
        "PORT": url.rpartition(":")[2],
        "NATS_URL": nats_url,
        "TMPDIR": str(temporary),
        "DOWNLOAD_ALLOWED_HOSTS": f"127.0.0.1:{host.port}",
        "DOWNLOAD_CONCURRENCY": str(CONCURRENCY),
    }
    async with service("pastelka_orders.entrypoints.worker", url, settings, tmp_path / "worker.log") as pid:
        with watched(pid) as watch:
            yield Running(url, watch, Path(env["STORAGE_PATH"]), temporary, watch.own)


async def order(http: httpx.AsyncClient, urls: list[str]) -> None:
    """The shop tells of an order with these photos."""
    payload = json.loads(PAYLOAD.read_text(encoding="utf-8"))
    (item, *_) = payload["line_items"]
    item["properties"] = [{"name": f"Fotka {place}", "value": url} for place, url in enumerate(urls, start=1)]
    payload["line_items"] = [item]
    body = json.dumps(payload).encode()
    headers = webhook_headers(body, secret=SECRET, topic="orders/create")
    response = await http.post("/webhooks/shopify", content=body, headers=headers)
    assert response.status_code == 200, response.text


async def images(http: httpx.AsyncClient) -> Any:
    """All images of the order, once each has a photo or an error."""

    async def ended() -> Any:
        found = (await http.get("/orders/1270")).json()["line_items"][0]["images"]
        return found if all(one["url"] or "error" in one for one in found) else None

    return await until(ended, 300)


@pytest.mark.timeout(400)
async def test_each_hostile_download_shows_its_error_and_stores_nothing(
    http: httpx.AsyncClient, host: Host, worker: Running, sql: asyncpg.Connection
) -> None:
    corpus = (*BOMBS, *NO_PHOTOS)
    urls = [host.add(one.make()) for one in corpus]
    urls.append(host.add(files.gzipped(1 << 28), "Content-Encoding: gzip"))
    urls.append(host.add(files.deflated(1 << 28), "Content-Encoding: deflate"))
    await order(http, urls)
    found = await images(http)
    for place, (hostile, image) in enumerate(zip(corpus, found, strict=False), start=1):
        assert image["url"] is None
        assert image["error"]["code"] in hostile.codes, (hostile.name, image)
        assert image["error"]["message"].startswith(f"Photo {place}: ")
        assert hostile.said in image["error"]["message"]
    assert [image["error"]["code"] for image in found[len(corpus) :]] == ["photo_too_large"] * 2
    assert (await http.get("/orders/1270")).json()["status"] == "error"
    assert worker.stored() == []
    assert await sql.fetchval("SELECT count(*) FROM images WHERE path IS NOT NULL") == 0
    await until(lambda: not worker.left_behind(), 30)
    assert_bounded(worker)


@pytest.mark.timeout(400)
async def test_the_most_expensive_photos_are_stored_within_the_memory_bound(
    http: httpx.AsyncClient, host: Host, worker: Running
) -> None:
    await order(http, [host.add(make()) for _, make, _ in TAMED])
    found = await images(http)
    assert [image for image in found if image["url"] is None] == []
    assert len(worker.stored()) == 2 * len(TAMED)
    await until(lambda: not worker.left_behind(), 30)
    assert_bounded(worker)


def assert_bounded(worker: Running) -> None:
    """Memory of the worker, and of its decoders, as the limits say."""
    watch, bounds = worker.watch, DecoderBounds.of(LIMITS)
    print(  # noqa: T201 - shown with -s, for the documentation
        f"\nworker: {worker.at_rest / MEGABYTE:.0f} MB at rest, {watch.own / MEGABYTE:.0f} MB at most; "
        f"with its decoders {watch.most / MEGABYTE:.0f} MB; decoders' bound "
        f"{bound_of_decoders() / MEGABYTE:.0f} MB"
    )
    assert watch.own <= worker.at_rest + CONCURRENCY * LARGEST_STORED + AIR
    assert watch.most <= watch.own + bound_of_decoders()
    assert watch.most > watch.own + MEGABYTE
    assert set(watch.limits.values()) - {0} <= {bounds.usual, bounds.large}
    assert len(watch.limits) >= WORKERS
