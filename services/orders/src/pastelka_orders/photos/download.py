"""Downloads of photos from untrusted URLs: public internet only, with limits on everything."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self
from weakref import WeakValueDictionary

import aiohttp
import anyio
from aiohttp import SocketFactoryType
from aiohttp.abc import AbstractResolver
from pydantic import BaseModel, ConfigDict, Field, FilePath, SecretStr
from yarl import URL

from pastelka_common.errors import JobError, PermanentError, PostponedError, TransientError
from pastelka_orders.photos.errors import PhotoRefusedError, Refusal, display_name, too_large
from pastelka_orders.photos.formats import NormalisedPhoto
from pastelka_orders.photos.http_responses import (
    decode_file,
    interrupted,
    location,
    require_photo,
    wire_errors,
)
from pastelka_orders.photos.intake import PhotoIntake, spool
from pastelka_orders.photos.photo_limits import PhotoLimits
from pastelka_orders.photos.urls import UrlRules, advice, direct_link, is_public, public_socket, service_of

_REFUSALS = {"photo_access_refused"}
_CHUNK = 64 * 1024
_MAX_REDIRECTS = 5
_MAX_CONNECTIONS = 32
_MAX_HEADER_BYTES = 64 * 1024
_MAX_HEADERS = 512
_POSTPONE_SECONDS = (2.0, 4.0)
_REDIRECTS = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}
_HEADERS = {"Accept": "image/*,*/*;q=0.8", "Accept-Encoding": "identity"}
DEFAULT_USER_AGENT = f"Mozilla/5.0 (compatible; Pastelka/{version('pastelka-orders')})"
_SHARE_PAGE_CODES = {"photo_not_an_image", "photo_access_refused", "photo_gone", "photo_answer_unexpected"}
"""Error codes of a share page that came instead of a photo."""


class ProxySettings(BaseModel):
    """``PROXY_<n>_*``. ``certificate``: file with the CA of a TLS-intercepting proxy."""

    model_config = ConfigDict(hide_input_in_errors=True)

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)]
    username: str | None = Field(default=None, repr=False)
    password: SecretStr | None = None
    certificate: FilePath | None = None


@dataclass(frozen=True)
class Proxy:
    """One proxy: ``url`` with credentials; ``authority`` is the file with its CA."""

    url: URL = field(repr=False)
    authority: Path | None = None

    @cached_property
    def tls(self) -> ssl.SSLContext | bool:
        """TLS settings for connections through the proxy."""
        if self.authority is None:
            return True
        context = ssl.create_default_context()
        context.load_verify_locations(self.authority)
        # Such CAs often violate newer rules on their form.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context


def proxies_of(settings: Mapping[str, ProxySettings]) -> list[Proxy]:
    """The proxies, ordered by number."""
    return [_proxy(settings[number]) for number in sorted(settings, key=int)]


def _proxy(settings: ProxySettings) -> Proxy:
    password = settings.password.get_secret_value() if settings.password else None
    url = URL.build(
        scheme="http", host=settings.host, port=settings.port, user=settings.username, password=password
    )
    return Proxy(url, settings.certificate)


def can_proxy_help(error: JobError, proxies: Sequence[Proxy]) -> bool:
    """Whether a proxy may succeed after this error."""
    return bool(proxies) and (isinstance(error, TransientError) or error.code in _REFUSALS)


@dataclass(slots=True)
class _Transfer:
    """State of one download to ``target``: its cookies and visited URLs."""

    target: Path
    visited: list[URL]
    # ``unsafe``: also cookies of IP addresses, which only the rules can allow.
    cookies: aiohttp.CookieJar = field(
        default_factory=lambda: aiohttp.CookieJar(unsafe=True, quote_cookie=False)
    )

    def cookie_header(self, url: URL) -> dict[str, str]:
        """The header ``Cookie`` for ``url`` (RFC 6265, 5.4); empty if there is none."""
        kept = self.cookies.filter_cookies(url).values()
        return {"Cookie": "; ".join(f"{one.key}={one.coded_value}" for one in kept)} if kept else {}


class PhotoDownloader:
    """Downloads photos over pooled connections; an async context manager, which owns them.

    ``rules`` decide which URLs are allowed; ``per_host`` limits concurrent requests per host, and a download
    that waits longer than ``slot_timeout`` (seconds) for a slot is postponed; ``timeout`` (seconds) is for a
    whole request, ``stall`` for connecting and for each chunk; ``resolver`` replaces the system's DNS lookup.
    ``proxies`` are tried in order if a host denies access, rate-limits or is unreachable. ``user_agent`` and
    ``referer`` are sent with every request: some hosts serve only browsers, or visitors from a shop's pages.
    """

    def __init__(
        self,
        intake: PhotoIntake,
        *,
        rules: UrlRules | None = None,
        per_host: int = 4,
        slot_timeout: float = 2.0,
        timeout: float = 60.0,
        stall: float = 15.0,
        resolver: AbstractResolver | None = None,
        proxies: Sequence[Proxy] = (),
        user_agent: str = DEFAULT_USER_AGENT,
        referer: str = "",
    ) -> None:
        self._intake = intake
        self._rules = rules or UrlRules()
        self._per_host = per_host
        self._slot_timeout = slot_timeout
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=stall, sock_read=stall)
        self._resolver = resolver
        self._proxies = tuple(proxies)
        self._headers = _HEADERS | {"User-Agent": user_agent} | ({"Referer": referer} if referer else {})
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        # Two pools, with and without the check for public addresses.
        self._public = self._session(public_socket)
        self._private = self._session(None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._public.close()
        await self._private.close()

    async def download(self, url: str, *, name: str | None = None) -> NormalisedPhoto:
        """Download the photo at ``url``, check and normalise it; ``name`` identifies it in errors.

        Raises ``TransientError`` (network, timeouts, 408, 425, 429, 5xx), ``PermanentError`` (other
        responses, refused addresses, invalid photos) and ``PostponedError`` (no free slot of its host).
        """
        start = self._rules.checked(url)
        shown = display_name(name or start.name)
        async with anyio.TemporaryDirectory(prefix="pastelka-download-") as folder:
            transfer = _Transfer(Path(folder) / "photo", [start])
            try:
                has_known_end = await self._fetch(transfer)
                return await self._normalise(transfer, shown, has_known_end=has_known_end)
            except Refusal as refusal:
                raise PermanentError(refusal.code, f"{shown}: {refusal.reason}") from refusal
            except PermanentError as error:
                service = service_of(transfer.visited)
                if service is None or error.code not in _SHARE_PAGE_CODES:
                    raise
                raise PermanentError("photo_share_page", f"{shown}: {advice(service)}.") from error

    async def _normalise(self, transfer: _Transfer, shown: str, *, has_known_end: bool) -> NormalisedPhoto:
        try:
            return await self._intake.normalise(transfer.target, name=shown)
        except PhotoRefusedError as refused:
            if refused.code == "photo_truncated" and not has_known_end:
                raise interrupted(transfer.visited[0].host) from refused
            raise PermanentError(refused.code, str(refused)) from refused

    async def _fetch(self, transfer: _Transfer) -> bool:
        """Follow redirects to the photo and spool it; returns whether the response marked its end."""
        url = direct_link(transfer.visited[0])
        for _ in range(_MAX_REDIRECTS + 1):
            async with self._slot(url):
                outcome = await self._request(url, transfer)
            if isinstance(outcome, bool):
                return outcome
            transfer.visited.append(outcome)
            url = direct_link(outcome)
        message = f"The photo's URL redirects more than {_MAX_REDIRECTS} times; use a direct link."
        raise PermanentError("photo_redirects_too_often", message)

    async def _request(self, url: URL, transfer: _Transfer) -> URL | bool:
        """Request ``url``, with the proxies as fallback if the host refuses or is unreachable."""
        is_allowed = self._rules.is_allowed_host(url)
        try:
            return await self._send(self._private if is_allowed else self._public, url, transfer)
        except JobError as error:
            if not can_proxy_help(error, self._proxies):
                raise
            refused = error
        if not is_allowed:
            await self._require_public(url)
        for proxy in self._proxies:
            try:
                return await self._send(self._private, url, transfer, proxy)
            except JobError as error:
                if not can_proxy_help(error, self._proxies):
                    raise
                refused = error
        raise refused

    async def _send(
        self, session: aiohttp.ClientSession, url: URL, transfer: _Transfer, proxy: Proxy | None = None
    ) -> URL | bool:
        with wire_errors(url.host):
            async with session.get(
                url,
                allow_redirects=False,
                timeout=self._timeout,
                headers=transfer.cookie_header(url),
                proxy=proxy.url if proxy else None,
                ssl=proxy.tls if proxy else True,
            ) as response:
                transfer.cookies.update_cookies(response.cookies, url)
                if response.status in _REDIRECTS and "Location" in response.headers:
                    return self._rules.checked(location(response), base=url)
                require_photo(response)
                await _spool_body(response, transfer.target, self._intake.limits)
                await decode_file(
                    transfer.target, response.headers.get("Content-Encoding", ""), limits=self._intake.limits
                )
                return response.content_length is not None or "Transfer-Encoding" in response.headers

    async def _require_public(self, url: URL) -> None:
        """Raise unless every address of the URL's host is public.

        The proxy resolves the name itself: this check keeps internal names from it.
        """
        host, port = url.host or "", url.port or 443
        resolver = self._resolver or aiohttp.ThreadedResolver()
        try:
            found = [one["host"] for one in await resolver.resolve(host, port)]
        except OSError as error:
            raise TransientError(
                "photo_host_unknown", f"The host name {host} could not be resolved."
            ) from error
        if not all(is_public(address) for address in found):
            message = f"{host} is not a public address; photos are fetched from the public internet only."
            raise PermanentError("photo_address_refused", message)

    @asynccontextmanager
    async def _slot(self, url: URL) -> AsyncIterator[None]:
        """Hold one of the host's slots. Its semaphore exists while a download holds or awaits it."""
        slots = self._slots.setdefault(url.host or "", asyncio.Semaphore(self._per_host))
        try:
            async with asyncio.timeout(self._slot_timeout):
                await slots.acquire()
        except TimeoutError:
            message = f"Waiting for other downloads from {url.host}."
            seconds = random.uniform(*_POSTPONE_SECONDS)  # noqa: S311 - jitter, not a secret
            raise PostponedError("photo_host_busy", message, seconds=seconds) from None
        try:
            yield
        finally:
            slots.release()

    def _session(self, socket_factory: SocketFactoryType | None) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=_MAX_CONNECTIONS,
            resolver=self._resolver,
            use_dns_cache=False,
            socket_factory=socket_factory,
        )
        return aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),  # cookies belong to one download: see _Transfer
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
            max_headers=_MAX_HEADERS,
        )


async def _spool_body(response: aiohttp.ClientResponse, target: Path, limits: PhotoLimits) -> None:
    if (response.content_length or 0) > limits.max_bytes:
        raise too_large(limits)
    await spool(response.content.iter_chunked(_CHUNK), target, limits=limits)
