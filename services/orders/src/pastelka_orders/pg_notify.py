"""Subscription to PostgreSQL's notifications (``LISTEN``): new outbox messages, due row jobs."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import structlog

from pastelka_common.process import wait_at_most
from pastelka_orders.connections import CONNECT_SECONDS, SERVER_KEEPALIVES, BoundedConnection

log = structlog.get_logger(__name__)

_RECONNECT_DELAY = 1.0
_CHECK_INTERVAL = 10.0


Listeners = Mapping[str, Callable[[], None]]
"""Callback by channel."""


async def listen(url: str, listeners: Listeners, stop: asyncio.Event) -> None:
    """Call a channel's listener on every notification until ``stop`` is set.

    After a reconnect, all listeners are called, for missed notifications. ``url`` is SQLAlchemy's
    (``postgresql+asyncpg://``), and must not name a pooler: ``LISTEN`` needs a session.
    """
    while not stop.is_set():
        try:
            await _listen_once(url.replace("+asyncpg", "", 1), listeners, stop)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            log.warning("listen deferred, database unavailable", error=str(error))
            await wait_at_most(stop, _RECONNECT_DELAY)


async def _listen_once(url: str, listeners: Listeners, stop: asyncio.Event) -> None:
    connection = await asyncpg.connect(
        url,
        timeout=CONNECT_SECONDS,
        command_timeout=CONNECT_SECONDS,
        connection_class=BoundedConnection,
        server_settings={"application_name": "pastelka-listen", **SERVER_KEEPALIVES},
    )
    try:

        def on_notification(_connection: Any, _pid: int, channel: str, _payload: object) -> None:
            listeners[channel]()

        for channel in listeners:
            await connection.add_listener(channel, on_notification)
        for listener in listeners.values():
            listener()
        while not await wait_at_most(stop, _CHECK_INTERVAL):
            # A silently dead connection is only detected by using it.
            await connection.fetchval("SELECT 1")
    finally:
        await connection.close()
