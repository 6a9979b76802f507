"""What is remembered of the looks for orders that are too old, and of erasures that do not get on."""

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
    """How the last look went; ``waiting`` erasures are not finished, ``failing`` ones were tried in vain.

    ``failure`` is why the first of those failed.
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
    """The database's present moment."""
    found: datetime = (await execute(connection, _CLOCK)).scalar_one()
    return found


async def state(connection: AsyncConnection) -> RetentionSnapshot | None:
    """What is remembered, if there was a look."""
    row = (await execute(connection, _STATE)).mappings().first()
    return RetentionSnapshot(**row) if row else None


async def begin(connection: AsyncConnection, *, days: int | None) -> None:
    """Count from now on, unless that was begun before."""
    await execute(connection, _BEGIN, {"days": days})


async def note_run(connection: AsyncConnection, *, days: int | None, error: str | None = None) -> None:
    """Remember a look, and why it could not do its work."""
    await execute(connection, _RAN, {"days": days, "error": error})


async def note_erased(connection: AsyncConnection) -> None:
    """Count an order that was erased because it was too old."""
    await execute(connection, _ERASED)
