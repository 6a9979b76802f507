"""Publishing to the Mercure hub (https://mercure.rocks/spec) over pooled connections."""

import json
import time
from http import HTTPStatus
from typing import Self
from urllib.parse import urlencode

import aiohttp
import jwt

from pastelka_common.http_client import instrumented_request
from pastelka_common.response_body import ResponseBodyError, read_body
from pastelka_notifier.decisions import Update

_TOKEN_SECONDS = 600.0
_OUR_TOPICS = ["orders", "orders/{order_number}", "heartbeat"]
_REFUSALS = frozenset({400, 413, 414, 415, 422})
"""The update itself is invalid: no retry can succeed."""
_MAX_ANSWER_BYTES = 64 * 1024
_FORM = "application/x-www-form-urlencoded"


class HubUnavailableError(ConnectionError):
    """The hub is unavailable or overloaded; the push must be retried."""


class HubRefusedError(RuntimeError):
    """The hub rejects the update; a retry cannot succeed."""


class MercureClient:
    """Publishes private updates with a token that is limited to Pastelka's topics.

    The token expires after ``token_seconds`` and is replaced after half of that. An asynchronous context
    manager. It uses aiohttp directly, not through httpx: pushes are all that this service does, and they cost
    a third as much.
    """

    _http: aiohttp.ClientSession

    def __init__(
        self,
        url: str,
        publisher_key: str,
        *,
        connections: int = 32,
        timeout: float = 5.0,
        token_seconds: float = _TOKEN_SECONDS,
    ) -> None:
        self._url = url
        self._key = publisher_key
        self._connections = connections
        self._timeout = timeout
        self._token_seconds = token_seconds
        self._token = ""
        self._renew_at = 0.0

    async def __aenter__(self) -> Self:
        # The hub uses no cookies for publishers.
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def publish(self, update: Update, *, update_id: str, event_type: str | None = None) -> None:
        """Send one update; browsers resume from ``update_id``.

        With an ``event_type`` browsers dispatch the update under that name instead of ``message``. Raises
        :class:`HubUnavailableError` or :class:`HubRefusedError`.
        """
        fields = [("topic", topic) for topic in update.topics]
        fields += [("data", json.dumps(update.payload)), ("private", "on"), ("id", update_id)]
        fields += [("type", event_type)] if event_type is not None else []
        headers = {"Authorization": f"Bearer {self._bearer()}", "Content-Type": _FORM}
        try:
            with instrumented_request("POST", self._url, "publish") as call:
                async with self._http.post(
                    self._url, data=urlencode(fields).encode(), headers=headers, allow_redirects=False
                ) as response:
                    call.status = status = response.status
                    body = await read_body(
                        response.content.iter_any(), max_bytes=_MAX_ANSWER_BYTES, timeout=self._timeout
                    )
        except (aiohttp.ClientError, TimeoutError, OSError, ResponseBodyError) as error:
            raise HubUnavailableError(f"the hub did not respond: {type(error).__name__}") from error
        _check(status, body.decode("utf-8", "replace").replace(self._token, "***"))

    async def check(self) -> None:
        """Return if the hub responds. Raises :class:`HubUnavailableError`."""
        try:
            async with self._http.get(self._url) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise HubUnavailableError(f"the hub did not respond: {type(error).__name__}") from error
        # The hub rejects this request, which has no topic and no token; any response is a sign of life.
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise HubUnavailableError(f"the hub returned {status}")

    def _bearer(self) -> str:
        now = time.time()
        if now >= self._renew_at:
            self._renew_at = now + self._token_seconds / 2
            claims = {"mercure": {"publish": _OUR_TOPICS}, "exp": now + self._token_seconds}
            self._token = jwt.encode(claims, self._key, algorithm="HS256")
        return self._token


def _check(status: int, answer: str) -> None:
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status in _REFUSALS:
        raise HubRefusedError(f"the hub returned {status}: {answer[:200]}")
    # This includes a wrong key (401, 403) and a wrong address (404, a redirect): an operator corrects them,
    # and no update is lost meanwhile.
    raise HubUnavailableError(f"the hub returned {status}")
