"""One connection to NATS for a process."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from nats.aio.client import Client

log = structlog.get_logger(__name__)

_FOREVER = -1


@asynccontextmanager
async def connected(url: str, *, name: str) -> AsyncIterator[Client]:
    """Connect to ``url`` (waiting for the server as long as it takes) and close at the end.

    The servers of a cluster are named with commas between them: any of them will do.

    The client reconnects by itself, for as long as the process lives. What is sent while
    disconnected waits, up to 2 MiB, and goes out at the reconnect: an acknowledgement that came too
    early is not lost, and a publish fails only if the server stays away longer than its time-out.
    """

    async def lost() -> None:
        if not nc.is_closed:  # said of our own closing, too
            log.warning("NATS connection lost", url=without_credentials(url))

    async def back() -> None:
        log.info("NATS connection is back", url=without_credentials(url))

    async def failed(error: Exception) -> None:
        log.warning("NATS", error=str(error) or type(error).__name__)

    nc = Client()
    await nc.connect(
        url.split(","),
        name=name,
        max_reconnect_attempts=_FOREVER,
        reconnect_time_wait=0.5,  # type: ignore[arg-type]  # it is slept, and compared with a float
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


def without_credentials(url: str) -> str:
    """``url`` as it may be logged: it can hold a user and a password."""
    return re.sub(r"//[^@/]*@", "//", url)
