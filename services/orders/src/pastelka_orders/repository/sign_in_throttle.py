"""Rate limit of failed sign-ins per name and address, across all replicas.

Generic cell rate algorithm (ITU-T I.371): a key has ``burst`` attempts and regains one every ``pause``; a
single timestamp encodes how many are left, and one statement consumes one.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.sql import execute

_CONSUME = """INSERT INTO sign_in_throttle AS kept (key, free_at)
    VALUES (:key, clock_timestamp() + CAST(:pause AS interval))
    ON CONFLICT (key) DO UPDATE
        SET free_at = GREATEST(kept.free_at, clock_timestamp()) + CAST(:pause AS interval)
    WHERE GREATEST(kept.free_at, clock_timestamp()) + CAST(:pause AS interval)
        <= clock_timestamp() + CAST(:window AS interval)
    RETURNING free_at"""
_WAIT = """SELECT EXTRACT(EPOCH FROM free_at + CAST(:pause AS interval) - CAST(:window AS interval)
        - clock_timestamp())::float8
    FROM sign_in_throttle WHERE key = :key"""
_REFUND = "UPDATE sign_in_throttle SET free_at = free_at - CAST(:pause AS interval) WHERE key = :key"
_DELETE_FULL = """DELETE FROM sign_in_throttle WHERE key IN (SELECT key FROM sign_in_throttle
        WHERE free_at < clock_timestamp() ORDER BY free_at LIMIT 100 FOR UPDATE SKIP LOCKED)"""


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` attempts per window, regained one by one."""

    burst: int
    window: timedelta

    @property
    def pause(self) -> timedelta:
        """Time to regain one attempt."""
        return self.window / self.burst


async def consume(connection: AsyncConnection, key: bytes, rate: Rate) -> int:
    """Consume one attempt of ``key``: 0, or the seconds until one is available."""
    values = {"key": key, "pause": rate.pause, "window": rate.window}
    if (await execute(connection, _CONSUME, values)).scalar_one_or_none() is not None:
        return 0
    seconds: float | None = (await execute(connection, _WAIT, values)).scalar_one_or_none()
    return max(1, ceil(seconds or 0))


async def refund(connection: AsyncConnection, key: bytes, rate: Rate) -> None:
    """Return an attempt that succeeded."""
    await execute(connection, _REFUND, {"key": key, "pause": rate.pause})


async def delete_full(connection: AsyncConnection) -> None:
    """Delete keys with all attempts available."""
    await execute(connection, _DELETE_FULL)
