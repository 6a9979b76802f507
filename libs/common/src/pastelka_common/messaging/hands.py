"""Which runs are in progress: each worker answers when it is asked, and nothing is stored.

A worker continues a job whose message the broker has lost. The reconciler must not give the run to
a second worker meanwhile.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from pastelka_common.messaging.names import names_of

SUBJECT = "services.runs"
"""Asked with a reply subject; of no stream."""

_WAIT_SECONDS = 1.0
_NO_RESPONDERS = "503"

log = structlog.get_logger(__name__)


@asynccontextmanager
async def telling(nc: Client, runs: Callable[[], Collection[str]]) -> AsyncIterator[None]:
    """Answer requests for the runs (``<kind>.<version>.<run>``) in progress here, while the body runs."""

    async def answer(msg: Msg) -> None:
        try:
            await msg.respond(json.dumps(sorted(runs())).encode())
        except Exception as error:  # noqa: BLE001 - the requester treats silence as idle
            log.warning("runs in hand not told", error=str(error))

    subscription = await nc.subscribe(names_of(nc).subject(SUBJECT), cb=answer)
    try:
        yield
    finally:
        if not nc.is_closed:
            await subscription.unsubscribe()


async def in_hand(nc: Client, *, wait: float = _WAIT_SECONDS) -> set[str]:
    """The runs that any worker has in hand which answers within ``wait`` seconds."""
    inbox = nc.new_inbox()
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    subscription = await nc.subscribe(inbox, cb=arrived.put)
    found: set[str] = set()
    try:
        await nc.publish(names_of(nc).subject(SUBJECT), b"", reply=inbox)
        async with asyncio.timeout(wait):
            while (msg := await arrived.get()).data:
                found.update(json.loads(msg.data))
            if (msg.headers or {}).get("Status") != _NO_RESPONDERS:
                log.warning("answer that names no runs")
    except TimeoutError:
        pass  # the number of workers is unknown: collect until the time is over
    finally:
        if not nc.is_closed:
            await subscription.unsubscribe()
    return found
