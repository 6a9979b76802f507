"""Connections of a command: to NATS, without retries, and to the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client

from pastelka_common.messaging.connection import check_version, without_credentials
from pastelka_common.messaging.names import NamedClient, Names
from pastelka_common.settings import ServiceSettings
from pastelka_orders.connections import COMMAND
from pastelka_orders.database import Database, open_database
from pastelka_orders.settings import OrdersSettings

_SECONDS = 5
_POOL = 3


@asynccontextmanager
async def broker(settings: ServiceSettings) -> AsyncIterator[Client]:
    """A connection that is not retried when it fails, unlike a service's.

    Raises ``ConnectionError`` and ``BrokerSetupError``.
    """
    url = settings.nats_url
    nc = NamedClient()
    nc.names = Names(settings.nats_prefix)

    async def failed(_: Exception) -> None:
        """Ignored: ``connect`` raises it."""

    try:
        # The client's own timeouts are for services: it would retry for minutes.
        async with asyncio.timeout(_SECONDS):
            await nc.connect(url.split(","), name="orders-command", max_reconnect_attempts=0, error_cb=failed)
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ConnectionError(
            f"NATS does not answer at {without_credentials(url)} (NATS_URL): {reason}"
        ) from error
    try:
        check_version(nc)
        yield nc
    finally:
        await nc.close()


@asynccontextmanager
async def database(settings: OrdersSettings) -> AsyncIterator[Database]:
    """The database of the service."""
    found = open_database(settings, pool_size=_POOL, limits=COMMAND)
    try:
        yield found
    finally:
        await found.aclose()
