"""Publishing to a real hub: recipients, rejections and failures of the hub."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import jwt
import pytest

from pastelka_common.servers import MercureServer as HubServer
from pastelka_common.servers import free_port
from pastelka_common.testing.subscriber import Subscriber
from pastelka_common.testing.waiting import until
from pastelka_common.testing.wire import write_in_pieces
from pastelka_notifier.decisions import Update
from pastelka_notifier.mercure import HubRefusedError, HubUnavailableError, MercureClient

Subscribe = Callable[..., Subscriber]


@pytest.fixture
async def hub(mercure_hub: HubServer) -> AsyncIterator[MercureClient]:
    async with MercureClient(mercure_hub.url, mercure_hub.publisher_key, connections=4) as client:
        yield client


def update(order_number: str, number: int = 0, *, to_list: bool = True) -> Update:
    topics = ("orders", f"orders/{order_number}") if to_list else (f"orders/{order_number}",)
    return Update(topics, {"type": "order_update", "order_number": order_number, "number": number})


async def test_a_private_update_reaches_authorized_subscribers_only(
    hub: MercureClient, mercure_hub: HubServer, order_number: str, subscribed: Subscribe
):
    topic = f"orders/{order_number}"
    stranger = Subscriber(mercure_hub.url, mercure_hub.subscriber_key, [topic])
    token = jwt.encode({"mercure": {"subscribe": ["orders/other"]}}, mercure_hub.subscriber_key, "HS256")
    stranger._headers = {"Authorization": f"Bearer {token}"}
    async with subscribed(topic) as admitted, stranger, subscribed("orders/other") as elsewhere:
        await hub.publish(update(order_number, to_list=False), update_id=f"urn:{order_number}:1")
        await hub.publish(update("other"), update_id=f"urn:{order_number}:2")
        await admitted.until(lambda heard: len(heard) == 1)
        # The hub delivers in order: the first update would have arrived before.
        await elsewhere.until(lambda heard: len(heard) == 1)
        assert admitted.payloads == [update(order_number).payload]
        assert stranger.payloads == []


async def test_a_subscriber_of_both_topics_receives_an_update_once(
    hub: MercureClient, order_number: str, subscribed: Subscribe
):
    topic = f"orders/{order_number}"
    async with subscribed("orders", topic) as both, subscribed("orders") as the_list:
        for number in range(3):
            await hub.publish(update(order_number, number), update_id=f"urn:{order_number}:{number}")
        for subscriber in (both, the_list):
            await subscriber.until(lambda heard: len(heard) >= 3)
            assert [one["number"] for one in subscriber.payloads] == [0, 1, 2]
            assert {one.event for one in subscriber.updates} == {"message"}


async def test_a_browser_resumes_after_the_published_id(
    hub: MercureClient, mercure_hub: HubServer, order_number: str
):
    topic = f"orders/{order_number}"
    ids = [f"urn:pastelka:event:{order_number}:{number}" for number in range(4)]
    for number, update_id in enumerate(ids):
        await hub.publish(update(order_number, number), update_id=update_id)
    late = Subscriber(mercure_hub.url, mercure_hub.subscriber_key, [topic])
    late._headers |= {"Last-Event-ID": ids[1]}
    async with late:
        await late.until(lambda heard: len(heard) == 2)
        assert [one.id for one in late.updates] == ids[2:]


async def publish_as(token: str, url: str, topic: str) -> int:
    """The hub's response status for one update published with ``token``."""
    form = {"topic": topic, "data": "{}", "private": "on"}
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.post(url, data=form) as response:
        return response.status


@pytest.mark.parametrize(
    ("topic", "status"),
    [
        ("orders", 200),
        ("orders/1270", 200),
        ("orders/M1000", 200),
        ("customers", 401),
        ("orders/1270/notes", 401),
        ("order", 401),
        ("*", 401),
        ("https://pastelka.example/orders/1270", 401),
        ("/.well-known/mercure/subscriptions/orders/1", 401),
    ],
)
async def test_the_token_is_limited_to_the_topics_of_orders(
    hub: MercureClient, mercure_hub: HubServer, topic: str, status: int
):
    assert await publish_as(hub._bearer(), mercure_hub.url, topic) == status


async def test_a_token_expires_and_is_renewed_before(mercure_hub: HubServer, order_number: str):
    async with MercureClient(mercure_hub.url, mercure_hub.publisher_key, token_seconds=2) as hub:
        first = hub._bearer()
        assert await publish_as(first, mercure_hub.url, f"orders/{order_number}") == 200

        async def refused() -> bool:
            await hub.publish(update(order_number), update_id=f"urn:{order_number}")
            return await publish_as(first, mercure_hub.url, f"orders/{order_number}") == 401

        assert await until(refused)


async def test_a_token_is_reused_for_half_of_its_lifetime(
    hub: MercureClient, monkeypatch: pytest.MonkeyPatch
):
    clock = 1_800_000_000.0
    monkeypatch.setattr("pastelka_notifier.mercure.time.time", lambda: clock)
    first = hub._bearer()
    claims = jwt.decode(first, options={"verify_signature": False})
    assert claims == {
        "mercure": {"publish": ["orders", "orders/{order_number}", "heartbeat"]},
        "exp": clock + 600,
    }
    clock += 299
    assert hub._bearer() == first
    clock += 2
    assert hub._bearer() != first


async def test_an_unreachable_hub_is_unavailable(order_number: str):
    url = f"http://127.0.0.1:{free_port()}/.well-known/mercure"
    async with MercureClient(url, "k" * 32) as hub:
        with pytest.raises(HubUnavailableError, match="did not respond"):
            await hub.publish(update(order_number), update_id="urn:1")
        with pytest.raises(HubUnavailableError, match="did not respond"):
            await hub.check()


async def test_a_wrong_key_is_retried_until_the_operator_repairs_it(
    mercure_hub: HubServer, order_number: str
):
    async with MercureClient(mercure_hub.url, "not-the-hub-s-key" * 3) as hub:
        with pytest.raises(HubUnavailableError, match="401"):
            await hub.publish(update(order_number), update_id="urn:1")


async def test_the_check_succeeds_while_the_hub_responds(hub: MercureClient):
    await hub.check()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def hub_like(handler: Handler) -> AsyncIterator[str]:
    """A server at the hub's address that is not a hub."""
    server = await asyncio.start_server(handler, "127.0.0.1")
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/.well-known/mercure"


def answering(status: str) -> Handler:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
        await write_in_pieces(writer, f"{head}why?".encode())
        writer.close()

    return answer


async def _hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def _drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()


@pytest.mark.parametrize("handler", [_hang, _drop], ids=["hangs", "drops the connection"])
async def test_a_hub_that_never_responds_is_unavailable(handler: Handler):
    async with hub_like(handler) as url, MercureClient(url, "k" * 32, timeout=0.2) as hub:
        with pytest.raises(HubUnavailableError, match="did not respond"):
            await hub.publish(update("1270"), update_id="urn:1")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("500 Internal Server Error", HubUnavailableError),
        ("502 Bad Gateway", HubUnavailableError),
        ("429 Too Many Requests", HubUnavailableError),
        ("408 Request Timeout", HubUnavailableError),
        ("403 Forbidden", HubUnavailableError),
        ("400 Bad Request", HubRefusedError),
        ("404 Not Found", HubUnavailableError),
        ("308 Permanent Redirect", HubUnavailableError),
        ("413 Content Too Large", HubRefusedError),
    ],
)
async def test_each_http_status_is_permanent_or_transient(status: str, error: type[Exception]):
    async with hub_like(answering(status)) as url, MercureClient(url, "k" * 32) as hub:
        with pytest.raises(error, match=status[:3]):
            await hub.publish(update("1270"), update_id="urn:1")


async def test_many_updates_share_a_few_connections():
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                writer.close()
                return
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-l")
            )
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with hub_like(serve) as url, MercureClient(url, "k" * 32, connections=4) as hub:
        await asyncio.gather(*(hub.publish(update("1270"), update_id=f"urn:{n}") for n in range(200)))
    assert 1 <= opened <= 4
