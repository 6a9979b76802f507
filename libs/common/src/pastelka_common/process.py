"""Lifecycle of a service process: from startup to a termination signal."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import structlog
import uvloop

from pastelka_common import telemetry
from pastelka_common.errors import BrokerSetupError
from pastelka_common.settings import EXIT_BAD_SETTINGS, ServiceSettings

S = TypeVar("S", bound=ServiceSettings)

Run = Callable[[S, asyncio.Event], Awaitable[None]]
"""A service: runs until the event is set, then finishes or nacks its active jobs."""

log = structlog.get_logger(__name__)


def main(service: str, settings_type: type[S], run: Run[S]) -> None:
    """Read the settings, set up logs and traces, and ``run`` the service until it returns.

    SIGTERM and SIGINT set its event. Exits with 2 and a message if the broker cannot be used.
    """
    settings = settings_type.load()
    telemetry.set_up(
        service,
        level=settings.log_level,
        otlp_endpoint=settings.otel_exporter_otlp_endpoint,
        secrets=settings.secrets(),
    )
    try:
        uvloop.run(_until_signalled(lambda stop: run(settings, stop)))
    except BrokerSetupError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(EXIT_BAD_SETTINGS) from None


async def wait_at_most(event: asyncio.Event, seconds: float) -> bool:
    """Wait until ``event`` is set, at most ``seconds``; returns whether it is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


async def _until_signalled(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await work(stop)
    log.info("ended")
