"""The life of a service process: start, until a signal asks it to end."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog
import uvloop

Main = Callable[[asyncio.Event], Awaitable[None]]
"""A service: works until the event is set, then finishes or hands back what it has in hand."""

log = structlog.get_logger(__name__)


def run(main: Main) -> None:
    """Run ``main`` until it returns; SIGTERM and SIGINT set its event."""
    uvloop.run(_until_signalled(main))


async def _until_signalled(main: Main) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await main(stop)
    log.info("ended")
