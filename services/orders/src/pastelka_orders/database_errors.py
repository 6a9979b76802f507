"""Classification of database errors: transient ones, and those caused by a request or message."""

from asyncpg import InterfaceError, PostgresError
from asyncpg.exceptions import InternalClientError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pastelka_common.errors import PostponedError

_WAIT_SECONDS = 5.0
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_TRANSIENT_CLASSES = {
    "08",  # connection
    "28",  # login refused
    "3D",  # database does not exist
    "40",  # transaction rollback
    "53",  # insufficient resources
    "57",  # operator intervention
    "58",  # system error
    "XX",  # internal error, damaged data
}
_TRANSIENT = {
    "0A000",  # invalidated cached plan; we use no unsupported feature
    "25006",  # read-only: a replica, or set by an operator
    "25P03",  # idle-in-transaction timeout
    "25P04",  # transaction timeout
    "55006",  # object in use
    "55P03",  # lock not available
}
_DATA_CLASSES = {"22", "23"}
"""Classes of invalid values: data exception, integrity constraint violation."""


class DatabaseUnavailableError(PostponedError):
    """The database did not respond, or cannot do this now. Nothing was changed.

    A job that fails with it is postponed without counting an attempt.
    """

    def __init__(self, reason: str, *, code: str = "database_unavailable") -> None:
        super().__init__(code, "The database is unavailable.", seconds=_WAIT_SECONDS)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class CommitUnconfirmedError(DatabaseUnavailableError):
    """``COMMIT`` was sent without a response: the change may have been made, but will not be later."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, code="change_unconfirmed")


def is_transient(error: BaseException) -> bool:
    """Whether the database was unavailable, overloaded or read-only, so that a retry may succeed."""
    if isinstance(error, DatabaseUnavailableError | PoolTimeoutError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    code = sqlstate(error)
    return code in _TRANSIENT or code[:2] in _TRANSIENT_CLASSES


def is_data_error(error: BaseException) -> bool:
    """Whether the database or its driver refused a value; a retry fails again."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else None
    refused_unsent = isinstance(cause, InterfaceError) and isinstance(cause, ValueError)
    return (refused_unsent or sqlstate(error)[:2] in _DATA_CLASSES) and not is_transient(error)


def is_database_error(error: BaseException) -> bool:
    """Whether the error came from the database or its driver."""
    kinds = DatabaseUnavailableError | PoolTimeoutError | DBAPIError | PostgresError | InternalClientError
    return isinstance(error, kinds)


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's five-letter code of an error; empty if it has none."""
    source = error.orig if isinstance(error, DBAPIError) else error
    # SQLAlchemy's error of an outdated plan has none itself.
    code = getattr(source, "sqlstate", None) or getattr(getattr(source, "__cause__", None), "sqlstate", None)
    return str(code or "")


def unavailable(error: BaseException) -> DatabaseUnavailableError:
    """Wrap a transient ``error``. The database's own message is for the log only."""
    if isinstance(error, DatabaseUnavailableError):
        return error
    source = error.orig if isinstance(error, DBAPIError) and error.orig else error
    line = str(source).partition("\n")[0] or type(source).__name__
    if "unsupported startup parameter" in line:
        line += "; DATABASE_URL names a pooler: set DATABASE_DIRECT_URL to PostgreSQL itself"
    return DatabaseUnavailableError(f"{line} ({code})" if (code := sqlstate(error)) else line)
