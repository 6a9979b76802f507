"""The hub's cookie: what it allows at a real hub, who gets it, and when it is over."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import Morsel, SimpleCookie
from typing import Any

import aiohttp
import httpx
import jwt
import pytest
import pytest_asyncio
from pydantic import SecretStr

from pastelka_common.servers import MercureServer
from pastelka_common.testing.waiting import soon
from pastelka_orders.settings import OrdersSettings

NAME = "mercureAuthorization"
TLS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}
SHORTEST = 20


@pytest.fixture
def settings(settings: OrdersSettings, mercure_hub: MercureServer) -> OrdersSettings:
    """Settings with the hub's key."""
    return settings.model_copy(update={"mercure_subscriber_jwt_key": SecretStr(mercure_hub.subscriber_key)})


def cookie_of(response: httpx.Response) -> Morsel[str]:
    """The hub's cookie that an answer sets."""
    lines = [line for line in response.headers.get_list("set-cookie") if line.startswith(NAME)]
    (line,) = lines
    return SimpleCookie(line)[NAME]


@pytest_asyncio.fixture(loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout) as session:
        yield session


async def publish(http: aiohttp.ClientSession, hub: MercureServer, *topics: str) -> None:
    """Publish one private update, which says its topics."""
    token = jwt.encode({"mercure": {"publish": ["*"]}}, hub.publisher_key, algorithm="HS256")
    form = [*(("topic", topic) for topic in topics), ("data", json.dumps(topics)), ("private", "on")]
    async with http.post(hub.url, data=form, headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 200, await response.text()


@asynccontextmanager
async def listening(
    http: aiohttp.ClientSession, hub: MercureServer, cookie: str, *topics: str
) -> AsyncIterator[aiohttp.ClientResponse]:
    """A browser's stream."""
    query = [("topic", topic) for topic in topics]
    headers = {"Cookie": f"{NAME}={cookie}"}
    async with http.get(hub.url, params=query, headers=headers) as response:
        yield response


async def heard(response: aiohttp.ClientResponse) -> list[str]:
    """The topics of the next update."""
    async for line in response.content:
        if line.startswith(b"data: "):
            topics: list[str] = json.loads(line[6:])
            return topics
    raise AssertionError("the stream ended")


async def test_a_reader_may_subscribe_for_ten_minutes(api: Any, settings: OrdersSettings) -> None:
    await api.order()
    assert settings.mercure_subscriber_jwt_key is not None
    key = settings.mercure_subscriber_jwt_key.get_secret_value()
    for path in ("/session", "/orders", "/orders/M1000", "/system"):
        for headers, secure in (({}, ""), (TLS, True)):
            response = await api.http.get(path, headers=headers)
            cookie = cookie_of(response)
            assert cookie["httponly"] is True
            assert (cookie["samesite"], cookie["path"], cookie["domain"]) == (
                "strict",
                "/.well-known/mercure",
                "",
            )
            assert cookie["secure"] == secure
            claims = jwt.decode(cookie.value, key, algorithms=["HS256"])
            assert claims["mercure"] == {"subscribe": ["orders", "orders/{order_number}", "heartbeat"]}
            left = claims["exp"] - time.time()
            assert 500 < left <= 600
            assert int(cookie["max-age"]) == int(response.headers["mercure-max-age"])
            assert abs(int(cookie["max-age"]) - left) < 5
            assert response.headers["link"] == '</.well-known/mercure>; rel="mercure"'


async def test_the_cookie_authorizes_order_topics_only(
    api: Any, http: aiohttp.ClientSession, mercure_hub: MercureServer
) -> None:
    cookie = cookie_of(await api.http.get("/session")).value
    others = ("customers", "orders/1270/notes", "order")
    async with listening(http, mercure_hub, cookie, "*", "orders", "orders/1270", *others) as response:
        assert response.status == 200
        for topic in others:
            await publish(http, mercure_hub, topic)
        await publish(http, mercure_hub, "orders/1270")
        assert await soon(heard(response)) == ["orders/1270"]
        await publish(http, mercure_hub, "orders", "orders/1271")
        assert await soon(heard(response)) == ["orders", "orders/1271"]


async def test_the_hub_requires_a_token_and_cookies_cannot_publish(
    api: Any, http: aiohttp.ClientSession, mercure_hub: MercureServer
) -> None:
    cookie = cookie_of(await api.http.get("/session")).value
    for topic in ("orders", "orders/1270", "*", "orders/{order_number}"):
        async with http.get(mercure_hub.url, params={"topic": topic}) as response:
            assert response.status == 401
        for headers in (
            {},
            {"Cookie": f"{NAME}={cookie}"},
            {"Cookie": f"{NAME}={cookie}", "Origin": "http://localhost:8080"},
            {"Authorization": f"Bearer {cookie}"},
        ):
            form = {"topic": topic, "data": "forged"}
            async with http.post(mercure_hub.url, data=form, headers=headers) as response:
                assert response.status == 401, headers
    async with http.get(
        f"{mercure_hub.url}/subscriptions", headers={"Cookie": f"{NAME}={cookie}"}
    ) as response:
        assert response.status == 404


class TestShort:
    """With the shortest life that a cookie may have."""

    @pytest.fixture
    def settings(self, settings: OrdersSettings) -> OrdersSettings:
        return settings.model_copy(update={"mercure_cookie_seconds": SHORTEST})

    async def test_an_idle_stream_ends_before_its_cookie_expires(
        self, api: Any, http: aiohttp.ClientSession, mercure_hub: MercureServer
    ) -> None:
        cookie = cookie_of(await api.http.get("/session"))
        began = time.monotonic()
        async with listening(http, mercure_hub, cookie.value, "orders") as response:
            assert response.status == 200
            # Cleanly: not an error of the line that a browser would have to guess about.
            async with asyncio.timeout(SHORTEST + 5):
                assert b"data:" not in await response.read()
        lasted = time.monotonic() - began
        # Half of its life is what a page may rely on to renew it.
        assert int(cookie["max-age"]) / 2 < lasted + 1
        assert lasted <= SHORTEST
        await asyncio.sleep(max(0.0, SHORTEST + 1.5 - lasted))  # the cookie's own life
        async with listening(http, mercure_hub, cookie.value, "orders") as response:
            assert response.status == 401


async def test_the_hub_cookie_is_deleted_after_signing_out_or_losing_the_session(
    locked_api: Any, people: Any
) -> None:
    http = locked_api.http
    assert NAME not in (await http.get("/session")).headers.get("set-cookie", "")
    session = await people.signed_in("viewer")
    assert cookie_of(await http.get("/session", headers=session)).value
    gone = cookie_of(await http.delete("/session", headers=session))
    assert (gone["max-age"], gone["path"]) == ("0", "/.well-known/mercure")
    # In another window of the same browser, or where another user ended the session.
    left = await http.get("/session", headers=session)
    assert left.json()["caller"] is None
    assert cookie_of(left)["max-age"] == "0"
    # A Secure cookie is taken away by a Secure one.
    assert cookie_of(await http.get("/session", headers={**session, **TLS}))["secure"] is True
