"""HTTP client of a running Pastelka's API, for the commands."""

import json
import mimetypes
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import EventSource

from pastelka_local.accounts import Accounts
from pastelka_local.plan import StackFile
from pastelka_local.settings import Settings

_TIMEOUT = httpx.Timeout(60, read=120)
_HUB = "/.well-known/mercure"


class ApiError(Exception):
    """The API rejected a request or did not respond; the message gives the reason and a remedy."""


class ApiClient:
    """Sends requests to the API at one address; each failure raises :class:`ApiError`."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def get(self, path: str, **parameters: str | int) -> Any:
        """The JSON document at ``path`` below ``/api/v1``."""
        return (await self._send("GET", path, params=parameters)).json()

    async def create_order(self, photos: Sequence[Path], form: Mapping[str, str]) -> Any:
        """Create an order from photo files, one page per photo in this order; returns the API's response."""
        with ExitStack() as stack:
            files = [
                ("photos", (photo.name, stack.enter_context(photo.open("rb")), _content_type(photo)))
                for photo in photos
            ]
            return (await self._send("POST", "/orders", data=form, files=files)).json()

    async def save(self, path: str, file: Path) -> int:
        """Write the body at ``path`` to ``file`` atomically; returns its size in bytes."""
        part = file.with_name(f".{file.name}.part")
        try:
            async with self._http.stream("GET", f"/api/v1{path}") as response:
                await _require_success(response)
                with part.open("wb") as target:
                    async for piece in response.aiter_bytes():
                        target.write(piece)
            return part.replace(file).stat().st_size
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        finally:
            part.unlink(missing_ok=True)

    @asynccontextmanager
    async def events(self, topic: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """Yield the hub's updates of ``topic``; the hub's cookie comes with any earlier API response."""
        request = self._http.stream(
            "GET",
            _HUB,
            params={"topic": topic},
            headers={"Accept": "text/event-stream"},
            timeout=httpx.Timeout(10, read=None),
        )
        try:
            async with request as response:
                await _require_success(response)
                yield _documents(EventSource(response))
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    async def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, f"/api/v1{path}", **content)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        await _require_success(response)
        return response

    def _unreachable(self, error: httpx.HTTPError) -> ApiError:
        reason = str(error) or type(error).__name__
        return ApiError(f"No response from {self._http.base_url}: {reason}. Is it running (pastelka status)?")


@asynccontextmanager
async def connect(settings: Settings, url: str | None, token: str | None) -> AsyncIterator[ApiClient]:
    """Client of the API at ``url``, or of the stack that runs from this data folder.

    ``token`` is an API token. Without a ``url`` the client uses a temporary token of the local stack, which
    is revoked afterwards. Raises :class:`ApiError` if there is no address and no running stack.
    """
    if url is not None:
        async with _client(url, token) as client:
            yield client
        return
    stack = StackFile.read(settings.run)
    if stack is None:
        raise ApiError(
            "No stack is running. Start one (pastelka start), or give an address: --url, PASTELKA_URL."
        )
    if token is not None or stack.auth_mode == "open":
        async with _client(stack.address, token) as client:
            yield client
        return
    async with (
        Accounts(settings.run, settings.environment).token() as own,
        _client(stack.address, own) as client,
    ):
        yield client


@asynccontextmanager
async def _client(address: str, token: str | None) -> AsyncIterator[ApiClient]:
    headers: Mapping[str, str] = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=address.rstrip("/"), headers=headers, timeout=_TIMEOUT) as http:
        yield ApiClient(http)


async def _require_success(response: httpx.Response) -> None:
    if response.is_success:
        return
    await response.aread()
    try:
        problem = response.json()
        detail = problem.get("detail") or problem["title"]
    except (ValueError, KeyError, AttributeError):
        detail = f"{response.request.method} {response.request.url} answered {response.status_code}"
    hint = (
        " Name an API token: --token, PASTELKA_TOKEN."
        if response.status_code == httpx.codes.UNAUTHORIZED
        else ""
    )
    raise ApiError(f"{detail}{hint}")


def _content_type(photo: Path) -> str:
    return mimetypes.guess_type(photo.name)[0] or "application/octet-stream"


async def _documents(source: EventSource) -> AsyncIterator[dict[str, Any]]:
    async for event in source.aiter_sse():
        yield json.loads(event.data)
