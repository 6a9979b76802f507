"""Streams of a real nats-server, purged for each test, and subscribers of a real hub."""

import secrets
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js import JetStreamContext

from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.topology import EVENTS, EVENTS_CONSUMER, ensure_consumer, ensure_streams
from pastelka_common.servers import MercureServer, NatsServer
from pastelka_common.testing.subscriber import Subscriber


@pytest_asyncio.fixture(loop_scope="session")
async def nc(nats_server: NatsServer) -> AsyncIterator[Client]:
    """A connection; events and consumers of earlier tests are deleted."""
    async with connected(nats_server.url, name="test") as client:
        await ensure_streams(client)
        await client.jetstream().purge_stream(EVENTS)
        await ensure_consumer(client, EVENTS_CONSUMER)
        yield client
        await client.jetstream().delete_consumer(EVENTS, EVENTS_CONSUMER.name)


@pytest.fixture
def js(nc: Client) -> JetStreamContext:
    return nc.jetstream()


@pytest.fixture
def order_number() -> str:
    """An order number that no other test uses."""
    return secrets.token_hex(4)


@pytest.fixture
def subscribed(mercure_hub: MercureServer) -> Callable[..., Subscriber]:
    """``async with subscribed("orders") as subscriber``: a subscriber authorized for these topics."""

    def subscribe(*topics: str) -> Subscriber:
        return Subscriber(mercure_hub.url, mercure_hub.subscriber_key, topics)

    return subscribe
