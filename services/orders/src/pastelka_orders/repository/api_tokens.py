"""API tokens. The clock is the database's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.access.principal import Scope
from pastelka_orders.repository.accounts import name_key
from pastelka_orders.repository.sql import execute

# Uses a unique index: runs at every request.
_FIND = """SELECT id, name, scope::text AS scope,
        last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '10 minutes' AS is_use_unrecorded
    FROM api_tokens
    WHERE secret_hash = :hash AND revoked_at IS NULL AND expires_at > clock_timestamp()"""
_USED = "UPDATE api_tokens SET last_used_at = clock_timestamp() WHERE id = :id"
_ADD = """INSERT INTO api_tokens (name, name_key, secret_hash, scope, expires_at)
    VALUES (:name, :key, :hash, CAST(:scope AS tokenscope), clock_timestamp() + CAST(:life AS interval))
    ON CONFLICT (name_key) WHERE revoked_at IS NULL DO NOTHING RETURNING expires_at"""
_LIST = """SELECT id, name, scope::text AS scope, created_at, expires_at, revoked_at, last_used_at,
        revoked_at IS NULL AND expires_at > clock_timestamp() AS is_good
    FROM api_tokens ORDER BY created_at, id"""
_REVOKE = """UPDATE api_tokens SET revoked_at = clock_timestamp()
    WHERE name_key = :key AND revoked_at IS NULL RETURNING id"""


@dataclass(frozen=True, slots=True)
class ActiveToken:
    """A token that a request has just used. ``is_use_unrecorded``: its last use was not recorded recently."""

    id: int
    name: str
    scope: Scope
    is_use_unrecorded: bool


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token for display, without its secret."""

    id: int
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    is_good: bool


async def find(connection: AsyncConnection, secret_hash: bytes) -> ActiveToken | None:
    """Find a valid token by its hash."""
    row = (await execute(connection, _FIND, {"hash": secret_hash})).one_or_none()
    return None if row is None else ActiveToken(row.id, row.name, row.scope, row.is_use_unrecorded)


async def record_use(connection: AsyncConnection, token_id: int) -> None:
    """Record the use of a token."""
    await execute(connection, _USED, {"id": token_id})


async def add(
    connection: AsyncConnection, name: str, scope: Scope, secret_hash: bytes, life: timedelta
) -> datetime | None:
    """Add a token; returns its expiry, or ``None`` if an active one has this name."""
    values = {
        "name": name.strip(),
        "key": name_key(name),
        "hash": secret_hash,
        "scope": scope,
        "life": life,
    }
    found: datetime | None = (await execute(connection, _ADD, values)).scalar_one_or_none()
    return found


async def list_all(connection: AsyncConnection) -> Sequence[TokenRow]:
    """All tokens, oldest first."""
    return [TokenRow(**row) for row in (await execute(connection, _LIST)).mappings()]


async def revoke(connection: AsyncConnection, name: str) -> bool:
    """Revoke a token; returns whether an active one existed."""
    return (await execute(connection, _REVOKE, {"key": name_key(name)})).scalar_one_or_none() is not None
