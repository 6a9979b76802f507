"""Updates through the gateway: only with a valid session, and with no token in the URL."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from pastelka_common.servers import MercureServer
from pastelka_common.testing.waiting import until
from tests.gateway.system import GatewaySystem, Headers, gateway_system

HUB = "/.well-known/mercure"


@pytest_asyncio.fixture(loop_scope="session")
async def system(
    mercure_hub: MercureServer, database_url: str, tmp_path: Path
) -> AsyncIterator[GatewaySystem]:
    async with gateway_system(tmp_path, database_url, mode="password", hub=mercure_hub) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


async def _status(system: GatewaySystem, http: aiohttp.ClientSession, query: str, headers: Headers) -> int:
    async with http.get(f"{system.nginx.url}{HUB}?{query}", headers=headers) as response:
        return response.status


async def _hub_cookie(system: GatewaySystem, http: aiohttp.ClientSession) -> str:
    async with http.get(f"{system.nginx.url}/api/v1/session", headers=system.viewer) as response:
        return response.cookies["mercureAuthorization"].value


async def test_the_hub_cookie_is_invalid_after_signing_out(
    system: GatewaySystem, http: aiohttp.ClientSession
) -> None:
    hub = await _hub_cookie(system, http)
    both = {"Cookie": f"{system.viewer['Cookie']}; mercureAuthorization={hub}"}
    assert await _status(system, http, "topic=orders", both) == 200
    # A hub cookie alone, without the session, never grants access.
    assert await _status(system, http, "topic=orders", {"Cookie": f"mercureAuthorization={hub}"}) == 401
    async with http.delete(f"{system.nginx.url}/api/v1/session", headers=both) as response:
        assert response.status == 204

    async def is_refused() -> bool:
        return await _status(system, http, "topic=orders", both) == 401

    # The gateway caches an authorization for five seconds, and serves it up to five more while it
    # revalidates.
    assert await until(is_refused, 20)


@pytest.mark.parametrize(
    "name", ["authorization", "Authorization", "%61uthorization", "authorizatio%6e", "x"]
)
async def test_a_token_in_the_url_is_rejected(
    name: str, system: GatewaySystem, http: aiohttp.ClientSession
) -> None:
    hub = await _hub_cookie(system, http)
    for query in (f"topic=orders&{name}={hub}", f"{name}={hub}&topic=orders"):
        assert await _status(system, http, query, system.viewer) == 400
    cookies = {"Cookie": f"{system.viewer['Cookie']}; mercureAuthorization={hub}"}
    query = "topic=orders&topic=orders%2F%7Border_number%7D&lastEventID=urn%3Auuid%3A1"
    assert await _status(system, http, query, cookies) == 200
