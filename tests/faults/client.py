"""A client of the API that connects through the gateway, as users do, and records every response."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=60)
_EXCERPT = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: ``status`` is ``None`` if no complete response arrived."""

    method: str
    path: str
    since: float
    until: float
    status: int | None
    media_type: str = ""
    body: Any = None
    excerpt: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the response is 2xx."""
        return self.status is not None and self.status < 300


@dataclass
class Client:
    """Sends requests to one address; a problem document is a response, not an exception."""

    http: aiohttp.ClientSession
    address: str
    troubles: list[Answer] = field(default_factory=list)
    """Responses that were 5xx or missing."""
    count: int = 0
    slowest: float = 0.0

    async def get(self, path: str) -> Answer:
        """GET a document."""
        return await self.call("GET", path)

    async def post(self, path: str, body: Any = None) -> Answer:
        """POST a JSON body, or none."""
        return await self.call("POST", path, json=body)

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        """One request below ``/api/v1``."""
        since = time.time()
        self.count += 1
        try:
            answer = await self._send(method, path, since, options)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            answer = Answer(method, path, since, time.time(), None, excerpt=type(error).__name__)
        self.slowest = max(self.slowest, answer.until - since)
        if answer.status is None or answer.status >= 500:
            self.troubles.append(answer)
        return answer

    async def _send(self, method: str, path: str, since: float, options: dict[str, Any]) -> Answer:
        return await self._send_there(self.address, method, path, since, options)

    async def _send_there(
        self, address: str, method: str, path: str, since: float, options: dict[str, Any]
    ) -> Answer:
        url = f"{address}/api/v1{path}"
        async with self.http.request(method, url, timeout=_TIMEOUT, **options) as response:
            return _answer(method, path, since, response, await response.read())


def _answer(method: str, path: str, since: float, response: aiohttp.ClientResponse, content: bytes) -> Answer:
    is_json = "json" in response.content_type
    return Answer(
        method,
        path,
        since,
        time.time(),
        response.status,
        response.content_type,
        json.loads(content) if is_json and content else None,
        content[:_EXCERPT].decode(errors="replace") if response.status >= 500 else "",
    )
