"""Connections to PostgreSQL that wait for nothing longer than a bound, and are dropped when in doubt.

The bounds fit into each other, so that a request ends within 30 s and changes nothing afterwards:

- the server ends a transaction whose client is silent for ``idle`` seconds: a ``COMMIT`` that is still
  on its way then finds nothing to commit;
- it gives up a lock after ``lock`` seconds, which is longer, so that what waits for such a transaction
  gets its turn, and a statement after ``statement`` seconds;
- we wait ``answer`` seconds for each answer, which is longer than all of these.

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
"""For a connection of the pool to be free."""
_CLOSE_SECONDS = 2.0
_UNACKNOWLEDGED_SECONDS = 10
"""After which a peer that acknowledges nothing is taken for dead; so are idle ones after 10 + 3 x 5 s."""
_KEEPALIVES = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
SERVER_KEEPALIVES = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": f"{_UNACKNOWLEDGED_SECONDS}s",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in seconds."""

    idle: int = 8
    lock: int = 10
    statement: int = 12
    answer: int = 14
    work: int = 15
    """Everything before the ``COMMIT``, with the wait for a connection and another try."""

    @property
    def session(self) -> dict[str, str]:
        """Settings of PostgreSQL."""
        return {
            "idle_in_transaction_session_timeout": f"{self.idle}s",
            "lock_timeout": f"{self.lock}s",
            "statement_timeout": f"{self.statement}s",
            "jit": "off",
        }


SERVICE = Limits()
COMMAND = Limits(idle=60, lock=60, statement=900, answer=960, work=3600)
"""Of a person's command, which may look at everything there is."""


class BoundedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection whose peer is noticed to be gone, and which never takes long to close."""

    def __init__(self, protocol: Any, transport: asyncio.Transport, *args: Any, **options: Any) -> None:
        super().__init__(protocol, transport, *args, **options)
        self._wire = transport
        _watch(transport)

    async def close(self, *, timeout: float | None = None) -> None:
        """Close; a peer that does not answer is not waited for."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await super().close(timeout=timeout)
        except TimeoutError:
            self.terminate()

    def terminate(self) -> None:
        """Drop it with everything that was not delivered: the kernel would go on sending a ``COMMIT``."""
        _set(self._wire, socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        super().terminate()


def create_engine(
    url: str, *, pool_size: int, timezone: str, limits: Limits, is_pooled: bool, autocommit: bool
) -> AsyncEngine:
    """An engine with a pool of its own; connections are opened when they are first needed.

    ``is_pooled``: between us and PostgreSQL is a pooler that gives each transaction another session
    (PgBouncer's ``transaction``). Then nothing is left in a session: no named statement, no setting but
    those that the pooler itself carries over, and every read is a transaction of its own.
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
        # One statement is its own transaction: no BEGIN and ROLLBACK around each, and nothing to
        # reset when the connection goes back to the pool.
        options = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=CHECKOUT_SECONDS,
        hide_parameters=True,  # names and e-mails of customers are no part of an error
        connect_args=connect_args,
        **options,
    )
    event.listen(engine.sync_engine, "handle_error", _discard_when_silent)
    if is_pooled:
        event.listen(engine.sync_engine, "begin", _set_locally(limits))
    return engine


def _discard_when_silent(context: ExceptionContext) -> DatabaseUnavailableError | None:
    """A connection on which an answer is missing is used no more, nor is any that is as old as it."""
    error = context.original_exception
    connection = context.connection
    if not isinstance(error, TimeoutError | asyncio.CancelledError) or connection is None:
        return None
    if not (connection.closed or connection.invalidated):
        driver: Any = connection.connection.driver_connection
        driver.terminate()
    context.is_disconnect = context.invalidate_pool_on_disconnect = True
    return DatabaseUnavailableError("no answer in time") if isinstance(error, TimeoutError) else None


def _set_locally(limits: Limits) -> Any:
    settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in limits.session.items())

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT {settings}")

    return begun


def _watch(transport: asyncio.Transport) -> None:
    """Let the kernel notice a peer that is gone (not every system has all of these)."""
    _set(transport, socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in {**_KEEPALIVES, "TCP_USER_TIMEOUT": 1000 * _UNACKNOWLEDGED_SECONDS}.items():
        if hasattr(socket, name):
            _set(transport, socket.IPPROTO_TCP, getattr(socket, name), value)


def _set(transport: asyncio.Transport, level: int, option: int, value: int | bytes) -> None:
    wire = transport.get_extra_info("socket")
    if wire is None or wire.family == getattr(socket, "AF_UNIX", None) or transport.is_closing():
        return
    wire.setsockopt(level, option, value)
