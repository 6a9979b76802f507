"""Connections to PostgreSQL with a timeout on every wait, dropped when in doubt.

The timeouts are nested, so that a request ends within 30 s and changes nothing afterwards:

- the server ends a transaction whose client is silent for ``idle`` seconds: a ``COMMIT`` that arrives later
  has nothing to commit;
- it stops waiting for a lock after ``lock`` seconds, longer than ``idle``, so that a waiter outlasts such a
  transaction, and ends a statement after ``statement`` seconds;
- the client waits ``answer`` seconds for each response, longer than all of these.

Server: https://www.postgresql.org/docs/current/runtime-config-client.html and
https://www.postgresql.org/docs/current/runtime-config-connection.html. Sockets: tcp(7).
"""

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from pastelka_orders.database_errors import DatabaseUnavailableError

CONNECT_SECONDS = 5.0
CHECKOUT_SECONDS = 10.0
"""To wait for a free connection of the pool."""
_CLOSE_SECONDS = 2.0
_UNACKNOWLEDGED_SECONDS = 10
"""After which a peer that acknowledges nothing is considered dead; an idle one after 10 + 3 x 5 s."""
_KEEPALIVES = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
SERVER_KEEPALIVES = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": f"{_UNACKNOWLEDGED_SECONDS}s",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Timeouts in seconds."""

    idle: int = 8
    lock: int = 10
    statement: int = 12
    answer: int = 14
    work: int = 15
    """Everything before the ``COMMIT``, including the wait for a connection and retries."""

    @property
    def session(self) -> dict[str, str]:
        """The corresponding settings of a PostgreSQL session."""
        return {
            "idle_in_transaction_session_timeout": f"{self.idle}s",
            "lock_timeout": f"{self.lock}s",
            "statement_timeout": f"{self.statement}s",
            "jit": "off",
        }


SERVICE = Limits()
COMMAND = Limits(idle=60, lock=60, statement=900, answer=960, work=3600)
"""For the operator's commands, which may scan whole tables."""


class BoundedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that detects a dead peer and closes within a bounded time."""

    def __init__(self, protocol: Any, transport: asyncio.Transport, *args: Any, **options: Any) -> None:
        super().__init__(protocol, transport, *args, **options)
        self._wire = transport
        _watch(transport)

    async def close(self, *, timeout: float | None = None) -> None:
        """Close, without waiting for a peer that does not respond."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await super().close(timeout=timeout)
        except TimeoutError:
            self.terminate()

    def terminate(self) -> None:
        """Reset the connection, discarding unsent data: the kernel would still deliver a ``COMMIT``."""
        _set(self._wire, socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        super().terminate()


def create_engine(
    url: str, *, pool_size: int, timezone: str, limits: Limits, is_pooled: bool, autocommit: bool
) -> AsyncEngine:
    """Create an engine with its own pool; connections are opened on demand.

    ``is_pooled``: a pooler assigns each transaction another session (PgBouncer's ``transaction`` mode). Then
    no session state is used: no named statements, no settings but those that the pooler tracks, and every
    read is its own transaction.
    """
    carried_over = {"timezone": timezone, "application_name": "pastelka-orders"}
    connect_args: dict[str, Any] = {
        "connection_class": BoundedConnection,
        "timeout": CONNECT_SECONDS,
        "command_timeout": limits.answer,
    }
    options: dict[str, Any] = {}
    if is_pooled:
        unnamed = {"prepared_statement_name_func": str, "prepared_statement_cache_size": 0}
        connect_args |= {"server_settings": carried_over, "statement_cache_size": 0, **unnamed}
    else:
        connect_args["server_settings"] = {**carried_over, **limits.session, **SERVER_KEEPALIVES}
    if autocommit and not is_pooled:
        # Each statement is its own transaction: no BEGIN and ROLLBACK, and nothing to reset when the
        # connection returns to the pool.
        options = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=CHECKOUT_SECONDS,
        hide_parameters=True,  # errors must not contain customers' names and e-mails
        connect_args=connect_args,
        **options,
    )
    event.listen(engine.sync_engine, "handle_error", _discard_when_silent)
    if is_pooled:
        event.listen(engine.sync_engine, "begin", _set_locally(limits))
    return engine


def _discard_when_silent(context: ExceptionContext) -> DatabaseUnavailableError | None:
    """Invalidate a connection on which a response timed out, and all pooled ones of its age."""
    error = context.original_exception
    connection = context.connection
    if not isinstance(error, TimeoutError | asyncio.CancelledError) or connection is None:
        return None
    if not (connection.closed or connection.invalidated):
        driver: Any = connection.connection.driver_connection
        driver.terminate()
    context.is_disconnect = context.invalidate_pool_on_disconnect = True
    return DatabaseUnavailableError("no response in time") if isinstance(error, TimeoutError) else None


def _set_locally(limits: Limits) -> Any:
    settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in limits.session.items())

    def set_settings(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT {settings}")

    return set_settings


def _watch(transport: asyncio.Transport) -> None:
    """Set TCP keepalive and user timeout, where the system supports them."""
    _set(transport, socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in {**_KEEPALIVES, "TCP_USER_TIMEOUT": 1000 * _UNACKNOWLEDGED_SECONDS}.items():
        if hasattr(socket, name):
            _set(transport, socket.IPPROTO_TCP, getattr(socket, name), value)


def _set(transport: asyncio.Transport, level: int, option: int, value: int | bytes) -> None:
    wire = transport.get_extra_info("socket")
    if wire is None or wire.family == getattr(socket, "AF_UNIX", None) or transport.is_closing():
        return
    wire.setsockopt(level, option, value)
