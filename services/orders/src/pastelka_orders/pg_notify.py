"""Hearing PostgreSQL's notification that something is in the outbox."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import structlog

from pastelka_orders.connections import CONNECT_SECONDS, SERVER_KEEPALIVES, BoundedConnection

log = structlog.get_logger(__name__)

_PAUSE = 1.0
_CHECK_EVERY = 10.0


async def listen(url: str, channel: str, heard: Callable[[], None], stop: asyncio.Event) -> None:
    """Call ``heard`` on every notification on ``channel`` until ``stop`` is set.

    A lost connection is opened again; ``heard`` is called then as well, for what was missed.
    ``url`` is SQLAlchemy's (``postgresql+asyncpg://``), and no pooler's: the session is ours to keep.
    """
    while not stop.is_set():
        try:
            await _listen_once(url.replace("+asyncpg", "", 1), channel, heard, stop)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            log.warning("listen deferred, database unavailable", error=str(error))
            await _pause(stop, _PAUSE)


async def _listen_once(url: str, channel: str, heard: Callable[[], None], stop: asyncio.Event) -> None:
    connection = await asyncpg.connect(
        url,
        timeout=CONNECT_SECONDS,
        command_timeout=CONNECT_SECONDS,
        connection_class=BoundedConnection,
        server_settings={"application_name": "pastelka-listen", **SERVER_KEEPALIVES},
    )
    try:

        def on_notification(*_: Any) -> None:
            heard()

        await connection.add_listener(channel, on_notification)
        heard()
        while not stop.is_set():
            await _pause(stop, _CHECK_EVERY)
            # A connection that died without a word is noticed only by using it.
            await connection.fetchval("SELECT 1")
    finally:
        await connection.close()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
