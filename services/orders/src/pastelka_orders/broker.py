"""The API's connection to NATS: it is needed for little, so it is opened when somebody first asks."""

import asyncio
from contextlib import suppress

from nats.aio.client import Client

from pastelka_common.messaging.connection import connected
from pastelka_orders.errors import BrokerUnavailableError

_WAIT = 1.0


class Broker:
    """One connection for the process; the API answers all else without it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._task: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self._nc: Client | None = None

    async def client(self) -> Client:
        """The connection, once it is there. Raises :class:`BrokerUnavailableError`."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._connected.wait(), _WAIT)
        if self._nc is None or not self._nc.is_connected:
            raise BrokerUnavailableError
        return self._nc

    async def check(self) -> None:
        """Raise if the broker does not answer."""
        await (await self.client()).flush(timeout=1)

    async def aclose(self) -> None:
        """Close the connection, if there is one."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _keep(self) -> None:
        async with connected(self._url, name="orders-api") as nc:
            self._nc = nc
            self._connected.set()
            await asyncio.Event().wait()
