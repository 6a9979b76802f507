"""Figures about the work itself; each costs the same however much is stored."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.statuses import STATUS_ENUMS
from pastelka_orders.system_schemas import HourResponse, OutboxResponse

_OUTBOX = text(
    """SELECT (SELECT count(*) FROM outbox) AS messages, EXTRACT(EPOCH FROM clock_timestamp() -
        (SELECT created_at FROM outbox ORDER BY id LIMIT 1))::float8 AS oldest_seconds"""
)
# The condition on ``status`` is the one of the index ix_status_changes_ended.
_LAST_HOUR = text(
    """SELECT kind, count(*) FILTER (WHERE status = 'completed') AS completed,
        count(*) FILTER (WHERE status = 'error' AND error_code = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE status = 'error' AND error_code IS DISTINCT FROM 'cancelled') AS failed
    FROM status_changes
    WHERE status IN ('completed', 'error') AND committed_at > clock_timestamp() - interval '1 hour'
    GROUP BY kind"""
)


async def outbox(connection: AsyncConnection) -> OutboxResponse:
    """How much waits to be published."""
    row = (await connection.execute(_OUTBOX)).mappings().one()
    return OutboxResponse.model_validate(dict(row))


async def last_hour(connection: AsyncConnection) -> list[HourResponse]:
    """What ended in the last hour, for each kind of version."""
    rows = {row["kind"]: row for row in (await connection.execute(_LAST_HOUR)).mappings()}
    hours = []
    for kind in STATUS_ENUMS:
        row = rows.get(kind)
        completed, failed, cancelled = (
            (row["completed"], row["failed"], row["cancelled"]) if row else (0, 0, 0)
        )
        ended = completed + failed
        hours.append(
            HourResponse(
                kind=kind,
                completed=completed,
                failed=failed,
                cancelled=cancelled,
                failure_rate=failed / ended if ended else None,
            )
        )
    return hours
