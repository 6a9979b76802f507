"""One connection to NATS for a process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
import structlog
from nats.aio.client import Client

log = structlog.get_logger(__name__)

_FOREVER = -1


@asynccontextmanager
async def connected(url: str, *, name: str) -> AsyncIterator[Client]:
    """Connect to ``url`` (waiting for the server as long as it takes) and close at the end.

    The client reconnects by itself, for as long as the process lives. What is sent while
    disconnected waits, up to 2 MiB, and goes out at the reconnect: an acknowledgement that came too
    early is not lost, and a publish fails only if the server stays away longer than its time-out.
    """

    async def lost() -> None:
        log.warning("NATS connection lost", url=url)

    async def back() -> None:
        log.info("NATS connection is back", url=url)

    async def failed(error: Exception) -> None:
        log.warning("NATS", error=str(error) or type(error).__name__)

    nc = await nats.connect(
        url,
        name=name,
        max_reconnect_attempts=_FOREVER,
        reconnect_time_wait=0.5,
        ping_interval=5,
        max_outstanding_pings=2,
        disconnected_cb=lost,
        reconnected_cb=back,
        error_cb=failed,
    )
    try:
        yield nc
    finally:
        await nc.close()
