"""Photos from URLs that a stranger wrote: fetched from the public internet only, and bounded in every way."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakValueDictionary

import aiohttp
import anyio
from aiohttp import SocketFactoryType
from aiohttp.abc import AbstractResolver
from yarl import URL

from pastelka_common.errors import JobError, PermanentError, PostponedError, TransientError
from pastelka_orders.photos.addresses import is_public, public_socket
from pastelka_orders.photos.answers import broken_off, require_photo, wire_errors
from pastelka_orders.photos.errors import PhotoRefusedError, Refusal, display_name
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.limits import PhotoLimits
from pastelka_orders.photos.normalise import NormalisedPhoto, too_large
from pastelka_orders.photos.proxies import Proxy, may_help
from pastelka_orders.photos.spool import spool
from pastelka_orders.photos.urls import UrlRules

_CHUNK = 64 * 1024
_MAX_REDIRECTS = 5
_MAX_CONNECTIONS = 32
_TURNED_AWAY = (2.0, 4.0)
_REDIRECTS = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}
_HEADERS = {"User-Agent": "Pastelka/0.1", "Accept": "image/*", "Accept-Encoding": "identity"}


class PhotoDownloader:
    """Fetches photos over pooled connections; an async context manager, which owns them.

    ``rules`` say which URLs are fetched; ``per_host`` bounds the requests under way to one host, and who
    waits longer than ``patience`` (seconds) for a turn makes room for photos of others; ``timeout``
    (seconds) is for one request from connecting to its last byte, ``stall`` for connecting and for each
    piece alone; ``resolver`` replaces the system's name lookup. ``proxies`` are asked, in their order, where
    a host refuses access, asks to wait or cannot be reached.
    """

    def __init__(
        self,
        intake: PhotoIntake,
        *,
        rules: UrlRules | None = None,
        per_host: int = 4,
        patience: float = 2.0,
        timeout: float = 60.0,
        stall: float = 15.0,
        resolver: AbstractResolver | None = None,
        proxies: Sequence[Proxy] = (),
    ) -> None:
        self._intake = intake
        self._rules = rules or UrlRules()
        self._per_host = per_host
        self._patience = patience
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=stall, sock_read=stall)
        self._resolver = resolver
        self._proxies = tuple(proxies)
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        # Two pools: what an allowed host may do is not decided again for each connection.
        self._public = self._session(public_socket)
        self._private = self._session(None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._public.close()
        await self._private.close()

    async def download(self, url: str, *, name: str | None = None) -> NormalisedPhoto:
        """The photo behind ``url``, checked and normalised; ``name`` is what errors call it.

        Raises ``TransientError`` (network, time-outs, 408, 425, 429, 5xx), ``PermanentError`` (other
        answers, refused addresses, what is no photo) and ``PostponedError`` (its host has no turn).
        """
        start = self._rules.checked(url)
        shown = display_name(name or start.name)
        async with anyio.TemporaryDirectory(prefix="pastelka-download-") as folder:
            target = Path(folder) / "photo"
            try:
                has_known_end = await self._fetch(start, target)
            except Refusal as refusal:
                raise PermanentError(refusal.code, f"{shown}: {refusal.reason}") from refusal
            try:
                return await self._intake.normalise(target, name=shown)
            except PhotoRefusedError as refused:
                if refused.code == "photo_truncated" and not has_known_end:
                    raise broken_off(start.host) from refused
                raise PermanentError(refused.code, str(refused)) from refused

    async def _fetch(self, url: URL, target: Path) -> bool:
        """Follow redirects to the photo and spool it; answers whether its end was marked."""
        for _ in range(_MAX_REDIRECTS + 1):
            async with self._turn(url):
                outcome = await self._request(url, target)
            if isinstance(outcome, bool):
                return outcome
            url = outcome
        message = f"The photo's address redirects more than {_MAX_REDIRECTS} times; a direct link is needed."
        raise PermanentError("photo_redirects_too_often", message)

    async def _request(self, url: URL, target: Path) -> URL | bool:
        """Ask for ``url``; a host that refuses or cannot be reached is asked through the proxies."""
        is_allowed = self._rules.is_allowed_host(url)
        try:
            return await self._ask(self._private if is_allowed else self._public, url, target)
        except JobError as error:
            if not may_help(error, self._proxies):
                raise
            refused = error
        if not is_allowed:
            await self._require_public(url)
        for proxy in self._proxies:
            try:
                return await self._ask(self._private, url, target, proxy)
            except JobError as error:
                if not may_help(error, self._proxies):
                    raise
                refused = error
        raise refused

    async def _ask(
        self, session: aiohttp.ClientSession, url: URL, target: Path, proxy: Proxy | None = None
    ) -> URL | bool:
        with wire_errors(url.host):
            async with session.get(
                url,
                allow_redirects=False,
                timeout=self._timeout,
                proxy=proxy.url if proxy else None,
                ssl=proxy.tls if proxy else True,
            ) as response:
                if response.status in _REDIRECTS and "Location" in response.headers:
                    return self._rules.checked(response.headers["Location"], base=url)
                require_photo(response)
                await _spool_body(response, target, self._intake.limits)
                return response.content_length is not None or "Transfer-Encoding" in response.headers

    async def _require_public(self, url: URL) -> None:
        """Raise unless every address of the URL's host is public.

        The proxy looks the name up again, where it is: this keeps the names of our own network from it.
        """
        host, port = url.host or "", url.port or 443
        resolver = self._resolver or aiohttp.ThreadedResolver()
        try:
            found = [one["host"] for one in await resolver.resolve(host, port)]
        except OSError as error:
            raise TransientError("photo_host_unknown", f"The name {host} could not be resolved.") from error
        if not all(is_public(address) for address in found):
            message = f"{host} is not a public address; photos are fetched from the public internet only."
            raise PermanentError("photo_address_refused", message)

    @asynccontextmanager
    async def _turn(self, url: URL) -> AsyncIterator[None]:
        """One of the host's turns. Its semaphore lives as long as somebody holds or awaits it."""
        turns = self._turns.setdefault(url.host or "", asyncio.Semaphore(self._per_host))
        try:
            async with asyncio.timeout(self._patience):
                await turns.acquire()
        except TimeoutError:
            message = f"{url.host} is still sending other photos; this one is next."
            seconds = random.uniform(*_TURNED_AWAY)  # noqa: S311 - jitter, not a secret
            raise PostponedError("photo_host_busy", message, seconds=seconds) from None
        try:
            yield
        finally:
            turns.release()

    def _session(self, socket_factory: SocketFactoryType | None) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=_MAX_CONNECTIONS,
            resolver=self._resolver,
            use_dns_cache=False,
            socket_factory=socket_factory,
        )
        return aiohttp.ClientSession(
            connector=connector, headers=_HEADERS, cookie_jar=aiohttp.DummyCookieJar()
        )


async def _spool_body(response: aiohttp.ClientResponse, target: Path, limits: PhotoLimits) -> None:
    if (response.content_length or 0) > limits.max_bytes:
        raise too_large(limits)
    await spool(response.content.iter_chunked(_CHUNK), target, limits=limits)
