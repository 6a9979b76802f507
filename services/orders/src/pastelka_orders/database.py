"""Transactions: commit, rollback, retries, and detection of an unavailable database."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TypeVar

import structlog
from asyncpg import InterfaceError, PostgresError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pastelka_orders.connections import SERVICE, Limits, create_engine
from pastelka_orders.database_errors import (
    CommitUnconfirmedError,
    DatabaseUnavailableError,
    is_transient,
    sqlstate,
    unavailable,
)
from pastelka_orders.repository import order_history
from pastelka_orders.settings import OrdersSettings

T = TypeVar("T")

log = structlog.get_logger(__name__)

Work = Callable[[AsyncConnection], Awaitable[T]]
"""Work to run in one transaction."""

# Serialization failure, deadlock, or a cached plan that a column's new type invalidated: a retry helps.
_RETRYABLE = {"40001", "40P01", "0A000"}
_MAX_TRIES = 5
_CHECK_SECONDS = 2.5
_is_connection_held: ContextVar[bool] = ContextVar("is_connection_held", default=False)


class Database:
    """Reads without a transaction, writes as one transaction each; both end within 30 s.

    ``is_pooled`` says that ``url`` is a pooler's (see :func:`pastelka_orders.connections.engine_of`).
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        timezone: str = "UTC",
        limits: Limits = SERVICE,
        is_pooled: bool = False,
    ) -> None:
        self._limits = limits
        self.engine, self._reading = (
            create_engine(
                url,
                pool_size=pool_size,
                timezone=timezone,
                limits=limits,
                is_pooled=is_pooled,
                autocommit=autocommit,
            )
            for autocommit in (False, True)
        )

    async def read(self, work: Work[T]) -> T:
        """Run ``work``; each of its statements has its own snapshot.

        Retried if the pooled connection turned out to be dead. Raises :class:`DatabaseUnavailableError`.
        """
        async with self._time_limit():
            return await self._with_retries(lambda: self._read_once(work))

    async def write(self, work: Work[T]) -> T:
        """Run ``work`` and commit; roll back if it raises.

        Retried after a deadlock, and if the connection was lost before the commit: nothing was changed then.
        Raises :class:`DatabaseUnavailableError`; with a :class:`CommitUnconfirmedError`, the commit may have
        been made.
        """
        end = asyncio.get_running_loop().time() + self._limits.work
        async with self._time_limit() as time:
            return await self._with_retries(lambda: self._write_once(work, time, end))

    async def check(self) -> None:
        """Raise if the database does not respond."""

        async def ping(connection: AsyncConnection) -> None:
            await connection.exec_driver_sql("SELECT 1")

        async with asyncio.timeout(_CHECK_SECONDS):
            await self._read_once(ping)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
        await self._reading.dispose()

    async def _with_retries(self, once: Callable[[], Awaitable[T]]) -> T:
        """Run ``once``, with retries after errors for which a retry helps."""
        for attempt in range(1, _MAX_TRIES + 1):
            try:
                return await once()
            except (DBAPIError, DatabaseUnavailableError) as error:
                if attempt < _MAX_TRIES and _is_retryable(error):
                    log.debug("transaction retried", sqlstate=sqlstate(error), attempt=attempt)
                elif is_transient(error):
                    raise unavailable(error) from error
                else:
                    raise
            await asyncio.sleep(random.uniform(0.005, 0.02) * attempt)  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    async def _read_once(self, work: Work[T]) -> T:
        async with _connected(self._reading) as connection:
            with _connection_held():
                return await work(connection)

    async def _write_once(self, work: Work[T], time: asyncio.Timeout, end: float) -> T:
        time.reschedule(end)
        async with _connected(self.engine) as connection:
            with _connection_held():
                await order_history.set_actor(connection)
                result = await work(connection)
            if time.expired():
                await asyncio.sleep(0)  # raises
            # Only the response tells whether the commit was made, so it has its own timeout.
            time.reschedule(None)
            await _commit(connection)
            return result

    @asynccontextmanager
    async def _time_limit(self) -> AsyncIterator[asyncio.Timeout]:
        time = asyncio.timeout(self._limits.work)
        try:
            async with time:
                yield time
        except TimeoutError as error:
            if not time.expired():
                raise
            raise DatabaseUnavailableError(f"not done in {self._limits.work} s") from error


def open_database(settings: OrdersSettings, *, pool_size: int, limits: Limits = SERVICE) -> Database:
    """Open the database that the settings name."""
    return Database(
        settings.database_url.get_secret_value(),
        pool_size=pool_size,
        timezone=settings.timezone,
        limits=limits,
        is_pooled=settings.is_database_pooled,
    )


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection of the pool; uncommitted changes are rolled back."""
    try:
        connection = await engine.connect()
    except (OSError, TimeoutError, PoolTimeoutError, DBAPIError, PostgresError, InterfaceError) as error:
        raise unavailable(error) from error
    try:
        yield connection
    finally:
        await asyncio.shield(connection.close())


async def _commit(connection: AsyncConnection) -> None:
    try:
        await connection.commit()
    except DatabaseUnavailableError as error:
        raise CommitUnconfirmedError(error.reason) from error
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise CommitUnconfirmedError(str(error.orig)) from error


def _is_retryable(error: DBAPIError | DatabaseUnavailableError) -> bool:
    if isinstance(error, DatabaseUnavailableError):
        return False
    return error.connection_invalidated or sqlstate(error) in _RETRYABLE


__all__ = ["Database", "DatabaseUnavailableError", "Work", "is_transient", "open_database", "sqlstate"]


def is_connection_held() -> bool:
    """Whether the caller holds a connection: it must not call storage, broker or provider meanwhile.

    A slow call would block the connection for other requests. The tests check this at every call.
    """
    return _is_connection_held.get()


@contextmanager
def _connection_held() -> Iterator[None]:
    token = _is_connection_held.set(True)
    try:
        yield
    finally:
        _is_connection_held.reset(token)
