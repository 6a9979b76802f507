"""Publishing to the Mercure hub (https://mercure.rocks/spec) over pooled connections."""

import json
import time
from typing import Self
from urllib.parse import urlencode

import httpx
import jwt
from httpx_aiohttp import AiohttpTransport

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
    """Publishes private updates, with a token that is limited to our topics and expires."""

    def __init__(self, url: str, publisher_key: str, *, connections: int = 32, timeout: float = 5.0) -> None:
        self._url = url
        self._key = publisher_key
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._client = httpx.AsyncClient(transport=AiohttpTransport(limits=limits), timeout=timeout)
        self._token = ""
        self._expires = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def publish(self, update: Update, *, update_id: str) -> None:
        """Send one update; browsers know it by ``update_id``, from which they resume.

        Raises :class:`HubUnavailableError` or :class:`HubRefusedError`.
        """
        fields = [("topic", topic) for topic in update.topics]
        fields += [("data", json.dumps(update.payload)), ("private", "on"), ("id", update_id)]
        try:
            response = await self._client.post(
                self._url,
                content=urlencode(fields).encode(),
                headers={"Authorization": f"Bearer {self._bearer()}", "Content-Type": _FORM},
            )
        except httpx.HTTPError as error:
            raise HubUnavailableError(f"the hub did not answer: {type(error).__name__}") from error
        _check(response)

    async def check(self) -> None:
        """Return when the hub answers at all. Raises :class:`HubUnavailableError`."""
        try:
            response = await self._client.get(self._url)
        except httpx.HTTPError as error:
            raise HubUnavailableError(f"the hub did not answer: {type(error).__name__}") from error
        # It refuses: no topic is named, and no token is shown.
        if response.is_server_error:
            raise HubUnavailableError(f"the hub answered {response.status_code}")

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


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    if response.status_code in _REFUSALS:
        raise HubRefusedError(f"the hub answered {response.status_code}: {response.text[:200]}")
    # A wrong key (401, 403) or address (404, a redirect) too: an operator mends it, and nothing is
    # lost meanwhile.
    raise HubUnavailableError(f"the hub answered {response.status_code}")
