"""A dashboard without a screen: it keeps its state current in the way the frontend does.

Like ``useOrderEvents``, ``useOrderListEvents`` and ``HubLine`` of the frontend: an update says what to fetch,
simultaneous updates become one request, an older response never replaces a newer one, and whenever the stream
opens all shown data is fetched again.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
import jwt

from tests.faults.client import Client

_COALESCE = 0.04
_RETRY_FIRST, _RETRY_LONGEST = 0.5, 5.0
_LINE_RETRY_FIRST, _LINE_RETRY_LONGEST = 0.25, 1.5
_PAGE = 200
_LIST = ""
Order = dict[str, Any]


class Browser:
    """The state of all orders in one browser; an asynchronous context manager."""

    def __init__(self, client: Client, hub_key: str, *, hub: str | None = None) -> None:
        self.client = client
        self.listed: list[str] = []
        self.orders: dict[str, Order] = {}
        self.updates = 0
        self.opened = 0
        self._key = hub_key
        self._hub = hub or f"{client.address}/.well-known/mercure"
        self._last_id = ""
        self._turn = 0
        self._image_turns: dict[int, int] = {}
        self._refetches = Coalescer(self._refetch)
        self._task: asyncio.Task[None] | None = None
        self._fetching: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._refetches.stop()
        for task in (self._task, *self._fetching):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})

    # --- the stream ---------------------------------------------------------------------------

    async def _listen(self) -> None:
        attempt = 0
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                async with self.client.http.get(
                    self._url(), headers=self._headers(), timeout=_FOREVER
                ) as line:
                    if line.status == 200:
                        attempt = 0
                        self._on_open()
                        async for payload in self._payloads(line):
                            self._on_event(payload)
            await asyncio.sleep(min(_LINE_RETRY_FIRST * 2**attempt, _LINE_RETRY_LONGEST))
            attempt += 1

    def _url(self) -> str:
        query = [("topic", "orders"), *([("lastEventID", self._last_id)] if self._last_id else [])]
        return f"{self._hub}?{urlencode(query)}"

    def _headers(self) -> dict[str, str]:
        token = jwt.encode({"mercure": {"subscribe": ["orders"]}}, self._key, algorithm="HS256")
        return {"Authorization": f"Bearer {token}"}

    async def _payloads(self, line: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
        async for raw in line.content:
            name, _, value = raw.decode().rstrip("\r\n").partition(":")
            if name == "id":
                self._last_id = value.strip()
            elif name == "data":
                yield json.loads(value)

    def _on_open(self) -> None:
        self.opened += 1
        for key in (_LIST, *self.orders):
            self._refetches.ask(key)

    def _on_event(self, event: dict[str, Any]) -> None:
        self.updates += 1
        match event:
            case {"type": "list_update"}:
                self._refetches.ask(_LIST)
            case {"type": "order_update", "order_number": str(number)}:
                self._refetches.ask(number)
            case {"type": "image_status", "order_number": str(number), "image_id": int(image_id)}:
                task = asyncio.create_task(self._refresh_image(number, image_id))
                self._fetching.add(task)
                task.add_done_callback(self._fetching.discard)

    # --- what is shown ------------------------------------------------------------------------

    async def _refetch(self, key: str) -> bool:
        return await (self._refresh_list() if key == _LIST else self._refresh_order(key))

    async def _refresh_list(self) -> bool:
        numbers: list[str] = []
        cursor = ""
        while True:
            answer = await self.client.get(f"/orders?limit={_PAGE}{cursor}")
            if not answer.is_ok:
                return False
            numbers += [item["order_number"] for item in answer.body["items"]]
            if answer.body["next_cursor"] is None:
                break
            cursor = f"&cursor={answer.body['next_cursor']}"
        self.listed = numbers
        for gone in self.orders.keys() - set(numbers):
            del self.orders[gone]
        for new in set(numbers) - self.orders.keys():
            self.orders[new] = {"order_number": new, "line_items": []}
            self._refetches.ask(new)
        return True

    async def _refresh_order(self, number: str) -> bool:
        self._turn += 1
        turn = self._turn
        answer = await self.client.get(f"/orders/{number}")
        if answer.status == 404:
            self.orders.pop(number, None)
            return True
        if not answer.is_ok:
            return False
        known = {image["id"]: image for image in _images(self.orders.get(number, {"line_items": []}))}
        for item in answer.body["line_items"]:
            item["images"] = [
                image if self._take(image["id"], turn) else known.get(image["id"], image)
                for image in item["images"]
            ]
        self.orders[number] = answer.body
        return True

    async def _refresh_image(self, number: str, image_id: int) -> None:
        self._turn += 1
        turn = self._turn
        answer = await self.client.get(f"/orders/{number}/images/{image_id}")
        if not answer.is_ok:
            # The image or its order may be deleted: the order's response will show it.
            self._refetches.ask(number)
            return
        order = self.orders.get(number)
        if order is None or not self._take(image_id, turn):
            return
        for item in order["line_items"]:
            item["images"] = [answer.body if image["id"] == image_id else image for image in item["images"]]

    def _take(self, image_id: int, turn: int) -> bool:
        if self._image_turns.get(image_id, 0) > turn:
            return False
        self._image_turns[image_id] = turn
        return True


_FOREVER = aiohttp.ClientTimeout(total=None, sock_connect=5)


def _images(order: Order) -> list[Any]:
    return [image for item in order["line_items"] for image in item["images"]]


class Coalescer:
    """Merges requests that arrive within a moment, or during a fetch, into one fetch.

    A failed fetch is repeated with growing delays, as in the frontend.
    """

    def __init__(self, fetch: Callable[[str], Awaitable[bool]]) -> None:
        self._fetch = fetch
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    def ask(self, key: str) -> None:
        """Schedule a fetch."""
        if key in self._tasks:
            self._again.add(key)
            return
        self._tasks[key] = asyncio.create_task(self._run(key))

    def stop(self) -> None:
        """Stop fetching."""
        for task in self._tasks.values():
            task.cancel()

    @property
    def is_idle(self) -> bool:
        """Whether no fetch is active."""
        return not self._tasks

    async def _run(self, key: str) -> None:
        failures = 0
        pause = _COALESCE
        while True:
            await asyncio.sleep(pause)
            self._again.discard(key)
            if not await self._fetch(key):
                pause = min(_RETRY_FIRST * 2**failures, _RETRY_LONGEST)
                failures += 1
            elif key in self._again:
                failures, pause = 0, _COALESCE
            else:
                del self._tasks[key]
                return
