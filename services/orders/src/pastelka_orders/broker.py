"""The API's connection to NATS, opened by the first request that needs it."""

import asyncio
from contextlib import suppress

import structlog
from nats.aio.client import Client

from pastelka_common.errors import BrokerSetupError
from pastelka_common.messaging.connection import connected, ping
from pastelka_orders.errors import BrokerDownError

_CONNECT_TIMEOUT = 1.0
_SETUP_RETRY_DELAY = 30.0

log = structlog.get_logger(__name__)


class Broker:
    """One connection per process; requests that do not need it are served without."""

    def __init__(self, url: str, prefix: str = "") -> None:
        self._url = url
        self._prefix = prefix
        self._task: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self._nc: Client | None = None

    async def client(self) -> Client:
        """The connection, once it is open. Raises :class:`BrokerUnavailableError`."""
        if self._task is None:
            self._task = asyncio.create_task(self._connect())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._connected.wait(), _CONNECT_TIMEOUT)
        if self._nc is None or not self._nc.is_connected:
            raise BrokerDownError
        return self._nc

    async def check(self) -> None:
        """Raise if the broker does not answer."""
        await ping(await self.client(), timeout=1)

    async def aclose(self) -> None:
        """Close the connection, if there is one."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _connect(self) -> None:
        while True:
            try:
                async with connected(self._url, name="orders-api", prefix=self._prefix) as nc:
                    self._nc = nc
                    self._connected.set()
                    await asyncio.Event().wait()
            except BrokerSetupError as error:  # the API keeps serving other requests
                log.warning("broker unusable", reason=str(error))
                await asyncio.sleep(_SETUP_RETRY_DELAY)
