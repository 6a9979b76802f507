"""Connections to PostgreSQL, and the edge at which transactions are committed."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

T = TypeVar("T")

Work = Callable[[AsyncConnection], Awaitable[T]]
"""What is done in one transaction."""

# Another transaction went first in a way that cannot be waited out: doing it again is the remedy.
_TRY_AGAIN = {"40001", "40P01"}
_TRIES = 5
_is_connection_held: ContextVar[bool] = ContextVar("is_connection_held", default=False)
_PASSING = {"08", "28", "3D", "40", "53", "57", "58"}


class Database:
    """One engine; reads without a transaction, writes as one transaction each."""

    def __init__(self, url: str, *, pool_size: int = 10, timezone: str = "UTC") -> None:
        self.engine = _engine(url, pool_size, timezone)
        # For reading, one statement is its own transaction: no BEGIN and ROLLBACK around each, and
        # nothing to reset when the connection goes back to the pool.
        self._reading = _engine(
            url, pool_size, timezone, isolation_level="AUTOCOMMIT", pool_reset_on_return=None
        )

    async def read(self, work: Work[T]) -> T:
        """Do ``work``, every statement of which sees what is committed at that moment.

        Done again if it met a connection that had died while it lay in the pool.
        """
        try:
            async with self._reading.connect() as connection:
                with _held():
                    return await work(connection)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        async with self._reading.connect() as connection:
            with _held():
                return await work(connection)

    async def write(self, work: Work[T]) -> T:
        """Do ``work`` and commit; rolled back if it raises.

        Done again after a deadlock, and if the connection was lost before the commit: then nothing was
        changed. A commit whose answer is lost may have been made, and is not repeated.
        """
        for attempt in range(1, _TRIES + 1):
            committing = False
            try:
                async with self.engine.begin() as connection:
                    with _held():
                        result = await work(connection)
                    committing = True
                return result  # noqa: TRY300 - only once it is committed
            except DBAPIError as error:
                lost = error.connection_invalidated and not committing
                if attempt == _TRIES or not (lost or sqlstate(error) in _TRY_AGAIN):
                    raise
            await asyncio.sleep(random.uniform(0.005, 0.02) * attempt)  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    async def check(self) -> None:
        """Raise if the database does not answer."""
        async with self._reading.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def aclose(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
        await self._reading.dispose()


def is_connection_held() -> bool:
    """Whether the caller works on a connection: it calls no storage, broker or provider meanwhile.

    A slow one would keep the connection from every other request. The tests hold every call to it.
    """
    return _is_connection_held.get()


@contextmanager
def _held() -> Iterator[None]:
    token = _is_connection_held.set(True)
    try:
        yield
    finally:
        _is_connection_held.reset(token)


def _engine(url: str, pool_size: int, timezone: str, **options: Any) -> AsyncEngine:
    """An engine with a pool of its own; connections are opened when they are first needed."""
    settings = {"timezone": timezone, "jit": "off", "application_name": "pastelka-orders"}
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        hide_parameters=True,  # names and e-mails of customers are no part of an error
        connect_args={"server_settings": settings},
        **options,
    )


def is_passing(error: Exception) -> bool:
    """Whether the database was away or overloaded, so that the same may succeed later.

    By the classes of PostgreSQL's error codes: connection (08), a login that is refused (28), a database
    that is not there (3D), transaction rollback (40), insufficient resources (53), operator intervention
    (57), system error (58). Somebody has to mend a login, but no request and no job is at fault.
    """
    if isinstance(error, PostgresError):  # SQLAlchemy wraps none that are raised while connecting
        return (error.sqlstate or "")[:2] in _PASSING
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (sqlstate(error) or "")[:2] in _PASSING
    return isinstance(error, OSError | TimeoutError | PoolTimeoutError)


def sqlstate(error: DBAPIError) -> str | None:
    """PostgreSQL's five-letter code of an error."""
    return getattr(error.orig, "sqlstate", None)
