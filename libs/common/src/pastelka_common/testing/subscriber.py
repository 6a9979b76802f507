"""A Mercure subscriber that records its updates, like a browser."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
import jwt


@dataclass(frozen=True, slots=True)
class ReceivedUpdate:
    """One received update: id, SSE event type (``message`` by default), payload."""

    id: str
    event: str
    payload: dict[str, Any]
    at: float
    """``time.time()`` of its arrival."""


class Subscriber:
    """Subscribes to ``topics`` with its own token; an asynchronous context manager."""

    def __init__(self, hub_url: str, key: str, topics: Sequence[str]) -> None:
        claims = {"mercure": {"subscribe": list(topics)}}
        self._headers = {"Authorization": f"Bearer {jwt.encode(claims, key, algorithm='HS256')}"}
        self._url = f"{hub_url}?{urlencode([('topic', topic) for topic in topics])}"
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.updates: list[ReceivedUpdate] = []
        self.on_update: Callable[[ReceivedUpdate], None] | None = None

    async def __aenter__(self) -> Self:
        connected = asyncio.Event()
        self._task = asyncio.create_task(self._listen(connected))
        waiting = asyncio.create_task(connected.wait())
        await asyncio.wait({self._task, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=20)
        waiting.cancel()
        if self._task.done():
            self._task.result()
        if not connected.is_set():
            raise RuntimeError("the hub did not accept the subscription within 20 s")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    @property
    def payloads(self) -> list[dict[str, Any]]:
        """Payloads received so far."""
        return [one.payload for one in self.updates]

    async def until(
        self, condition: Callable[[list[ReceivedUpdate]], bool], *, timeout: float = 30.0
    ) -> None:
        """Wait until ``condition`` holds for the received updates."""
        try:
            async with asyncio.timeout(timeout):
                while not condition(self.updates):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not within {timeout} s; received {self.payloads[-20:]}") from None

    async def _listen(self, connected: asyncio.Event) -> None:
        last_id = ""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        async with aiohttp.ClientSession(timeout=timeout, headers=self._headers) as http:
            while True:
                headers = {"Last-Event-ID": last_id} if last_id else {}
                try:
                    async with http.get(self._url, headers=headers) as response:
                        response.raise_for_status()
                        connected.set()
                        async for event in _events(response):
                            last_id = event.id or last_id
                            self._note(event)
                except aiohttp.ClientResponseError:
                    raise
                except (aiohttp.ClientError, TimeoutError, OSError):
                    await asyncio.sleep(0.1)  # reconnect after a delay, like a browser

    def _note(self, event: ReceivedUpdate) -> None:
        self.updates.append(event)
        if self.on_update is not None:
            self.on_update(event)
        self._changed.set()


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[ReceivedUpdate]:
    """Parse server-sent events of a response (WHATWG HTML)."""
    fields: dict[str, str] = {}
    async for raw in response.content:
        line = raw.decode().rstrip("\r\n")
        if line:
            name, _, value = line.partition(":")
            joined = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{joined}" if name == "data" and name in fields else joined
            continue
        if "data" in fields:
            payload = json.loads(fields["data"])
            yield ReceivedUpdate(fields.get("id", ""), fields.get("event", "message"), payload, time.time())
        fields = {}
