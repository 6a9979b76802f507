"""One request, responses from every subscriber (NATS ADR-47)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client
from nats.aio.msg import Msg


@asynccontextmanager
async def request_many(nc: Client, subject: str, payload: bytes = b"") -> AsyncIterator["asyncio.Queue[Msg]"]:
    """Send a request; its responses arrive in the queue while the body runs.

    ``subject`` is its name on the server. The number of responses is unknown: the caller decides when to
    stop. Without subscribers the server responds (an empty message with ``Status: 503``).
    """
    inbox = nc.new_inbox()
    responses: asyncio.Queue[Msg] = asyncio.Queue()
    subscription = await nc.subscribe(inbox, cb=responses.put)
    try:
        await nc.publish(subject, payload, reply=inbox)
        yield responses
    finally:
        if not nc.is_closed:
            await subscription.unsubscribe()
