"""Queries on the queues that operators have paused."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.statuses import StatusType
from pastelka_orders.repository.sql import execute

_ALL = "SELECT kind, paused_at, paused_by FROM queue_pauses"
_PAUSE = """INSERT INTO queue_pauses (kind, paused_by) VALUES (:kind, :paused_by)
    ON CONFLICT (kind) DO NOTHING"""
_RESUME = "DELETE FROM queue_pauses WHERE kind = :kind"


@dataclass(frozen=True, slots=True)
class QueuePause:
    """A paused queue: since when, and by whom."""

    kind: StatusType
    paused_at: datetime
    paused_by: str


async def pauses(connection: AsyncConnection) -> dict[StatusType, QueuePause]:
    """The paused queues by their kind."""
    rows = await execute(connection, _ALL, {})
    return {row["kind"]: QueuePause(**row) for row in rows.mappings()}


async def pause(connection: AsyncConnection, kind: StatusType, paused_by: str) -> bool:
    """Note that a queue is paused; whether it was not before."""
    return bool((await execute(connection, _PAUSE, {"kind": kind, "paused_by": paused_by})).rowcount)


async def resume(connection: AsyncConnection, kind: StatusType) -> bool:
    """Note that a queue is not paused; whether it was before."""
    return bool((await execute(connection, _RESUME, {"kind": kind})).rowcount)
