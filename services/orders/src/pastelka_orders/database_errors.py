"""Errors of the database: which pass, and which say that a request or a message is at fault."""

from asyncpg import InterfaceError, PostgresError
from asyncpg.exceptions import InternalClientError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pastelka_common.errors import PostponedError

_WAIT_SECONDS = 5.0
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING_CLASSES = {
    "08",  # connection
    "28",  # a login that is refused
    "3D",  # a database that is not there
    "40",  # transaction rollback
    "53",  # insufficient resources
    "57",  # operator intervention
    "58",  # system error
    "XX",  # internal error, damaged data
}
_PASSING = {
    "0A000",  # a cached plan whose columns have changed; nothing of ours is not supported
    "25006",  # read-only: a replica, or an operator's wish
    "25P03",  # idle in transaction for too long
    "25P04",  # a transaction that took too long
    "55006",  # object in use
    "55P03",  # a lock that is not to be had
}
_OF_DATA = {"22", "23"}
"""Classes that say that a value is wrong: data exception, integrity constraint violation."""


class DatabaseUnavailableError(PostponedError):
    """The database did not answer, or cannot do this now. Nothing was changed.

    No request and no job is at fault: a job that meets it waits without losing an attempt.
    """

    def __init__(self, reason: str, *, code: str = "database_unavailable") -> None:
        super().__init__(code, "The database is unavailable.", seconds=_WAIT_SECONDS)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class CommitUnconfirmedError(DatabaseUnavailableError):
    """``COMMIT`` was sent and not answered: the change may have been made. It will not be made later."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, code="change_unconfirmed")


def is_transient(error: BaseException) -> bool:
    """Whether the database was away, overloaded or read-only, so that the same may succeed later."""
    if isinstance(error, DatabaseUnavailableError | PoolTimeoutError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    code = sqlstate(error)
    return code in _PASSING or code[:2] in _PASSING_CLASSES


def is_data_error(error: BaseException) -> bool:
    """Whether the database, or its driver, refused a value, as it will do again."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else None
    refused_unsent = isinstance(cause, InterfaceError) and isinstance(cause, ValueError)
    return (refused_unsent or sqlstate(error)[:2] in _OF_DATA) and not is_transient(error)


def is_database_error(error: BaseException) -> bool:
    """Whether the database said it, or did not answer."""
    kinds = DatabaseUnavailableError | PoolTimeoutError | DBAPIError | PostgresError | InternalClientError
    return isinstance(error, kinds)


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's five-letter code of an error; empty if it has none."""
    said = error.orig if isinstance(error, DBAPIError) else error
    # SQLAlchemy's error of an outdated plan has none of its own.
    code = getattr(said, "sqlstate", None) or getattr(getattr(said, "__cause__", None), "sqlstate", None)
    return str(code or "")


def unavailable(error: BaseException) -> DatabaseUnavailableError:
    """``error``, which passes, as callers know it. What the database said is for the log only."""
    if isinstance(error, DatabaseUnavailableError):
        return error
    said = error.orig if isinstance(error, DBAPIError) and error.orig else error
    line = str(said).partition("\n")[0] or type(said).__name__
    if "unsupported startup parameter" in line:
        line += "; DATABASE_URL is a pooler's: set DATABASE_DIRECT_URL to PostgreSQL itself"
    return DatabaseUnavailableError(f"{line} ({code})" if (code := sqlstate(error)) else line)
