"""Sessions of signed-in browsers. Uses the database's clock."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.access.principal import Role
from pastelka_orders.repository.sql import execute

# Uses primary keys only: runs at every request.
_FIND = """SELECT users.name, users.role::text AS role FROM sessions JOIN users ON users.id = sessions.user_id
    WHERE sessions.secret_hash = :hash AND sessions.expires_at > clock_timestamp()
        AND users.disabled_at IS NULL"""
_ADD = """INSERT INTO sessions (secret_hash, user_id, expires_at)
    VALUES (:hash, :user_id, clock_timestamp()
        + LEAST(CAST(:idle AS interval), CAST(:maximum AS interval)))"""
_EXTEND = """UPDATE sessions SET last_seen_at = clock_timestamp(),
        expires_at = LEAST(clock_timestamp() + CAST(:idle AS interval),
            created_at + CAST(:maximum AS interval))
    WHERE secret_hash = :hash AND expires_at > clock_timestamp()
        AND last_seen_at < clock_timestamp() - interval '1 minute'"""
_REMOVE = "DELETE FROM sessions WHERE secret_hash = :hash RETURNING user_id"
_REMOVE_ALL = "DELETE FROM sessions WHERE user_id = :user_id"
_DELETE_EXPIRED = """DELETE FROM sessions WHERE secret_hash IN (SELECT secret_hash FROM sessions
        WHERE expires_at < clock_timestamp() ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED)"""


@dataclass(frozen=True, slots=True)
class SessionLife:
    """Lifetime of a session."""

    idle: timedelta
    """Without use."""
    maximum: timedelta
    """Maximum, even with use."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The user of a session."""

    name: str
    role: Role


async def find(connection: AsyncConnection, secret_hash: bytes) -> SignedIn | None:
    """The user of a session; ``None`` if it is unknown or expired."""
    row = (await execute(connection, _FIND, {"hash": secret_hash})).one_or_none()
    return None if row is None else SignedIn(row.name, row.role)


async def add(connection: AsyncConnection, secret_hash: bytes, user_id: int, life: SessionLife) -> None:
    """Add a session, and delete expired ones."""
    await execute(connection, _DELETE_EXPIRED)
    values = {"hash": secret_hash, "user_id": user_id, "idle": life.idle, "maximum": life.maximum}
    await execute(connection, _ADD, values)


async def extend(connection: AsyncConnection, secret_hash: bytes, life: SessionLife) -> None:
    """Extend a session in use; at most once a minute."""
    await execute(connection, _EXTEND, {"hash": secret_hash, "idle": life.idle, "maximum": life.maximum})


async def remove(connection: AsyncConnection, secret_hash: bytes) -> bool:
    """End a session; returns whether there was one."""
    return (await execute(connection, _REMOVE, {"hash": secret_hash})).scalar_one_or_none() is not None


async def remove_of(connection: AsyncConnection, user_id: int) -> int:
    """End all sessions of a user; returns their number."""
    return (await execute(connection, _REMOVE_ALL, {"user_id": user_id})).rowcount
