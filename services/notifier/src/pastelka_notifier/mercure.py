"""Publishing to the Mercure hub (https://mercure.rocks/spec) over pooled connections."""

import json
import time
from http import HTTPStatus
from typing import Self
from urllib.parse import urlencode

import aiohttp
import jwt

from pastelka_notifier.decisions import Update

_TOKEN_SECONDS = 3600.0
_RENEW_BEFORE = 300.0
_REFUSALS = frozenset({400, 413, 414, 415, 422})
"""The update itself is at fault: no later try can help it."""
_FORM = "application/x-www-form-urlencoded"


class HubUnavailableError(ConnectionError):
    """The hub is away or overloaded; the update has to be sent again."""


class HubRefusedError(RuntimeError):
    """The hub refuses the update; sending it again cannot help."""


class MercureHub:
    """Publishes private updates, with a token that is limited to our topics and expires.

    An asynchronous context manager. aiohttp itself and not httpx over it: a push is all that this
    service does, and it costs a third as much.
    """

    _http: aiohttp.ClientSession

    def __init__(self, url: str, publisher_key: str, *, connections: int = 32, timeout: float = 5.0) -> None:
        self._url = url
        self._key = publisher_key
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._token = ""
        self._expires = 0.0

    async def __aenter__(self) -> Self:
        # The hub sets no cookies, and would be sent none.
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def publish(self, update: Update, *, update_id: str) -> None:
        """Send one update; browsers know it by ``update_id``, from which they resume.

        Raises :class:`HubUnavailableError` or :class:`HubRefusedError`.
        """
        fields = [("topic", topic) for topic in update.topics]
        fields += [("data", json.dumps(update.payload)), ("private", "on"), ("id", update_id)]
        headers = {"Authorization": f"Bearer {self._bearer()}", "Content-Type": _FORM}
        try:
            async with self._http.post(
                self._url, data=urlencode(fields).encode(), headers=headers, allow_redirects=False
            ) as response:
                status, answer = response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise HubUnavailableError(f"the hub did not answer: {type(error).__name__}") from error
        _check(status, answer.replace(self._token, "***"))

    async def check(self) -> None:
        """Return when the hub answers at all. Raises :class:`HubUnavailableError`."""
        try:
            async with self._http.get(self._url) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise HubUnavailableError(f"the hub did not answer: {type(error).__name__}") from error
        # It refuses: no topic is named, and no token is shown.
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise HubUnavailableError(f"the hub answered {status}")

    def _bearer(self) -> str:
        now = time.time()
        if now > self._expires - _RENEW_BEFORE:
            self._expires = now + _TOKEN_SECONDS
            claims = {
                "mercure": {"publish": ["orders", "orders/{order_number}"]},
                "exp": int(self._expires),
            }
            self._token = jwt.encode(claims, self._key, algorithm="HS256")
        return self._token


def _check(status: int, answer: str) -> None:
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status in _REFUSALS:
        raise HubRefusedError(f"the hub answered {status}: {answer[:200]}")
    # A wrong key (401, 403) or address (404, a redirect) too: an operator mends it, and nothing is
    # lost meanwhile.
    raise HubUnavailableError(f"the hub answered {status}")
