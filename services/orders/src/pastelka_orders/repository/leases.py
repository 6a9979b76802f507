"""Queries on leases: name, holder, and expiry by the database's clock."""

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.sql import execute

_ACQUIRE = """INSERT INTO leases AS l (name, holder, expires_at)
    VALUES (:name, :holder, clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at,
        taken_at = CASE WHEN l.holder = excluded.holder THEN l.taken_at ELSE clock_timestamp() END
    WHERE l.holder = excluded.holder OR l.expires_at < clock_timestamp()
    RETURNING 1"""
_LOCK = "SELECT 1 FROM leases WHERE name = :name AND holder = :holder FOR UPDATE"
_RELEASE = "DELETE FROM leases WHERE name = :name AND holder = :holder"


async def acquire(connection: AsyncConnection, name: str, holder: str, seconds: float) -> bool:
    """Acquire or renew a lease for ``seconds``; ``False`` while another holder has it."""
    values = {"name": name, "holder": holder, "seconds": seconds}
    return (await execute(connection, _ACQUIRE, values)).first() is not None


async def lock(connection: AsyncConnection, name: str, holder: str) -> bool:
    """Lock the lease's row until the transaction ends; ``False`` if ``holder`` does not have it."""
    return (await execute(connection, _LOCK, {"name": name, "holder": holder})).first() is not None


async def delete(connection: AsyncConnection, name: str, holder: str) -> None:
    """Delete the lease if ``holder`` has it."""
    await execute(connection, _RELEASE, {"name": name, "holder": holder})
