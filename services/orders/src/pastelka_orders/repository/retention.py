"""State of the retention, and of erasures that fail."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.sql import execute

_CLOCK = "SELECT clock_timestamp()"
_STATE = """SELECT r.ran_at, r.days, r.since, r.erased, r.last_erased_at, r.error, w.waiting, w.failing,
        w.failure FROM retention r,
        (SELECT count(*) AS waiting, count(last_error) AS failing,
            (array_agg(last_error ORDER BY order_id) FILTER (WHERE last_error IS NOT NULL))[1] AS failure
        FROM erasures WHERE erased_at IS NULL) w"""
_BEGIN = """INSERT INTO retention (id, ran_at, days, since)
    VALUES (1, clock_timestamp(), CAST(:days AS integer), clock_timestamp()) ON CONFLICT (id) DO NOTHING"""
_RAN = """UPDATE retention SET ran_at = clock_timestamp(), days = CAST(:days AS integer),
        error = CAST(:error AS text)"""
_ERASED = "UPDATE retention SET erased = erased + 1, last_erased_at = clock_timestamp()"


@dataclass(frozen=True, slots=True)
class RetentionSnapshot:
    """Result of the last pass; ``waiting`` erasures are unfinished, ``failing`` ones had an error.

    ``failure`` is the error of the first of those.
    """

    ran_at: datetime
    days: int | None
    since: datetime
    erased: int
    last_erased_at: datetime | None
    error: str | None
    waiting: int
    failing: int
    failure: str | None


async def clock(connection: AsyncConnection) -> datetime:
    """Current time of the database's clock."""
    found: datetime = (await execute(connection, _CLOCK)).scalar_one()
    return found


async def state(connection: AsyncConnection) -> RetentionSnapshot | None:
    """The result of the last pass; ``None`` before the first."""
    row = (await execute(connection, _STATE)).mappings().first()
    return RetentionSnapshot(**row) if row else None


async def begin(connection: AsyncConnection, *, days: int | None) -> None:
    """Start the count of erased orders, unless already started."""
    await execute(connection, _BEGIN, {"days": days})


async def save_run(connection: AsyncConnection, *, days: int | None, error: str | None = None) -> None:
    """Store a pass, and its error."""
    await execute(connection, _RAN, {"days": days, "error": error})


async def count_erased(connection: AsyncConnection) -> None:
    """Count an order erased by the retention."""
    await execute(connection, _ERASED)
