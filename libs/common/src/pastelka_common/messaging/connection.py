"""One connection to NATS for a process."""

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
    """A client that reconnects whatever ended its connection, or one of its own tasks.

    nats-py 2.16 closes the client for good after most ``-ERR`` messages (*maximum connections
    exceeded*, *authorization violation*, ...), which an operator's next reload takes back. Other
    NATS clients reconnect. It also leaves a client "connected" whose tasks have ended: a PONG that
    comes after its time-out ends the read loop, and ``RuntimeError``, which uvloop raises for a
    closed connection, ends each of them and the reconnecting itself. Such a client receives
    nothing any more, and its ``flush`` returns at once.
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
        """Called by a task at its end: it is expected only of a client that closes or reconnects."""
        if self.is_connected and present is asyncio.current_task():
            error = NatsError("a task of the client ended; reconnecting")
            await self._error_cb(error)
            await self._process_op_err(error)

    async def _attempt_reconnect(self) -> None:
        while True:
            try:
                await super()._attempt_reconnect()
            except Exception as error:  # noqa: BLE001 - nats-py would reconnect no more
                await self._error_cb(error)
                await asyncio.sleep(_RECONNECT_DELAY)
            else:
                return

    async def _process_err(self, err_msg: str) -> None:
        if _PERMISSIONS_ERROR in err_msg.lower():
            await super()._process_err(err_msg)  # about one subject: the connection stays
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
    """Connect to ``url`` (waiting for the server as long as it takes) and close at the end.

    The servers of a cluster are named with commas between them: any of them will do. ``prefix`` is
    that of the system's streams, buckets and subjects (``NATS_PREFIX``).

    The client reconnects by itself, for as long as the process lives. What is sent while
    disconnected waits, up to 2 MiB, and goes out at the reconnect: an acknowledgement that came too
    early is not lost, and a publish fails only if the server stays away longer than its time-out.

    Raises :class:`UnsupportedServerError`.
    """

    async def lost() -> None:
        if not nc.is_closed:  # said of our own closing, too
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
    """Raise :class:`UnsupportedServerError` where the connected server is too old."""
    version = nc.connected_server_version
    if (version.major, version.minor) < OLDEST_SERVER:
        raise UnsupportedServerError(f"{version.major}.{version.minor}.{version.patch}")


async def ping(nc: Client, *, timeout: float = _PING_TIMEOUT) -> None:
    """Return once the server has answered. Raises ``ConnectionError`` and the client's time-out.

    The client's ``flush`` alone returns at once while it is disconnected.
    """
    _require_connection(nc)
    await nc.flush(timeout=timeout)  # type: ignore[arg-type]  # it is given to ``asyncio.wait_for``
    _require_connection(nc)


def _require_connection(nc: Client) -> None:
    if not nc.is_connected:
        raise ConnectionError("not connected to NATS")


def without_credentials(url: str) -> str:
    """``url`` as it may be logged: it can hold a user and a password."""
    return re.sub(r"//[^@/]*@", "//", url)
