"""The NATS connection of a process."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from pastelka_common.errors import BrokerSetupError
from pastelka_common.messaging.names import NamedClient, Names

log = structlog.get_logger(__name__)

OLDEST_SERVER = (2, 12)
"""Priority groups with a pin (2.11), ``multi_last`` (2.11) and atomic batches (2.12) are all used."""

_FOREVER = -1
_PERMISSIONS_ERROR = "permissions violation"
_PING_TIMEOUT = 2.0
_RECONNECT_DELAY = 0.5


class ReconnectingClient(NamedClient):
    """A client that reconnects whenever its connection or one of its tasks ends.

    nats-py 2.16 closes the client permanently after most ``-ERR`` messages (*maximum connections exceeded*,
    *authorization violation*, ...), although an operator's reload may resolve them. Other NATS clients
    reconnect. It also leaves a client "connected" whose tasks have ended: a PONG after its timeout ends the
    read loop, and ``RuntimeError``, which uvloop raises for a closed connection, ends every task including
    the reconnect. Such a client receives nothing, and its ``flush`` returns at once.
    """

    async def _process_pong(self) -> None:
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.Future()  # its flush no longer waits for a result
        await super()._process_pong()

    async def _read_loop(self) -> None:
        await super()._read_loop()
        await self._reconnect_unless_replaced(self._reading_task)

    async def _flusher(self) -> None:
        await super()._flusher()
        await self._reconnect_unless_replaced(self._flusher_task)

    async def _ping_interval(self) -> None:
        await super()._ping_interval()
        await self._reconnect_unless_replaced(self._ping_interval_task)

    async def _reconnect_unless_replaced(self, present: asyncio.Task[None] | None) -> None:
        """Called when a task ends, which is expected only while the client closes or reconnects."""
        if self.is_connected and present is asyncio.current_task():
            error = NatsError("a task of the client ended; reconnecting")
            await self._error_cb(error)
            await self._process_op_err(error)

    async def _attempt_reconnect(self) -> None:
        while True:
            try:
                await super()._attempt_reconnect()
            except Exception as error:  # noqa: BLE001 - nats-py would stop reconnecting
                await self._error_cb(error)
                await asyncio.sleep(_RECONNECT_DELAY)
            else:
                return

    async def _process_err(self, err_msg: str) -> None:
        if _PERMISSIONS_ERROR in err_msg.lower():
            await super()._process_err(err_msg)  # about one subject: the connection stays open
            return
        error = NatsError(f"the server ended the connection: {err_msg.strip()}")
        await self._error_cb(error)
        await self._process_op_err(error)


class UnsupportedServerError(BrokerSetupError):
    """The server is older than what this version of Pastelka needs."""

    def __init__(self, version: str) -> None:
        oldest = ".".join(map(str, OLDEST_SERVER))
        super().__init__(
            f"NATS_URL: the server is NATS {version}; version {oldest} or later is needed. "
            "Upgrade the server."
        )


@asynccontextmanager
async def connected(url: str, *, name: str, prefix: str = "") -> AsyncIterator[Client]:
    """Connect to ``url`` (waiting for the server without limit), and close at the end.

    ``url`` may list several servers of a cluster, comma-separated. ``prefix`` is that of the system's
    streams, buckets and subjects (``NATS_PREFIX``).

    The client reconnects automatically while the process runs. Messages sent while disconnected are buffered,
    up to 2 MiB, until the reconnect: acknowledgements are not lost, and a publish fails only if the server is
    unavailable for longer than its timeout. Raises :class:`UnsupportedServerError`.
    """

    async def lost() -> None:
        if not nc.is_closed:  # also called for our own close
            log.warning("NATS connection lost", url=without_credentials(url))

    async def back() -> None:
        log.info("NATS connection is back", url=without_credentials(url))

    async def failed(error: Exception) -> None:
        log.warning("NATS", error=str(error) or type(error).__name__)

    nc = ReconnectingClient()
    nc.names = Names(prefix)
    await nc.connect(
        url.split(","),
        name=name,
        max_reconnect_attempts=_FOREVER,
        reconnect_time_wait=_RECONNECT_DELAY,  # type: ignore[arg-type]  # it is slept, and compared with a float
        ping_interval=5,
        max_outstanding_pings=2,
        disconnected_cb=lost,
        reconnected_cb=back,
        error_cb=failed,
    )
    try:
        check_version(nc)
        yield nc
    finally:
        await nc.close()


def check_version(nc: Client) -> None:
    """Raise :class:`UnsupportedServerError` if the connected server is too old."""
    version = nc.connected_server_version
    if (version.major, version.minor) < OLDEST_SERVER:
        raise UnsupportedServerError(f"{version.major}.{version.minor}.{version.patch}")


async def ping(nc: Client, *, timeout: float = _PING_TIMEOUT) -> None:
    """Return once the server has responded. Raises ``ConnectionError`` and the client's timeout.

    The client's ``flush`` alone returns at once while it is disconnected.
    """
    _require_connection(nc)
    await nc.flush(timeout=timeout)  # type: ignore[arg-type]  # passed to ``asyncio.wait_for``
    _require_connection(nc)


def _require_connection(nc: Client) -> None:
    if not nc.is_connected:
        raise ConnectionError("not connected to NATS")


def without_credentials(url: str) -> str:
    """``url`` without user and password, for logs."""
    return re.sub(r"//[^@/]*@", "//", url)
