"""The configured hub: private updates reach authorized subscribers only, in order, late ones included."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import jwt
import pytest

from pastelka_common.servers import MercureServer, running
from pastelka_common.servers.base import ServerError, silent
from pastelka_common.servers.mercure_binary import mercure_binary


def _token(key: str, **claims: list[str]) -> str:
    return jwt.encode({"mercure": claims}, key, algorithm="HS256")


async def _publish(session: aiohttp.ClientSession, hub: MercureServer, topic: str, data: str) -> str:
    headers = {"Authorization": f"Bearer {_token(hub.publisher_key, publish=['*'])}"}
    form = {"topic": topic, "data": data, "private": "on"}
    async with session.post(hub.url, data=form, headers=headers) as response:
        assert response.status == 200, await response.text()
        return await response.text()


@asynccontextmanager
async def _subscribed(
    session: aiohttp.ClientSession, hub: MercureServer, topic: str, allowed: str, **headers: str
) -> AsyncIterator[asyncio.Queue[str]]:
    """The updates' data as they come, for a browser with the cookie of orders."""
    headers["Cookie"] = f"mercureAuthorization={_token(hub.subscriber_key, subscribe=[allowed])}"
    received: asyncio.Queue[str] = asyncio.Queue()

    async def read(response: aiohttp.ClientResponse) -> None:
        async for line in response.content:
            if line.startswith(b"data: "):
                received.put_nowait(line[6:].decode().rstrip("\n"))

    async with session.get(hub.url, params={"topic": topic}, headers=headers) as response:
        assert response.status == 200, await response.text()
        reading = asyncio.create_task(read(response))
        try:
            yield received
        finally:
            reading.cancel()


async def test_a_private_update_reaches_only_an_authorized_subscriber(mercure_hub: MercureServer):
    topic = f"orders/{secrets.token_hex(4)}"
    async with (
        aiohttp.ClientSession() as session,
        _subscribed(session, mercure_hub, topic, allowed=topic) as admitted,
        _subscribed(session, mercure_hub, topic, allowed="orders/another") as refused,
    ):
        for number in range(3):
            await _publish(session, mercure_hub, topic, json.dumps({"number": number}))
        async with asyncio.timeout(5):
            assert [json.loads(await admitted.get())["number"] for _ in range(3)] == [0, 1, 2]
        assert refused.empty()


@pytest.mark.server
async def test_a_late_subscriber_receives_missed_updates_even_after_a_restart(tmp_path: Path):
    hub = MercureServer(folder=tmp_path)
    async with running(hub, deadline=600) as process, aiohttp.ClientSession() as session:
        seen = await _publish(session, hub, "orders", "seen")
        await _publish(session, hub, "orders", "missed")
        await process.kill()
        await process.start()
        # Hub 0.24.2 learns how far its history goes from its first update after a start: one that
        # subscribes before then gets live updates only, and refetches what it shows.
        await _publish(session, hub, "orders", "first after the restart")
        async with _subscribed(session, hub, "orders", allowed="*", **{"Last-Event-ID": seen}) as received:
            await _publish(session, hub, "orders", "live")
            async with asyncio.timeout(5):
                assert [await received.get() for _ in range(3)] == [
                    "missed",
                    "first after the restart",
                    "live",
                ]


async def test_an_unknown_key_is_refused(mercure_hub: MercureServer):
    headers = {"Authorization": f"Bearer {_token(mercure_hub.subscriber_key, publish=['*'])}"}
    async with aiohttp.ClientSession() as session:
        form = {"topic": "orders", "data": "forged"}
        async with session.post(mercure_hub.url, data=form, headers=headers) as response:
            assert response.status == 401


async def test_the_hub_keeps_its_files_in_its_folder(mercure_hub: MercureServer):
    assert (mercure_hub.folder / "updates.db").is_file()
    assert mercure_hub.env()["XDG_DATA_HOME"].startswith(str(mercure_hub.folder))


def test_an_invalid_mercure_bin_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MERCURE_BIN", str(tmp_path / "nothing"))
    with pytest.raises(ServerError, match="MERCURE_BIN"):
        mercure_binary(silent)
