"""Figures about the work itself; each costs the same however much is stored."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType
from pastelka_orders.repository.versions import TABLES
from pastelka_orders.system_schemas import HourResponse, MinutesResponse, OutboxResponse

_OUTBOX = text(
    """SELECT (SELECT count(*) FROM outbox WHERE refused IS NULL) AS messages,
        EXTRACT(EPOCH FROM clock_timestamp() - (SELECT created_at FROM outbox
            WHERE refused IS NULL ORDER BY id LIMIT 1))::float8 AS oldest_seconds,
        (SELECT count(*) FROM outbox WHERE refused IS NOT NULL) AS refused"""
)
_VERSIONS_IN_HAND = text(
    " UNION ALL ".join(
        f"SELECT '{kind}' AS kind, count(*) AS number FROM {table} WHERE is_active"
        for kind, table in TABLES.items()
    )
)
_MINUTES = 61
"""Minutes by the clock that an hour touches."""
# The condition on ``status`` is the one of the index ix_status_changes_ended. The clock is read
# once, so that all minutes are counted from the same one.
_LAST_HOUR = text(
    """WITH hour AS (SELECT statement_timestamp() - interval '1 hour' AS since), ended AS (
        SELECT kind, EXTRACT(EPOCH FROM date_trunc('minute', committed_at)
                - date_trunc('minute', hour.since))::int / 60 AS minute,
            count(*) FILTER (WHERE status = 'completed') AS completed,
            count(*) FILTER (WHERE status = 'error' AND error_code = 'cancelled') AS cancelled,
            count(*) FILTER (WHERE status = 'error' AND error_code IS DISTINCT FROM 'cancelled') AS failed
        FROM status_changes, hour
        WHERE status IN ('completed', 'error') AND committed_at > hour.since
        GROUP BY 1, 2)
    SELECT date_trunc('minute', hour.since) AS begin, ended.* FROM hour LEFT JOIN ended ON true"""
)


async def outbox(connection: AsyncConnection) -> OutboxResponse:
    """How much waits to be published."""
    row = (await connection.execute(_OUTBOX)).mappings().one()
    return OutboxResponse.model_validate(dict(row))


async def active_versions(connection: AsyncConnection) -> dict[StatusType, int]:
    """How many versions of each kind are asked for and have not ended."""
    return {row.kind: row.number for row in (await connection.execute(_VERSIONS_IN_HAND)).all()}


async def last_hour(connection: AsyncConnection) -> list[HourResponse]:
    """What ended in the last hour, for each kind of version, and in which minutes."""
    rows = (await connection.execute(_LAST_HOUR)).mappings().all()
    begin = rows[0]["begin"]
    return [_hour(kind, begin, [row for row in rows if row["kind"] == kind]) for kind in STATUS_ENUMS]


def _hour(kind: StatusType, begin: datetime, rows: Sequence[RowMapping]) -> HourResponse:
    minutes = MinutesResponse(
        begin=begin,
        completed=_by_minute(rows, "completed"),
        failed=_by_minute(rows, "failed"),
        cancelled=_by_minute(rows, "cancelled"),
    )
    completed, failed = sum(minutes.completed), sum(minutes.failed)
    ended = completed + failed
    return HourResponse(
        kind=kind,
        completed=completed,
        failed=failed,
        cancelled=sum(minutes.cancelled),
        failure_rate=failed / ended if ended else None,
        minutes=minutes,
    )


def _by_minute(rows: Sequence[RowMapping], outcome: str) -> list[int]:
    counts = [0] * _MINUTES
    for row in rows:
        # A commit that another connection stamped a moment ahead belongs to the present minute.
        counts[min(row["minute"], _MINUTES - 1)] += row[outcome]
    return counts
