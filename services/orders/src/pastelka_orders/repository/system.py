"""Statistics on work; the cost of each query is independent of the amount of data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType
from pastelka_orders.repository.sql import execute
from pastelka_orders.repository.versions import TABLES

_OUTBOX = """SELECT (SELECT count(*) FROM outbox WHERE refused IS NULL) AS messages,
        EXTRACT(EPOCH FROM clock_timestamp() - (SELECT created_at FROM outbox
            WHERE refused IS NULL ORDER BY id LIMIT 1))::float8 AS oldest_seconds,
        (SELECT count(*) FROM outbox WHERE refused IS NOT NULL) AS refused"""
_VERSIONS_ACTIVE = " UNION ALL ".join(
    f"SELECT '{kind}' AS kind, count(*) AS number FROM {table} WHERE is_active"
    for kind, table in TABLES.items()
)
_MINUTES = 61
"""Clock minutes that an hour spans."""
# The condition on ``status`` matches the index ix_status_changes_ended. The clock is read once, for a common
# first minute.
_LAST_HOUR = """WITH hour AS (SELECT statement_timestamp() - interval '1 hour' AS since), ended AS (
        SELECT kind, EXTRACT(EPOCH FROM date_trunc('minute', committed_at)
                - date_trunc('minute', hour.since))::int / 60 AS minute,
            count(*) FILTER (WHERE status = 'completed') AS completed,
            count(*) FILTER (WHERE status = 'error' AND error_code = 'cancelled') AS cancelled,
            count(*) FILTER (WHERE status = 'error' AND error_code IS DISTINCT FROM 'cancelled') AS failed
        FROM status_changes, hour
        WHERE status IN ('completed', 'error') AND committed_at > hour.since
        GROUP BY 1, 2)
    SELECT date_trunc('minute', hour.since) AS begin, ended.* FROM hour LEFT JOIN ended ON true"""


@dataclass(frozen=True, slots=True)
class EndedLastHour:
    """Ended versions of one kind, by clock minute from ``begin`` on."""

    kind: StatusType
    begin: datetime
    completed: list[int]
    failed: list[int]
    cancelled: list[int]


async def outbox(connection: AsyncConnection) -> Row:  # type: ignore[type-arg]
    """Number of waiting ``messages``, age of the oldest (``oldest_seconds``), number of ``refused`` ones."""
    return (await execute(connection, _OUTBOX)).one()


async def active_versions(connection: AsyncConnection) -> dict[StatusType, int]:
    """Number of active versions of each kind."""
    return {row.kind: row.number for row in (await execute(connection, _VERSIONS_ACTIVE)).all()}


async def last_hour(connection: AsyncConnection) -> list[EndedLastHour]:
    """Versions that ended in the last hour, by kind and minute."""
    rows = (await execute(connection, _LAST_HOUR)).mappings().all()
    return [
        _ended(kind, [row for row in rows if row["kind"] == kind], rows[0]["begin"]) for kind in STATUS_ENUMS
    ]


def _ended(kind: StatusType, rows: Sequence[RowMapping], begin: datetime) -> EndedLastHour:
    counts = {outcome: [0] * _MINUTES for outcome in ("completed", "failed", "cancelled")}
    for row in rows:
        # Another connection's commit may be stamped slightly ahead: count it in the current minute.
        minute = min(row["minute"], _MINUTES - 1)
        for outcome, by_minute in counts.items():
            by_minute[minute] += row[outcome]
    return EndedLastHour(kind, begin, **counts)
