"""How often signing in fails, for each name and each address, over all replicas.

The generic cell rate algorithm (ITU-T I.371): a key has ``burst`` attempts, and gets one back every
``pause``; a single moment says how many are left, and one statement takes one.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from sqlalchemy import Interval, LargeBinary, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

_TAKE = text(
    """INSERT INTO sign_in_throttle AS kept (key, free_at) VALUES (:key, clock_timestamp() + :pause)
    ON CONFLICT (key) DO UPDATE SET free_at = GREATEST(kept.free_at, clock_timestamp()) + :pause
    WHERE GREATEST(kept.free_at, clock_timestamp()) + :pause <= clock_timestamp() + :window
    RETURNING free_at"""
)
_WAIT = text(
    """SELECT EXTRACT(EPOCH FROM free_at + :pause - :window - clock_timestamp())::float8
    FROM sign_in_throttle WHERE key = :key"""
)
_GIVE_BACK = text("UPDATE sign_in_throttle SET free_at = free_at - :pause WHERE key = :key")
_FORGET = text(
    """DELETE FROM sign_in_throttle WHERE key IN (SELECT key FROM sign_in_throttle
        WHERE free_at < clock_timestamp() ORDER BY free_at LIMIT 100 FOR UPDATE SKIP LOCKED)"""
)
_TYPES = {"key": LargeBinary, "pause": Interval, "window": Interval}
_TAKE = _TAKE.bindparams(*(bindparam(name, type_=kind) for name, kind in _TYPES.items()))
_WAIT = _WAIT.bindparams(*(bindparam(name, type_=kind) for name, kind in _TYPES.items()))
_GIVE_BACK = _GIVE_BACK.bindparams(*(bindparam(name, type_=_TYPES[name]) for name in ("key", "pause")))


@dataclass(frozen=True, slots=True)
class Rate:
    """So many attempts in a window; each comes back by itself after its share of it."""

    burst: int
    window: timedelta

    @property
    def pause(self) -> timedelta:
        """After which one attempt comes back."""
        return self.window / self.burst


async def take(connection: AsyncConnection, key: bytes, rate: Rate) -> int:
    """Use up one attempt of ``key``: 0, or the seconds until there is one."""
    values = {"key": key, "pause": rate.pause, "window": rate.window}
    if (await connection.execute(_TAKE, values)).scalar_one_or_none() is not None:
        return 0
    seconds: float | None = (await connection.execute(_WAIT, values)).scalar_one_or_none()
    return max(1, ceil(seconds or 0))


async def give_back(connection: AsyncConnection, key: bytes, rate: Rate) -> None:
    """An attempt that did not fail costs nothing."""
    await connection.execute(_GIVE_BACK, {"key": key, "pause": rate.pause})


async def forget(connection: AsyncConnection) -> None:
    """Delete what is free again."""
    await connection.execute(_FORGET)
