"""Queries on users."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.access.principal import Role
from pastelka_orders.domain.text import single_line
from pastelka_orders.repository.sql import execute

_COLUMNS = "id, name, role::text AS role, password_hash, created_at, disabled_at"
_FIND = f"SELECT {_COLUMNS} FROM users WHERE name_key = :key"
_LIST = f"""SELECT {_COLUMNS}, (SELECT max(last_seen_at) FROM sessions
    WHERE user_id = users.id) AS last_seen_at
    FROM users ORDER BY name_key"""
_COUNT = "SELECT count(*) FROM users WHERE disabled_at IS NULL"
_ADD = """INSERT INTO users (name, name_key, role, password_hash)
    VALUES (:name, :key, CAST(:role AS userrole), :hash) ON CONFLICT (name_key) DO NOTHING RETURNING id"""
_SET_ROLE = "UPDATE users SET role = CAST(:role AS userrole) WHERE name_key = :key RETURNING id"
_SET_PASSWORD = "UPDATE users SET password_hash = :hash WHERE name_key = :key RETURNING id"  # noqa: S105 - a statement
_DISABLE = """UPDATE users SET disabled_at = COALESCE(disabled_at, clock_timestamp())
    WHERE name_key = :key RETURNING id"""
_ENABLE = "UPDATE users SET disabled_at = NULL WHERE name_key = :key RETURNING id"
_REMOVE = "DELETE FROM users WHERE name_key = :key RETURNING id"
# A transaction that changes the password or disables the user waits for this lock, then ends the session.
_LOCK_UNCHANGED = """SELECT name, role::text AS role FROM users
    WHERE id = :id AND password_hash = :hash AND disabled_at IS NULL FOR NO KEY UPDATE"""
_REHASH = "UPDATE users SET password_hash = :hash WHERE id = :id"


@dataclass(frozen=True, slots=True)
class Account:
    """A user as the database has it."""

    id: int
    name: str
    role: Role
    password_hash: str
    created_at: datetime
    disabled_at: datetime | None
    last_seen_at: datetime | None = None


def name_key(name: str) -> str:
    """Lookup key of a name: case-folded, accents normalized, invisible characters removed."""
    return unicodedata.normalize("NFKC", single_line(name)).casefold()


async def find(connection: AsyncConnection, name: str) -> Account | None:
    """Find a user by name."""
    row = (await execute(connection, _FIND, {"key": name_key(name)})).mappings().one_or_none()
    return None if row is None else Account(**row)


async def list_all(connection: AsyncConnection) -> Sequence[Account]:
    """All users by name, with the last use of their sessions."""
    return [Account(**row) for row in (await execute(connection, _LIST)).mappings()]


async def count(connection: AsyncConnection) -> int:
    """Number of users that may sign in."""
    return int((await execute(connection, _COUNT)).scalar_one())


async def add(connection: AsyncConnection, name: str, role: Role, password_hash: str) -> bool:
    """Add a user; ``False`` if the name exists."""
    values = {"name": name.strip(), "key": name_key(name), "role": role, "hash": password_hash}
    return (await execute(connection, _ADD, values)).scalar_one_or_none() is not None


async def set_role(connection: AsyncConnection, name: str, role: Role) -> int | None:
    """Change the role, effective from the next request; returns the user's id, if it exists."""
    return _id(await execute(connection, _SET_ROLE, {"key": name_key(name), "role": role}))


async def set_password(connection: AsyncConnection, name: str, password_hash: str) -> int | None:
    """Change the password; returns the user's id, if it exists."""
    return _id(await execute(connection, _SET_PASSWORD, {"key": name_key(name), "hash": password_hash}))


async def set_disabled(connection: AsyncConnection, name: str, *, disabled: bool) -> int | None:
    """Disable or enable a user; returns the user's id, ``None`` if there is no such user."""
    return _id(await execute(connection, _DISABLE if disabled else _ENABLE, {"key": name_key(name)}))


async def remove(connection: AsyncConnection, name: str) -> int | None:
    """Delete the user with all sessions; returns its id, if it existed."""
    return _id(await execute(connection, _REMOVE, {"key": name_key(name)}))


async def lock_unchanged(connection: AsyncConnection, account: Account) -> Account | None:
    """Lock the user until the transaction ends; ``None`` if disabled or the password changed."""
    values = {"id": account.id, "hash": account.password_hash}
    row = (await execute(connection, _LOCK_UNCHANGED, values)).mappings().one_or_none()
    if row is None:
        return None
    return Account(
        account.id, row["name"], row["role"], account.password_hash, account.created_at, disabled_at=None
    )


async def rehash(connection: AsyncConnection, user_id: int, password_hash: str) -> None:
    """Replace the hash of an unchanged password."""
    await execute(connection, _REHASH, {"id": user_id, "hash": password_hash})


def _id(result: Any) -> int | None:
    found: int | None = result.scalar_one_or_none()
    return found
