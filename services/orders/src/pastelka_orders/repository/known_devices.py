"""Browsers in which a user has signed in, by the hash of the device cookie. Uses the database's clock."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.sql import execute

LIFETIME = timedelta(days=180)
"""Since the last sign-in there."""
MAX_PER_USER = 20

_FIND = """SELECT true FROM known_devices JOIN users ON users.id = known_devices.user_id
    WHERE known_devices.secret_hash = :hash AND users.name_key = :name_key
        AND known_devices.used_at > clock_timestamp() - CAST(:lifetime AS interval)"""
_USE = """INSERT INTO known_devices (secret_hash, user_id) VALUES (:hash, :user_id)
    ON CONFLICT (secret_hash) DO UPDATE SET used_at = clock_timestamp()"""
_DELETE_OLD = """DELETE FROM known_devices WHERE user_id = :user_id AND secret_hash NOT IN (
        SELECT secret_hash FROM known_devices
        WHERE user_id = :user_id AND used_at > clock_timestamp() - CAST(:lifetime AS interval)
        ORDER BY used_at DESC LIMIT :most)"""
_REMOVE_ALL = "DELETE FROM known_devices WHERE user_id = :user_id"


async def is_known(connection: AsyncConnection, secret_hash: bytes, name_key: str) -> bool:
    """Whether the user with this name has signed in with this cookie before."""
    values = {"hash": secret_hash, "name_key": name_key, "lifetime": LIFETIME}
    return (await execute(connection, _FIND, values)).scalar_one_or_none() is not None


async def record_use(connection: AsyncConnection, secret_hash: bytes, user_id: int) -> None:
    """Store the cookie of a user who has signed in, and delete the user's oldest ones."""
    await execute(connection, _USE, {"hash": secret_hash, "user_id": user_id})
    await execute(connection, _DELETE_OLD, {"user_id": user_id, "lifetime": LIFETIME, "most": MAX_PER_USER})


async def remove_of(connection: AsyncConnection, user_id: int) -> None:
    """Delete all device cookies of a user."""
    await execute(connection, _REMOVE_ALL, {"user_id": user_id})
