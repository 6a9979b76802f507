"""Migrates the database to a schema revision; safe to call from several processes at once.

All revisions of one call run in one transaction: it applies all of them or none. Alembic keeps its context in
globals: one process migrates one database at a time.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, make_url, pool, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from pastelka_orders.connections import SERVER_KEEPALIVES, BoundedConnection

_LOCK = 0x7061_7374_656C_6B61  # "pastelka"
_TABLE_LOCK_TIMEOUT = "60s"  # rather than block all traffic behind a transaction that never ends
_SESSION = {**SERVER_KEEPALIVES, "idle_in_transaction_session_timeout": "10min", "statement_timeout": "2h"}
"""So that a crashed process does not keep its locks; statements may convert much data."""

Report = Callable[[str], None]
"""Receives one line per step."""


class MigrationError(Exception):
    """The database cannot be migrated to the requested revision; the message states the cause."""


class DatabaseUrlError(MigrationError):
    """The URL is malformed or of another kind of database; the message does not quote it."""


def silent(_: str) -> None:
    """Report nothing."""


async def upgrade(
    url: str, revision: str = "head", *, storage_path: str | None = None, report: Report = silent
) -> None:
    """Upgrade the database at ``url`` (``postgresql+asyncpg://...``) to ``revision``.

    ``storage_path`` is the storage root of an installation of the system we replace (default
    ``/data/images``); it is removed from the paths in its rows. Raises :class:`MigrationError`, or
    SQLAlchemy's and the driver's errors.
    """
    await _migrate(command.upgrade, url, revision, storage_path, report)


async def downgrade(
    url: str, revision: str, *, storage_path: str | None = None, report: Report = silent
) -> None:
    """Downgrade the database at ``url`` to ``revision`` (``base``: before the first). Errors as above."""
    await _migrate(command.downgrade, url, revision, storage_path, report)


async def current(url: str) -> str | None:
    """The revision the database is at; ``None`` before the first."""
    async with _transaction(url) as connection:
        return await connection.run_sync(_revision)


def head() -> str:
    """The newest revision this program knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


async def _migrate(
    run: Callable[[Config, str], None], url: str, revision: str, storage_path: str | None, report: Report
) -> None:
    config = _config()
    config.attributes.update(storage_path=storage_path, report=report)
    async with _transaction(url) as connection:
        await _lock(connection, report)
        await connection.run_sync(_run, run, config, revision)


def _run(connection: Connection, run: Callable[[Config, str], None], config: Config, revision: str) -> None:
    before = _revision(connection)
    config.attributes["connection"] = connection
    try:
        run(config, revision)
    except CommandError as error:
        raise MigrationError(_explain(error, before, revision)) from error
    if _revision(connection) == before:
        config.attributes["report"](f"already at {before or 'empty'}")


def _explain(error: CommandError, before: str | None, revision: str) -> str:
    return (
        f"cannot go from revision {before or 'empty'} to {revision}: {error}. This program knows 001 to"
        f" {head()}; a database of the system we replace upgrades from any revision up to 004"
    )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def _lock(connection: AsyncConnection, report: Report) -> None:
    """Wait until no other process is migrating this database; the lock ends with the transaction."""
    key = {"key": _LOCK}
    if not await connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), key):
        report("another process is migrating this database; waiting for it")
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), key)
    await connection.execute(text(f"SET LOCAL lock_timeout = '{_TABLE_LOCK_TIMEOUT}'"))


@asynccontextmanager
async def _transaction(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(
        _with_driver(url),
        poolclass=pool.NullPool,
        connect_args={"connection_class": BoundedConnection, "server_settings": _SESSION},
    )
    async with engine.begin() as connection:
        yield connection


def _with_driver(url: str) -> str:
    expected = "expected postgresql+asyncpg://user:password@host:5432/database"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not the original error: it quotes the URL, which may contain a password.
        raise DatabaseUrlError(f"the database URL is malformed; {expected}") from None
    if parsed.drivername not in {"postgresql", "postgresql+asyncpg"}:
        raise DatabaseUrlError(f"the database URL begins with {parsed.drivername}://; {expected}")
    return parsed.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "pastelka_orders:migrations")
    config.set_main_option("path_separator", "os")
    return config
