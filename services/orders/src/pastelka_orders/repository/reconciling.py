"""Queries of the reconciler: active and ended versions, its own state."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.statuses import StatusType
from pastelka_orders.repository.sql import execute
from pastelka_orders.repository.versions import TABLES

_OLD = "clock_timestamp() - make_interval(secs => :grace)"
_ACTIVE = {
    kind: f"""SELECT v.id, v.run, v.attempt, v.step, v.provider_job_id, v.updated_at < {_OLD} AS is_old
        FROM {table} v WHERE v.is_active AND v.id > :after ORDER BY v.id LIMIT :page"""
    for kind, table in TABLES.items()
}
_ENDED = {
    kind: f"""SELECT n.id, v.run, v.error_code FROM unnest(CAST(:ids AS integer[])) AS n(id)
        LEFT JOIN {table} v ON v.id = n.id WHERE v.id IS NULL
            OR (NOT v.is_active AND v.updated_at < {_OLD})"""
    for kind, table in TABLES.items()
}
_RESOLVED = {
    kind: f"""SELECT n.id, v.run, COALESCE(v.is_active, false) AS is_active
        FROM unnest(CAST(:ids AS integer[])) AS n(id) LEFT JOIN {table} v ON v.id = n.id
        WHERE v.error_code IS NULL OR v.error_code = :cancelled"""
    for kind, table in TABLES.items()
}
_RESOLVED_DOWNLOADS = """SELECT n.id FROM unnest(CAST(:ids AS integer[])) AS n(id)
    LEFT JOIN images i ON i.id = n.id
    WHERE i.download_error_code IS NULL"""
_IN_OUTBOX = "SELECT 1 FROM outbox WHERE subject = :subject LIMIT 1"
_OLDEST_OUTBOX = "SELECT LEAST(clock_timestamp(), min(created_at)) FROM outbox WHERE refused IS NULL"
_CHANGED_ORDERS = """WITH changed_images AS (
        SELECT id FROM images WHERE GREATEST(coloring_chosen_at, svg_chosen_at) > :since
        UNION SELECT image_id FROM coloring_versions WHERE updated_at > :since
        UNION SELECT image_id FROM svg_versions WHERE updated_at > :since),
    changed AS (
        SELECT id FROM orders WHERE updated_at > :since
        UNION SELECT order_id FROM book_versions WHERE updated_at > :since
        UNION SELECT l.order_id FROM changed_images n JOIN images i ON i.id = n.id
            JOIN line_items l ON l.id = i.line_item_id)
    SELECT o.order_number, o.created_at > :since AS is_new FROM changed n JOIN orders o ON o.id = n.id
    ORDER BY o.id"""
_DELETED_ORDERS = "SELECT order_number FROM erasures WHERE deleted_at > :since ORDER BY deleted_at"
_STATE = """SELECT ran_at, seconds, examined, repaired, repaired_total, last_repaired_at, events_mark,
        events_good_at
    FROM reconciler"""
_SAVE_STATE = """INSERT INTO reconciler AS r (id, ran_at, seconds, examined, repaired, repaired_total,
        last_repaired_at,
        events_mark, events_good_at)
    VALUES (1, clock_timestamp(), :seconds, :examined, CAST(:repaired AS integer), CAST(:repaired AS integer),
        CASE WHEN CAST(:repaired AS integer) > 0 THEN clock_timestamp() END,
        CAST(CAST(:events_mark AS text) AS jsonb), CAST(:events_good_at AS timestamptz))
    ON CONFLICT (id) DO UPDATE SET ran_at = EXCLUDED.ran_at, seconds = EXCLUDED.seconds,
        examined = EXCLUDED.examined, repaired = EXCLUDED.repaired,
        repaired_total = r.repaired_total + EXCLUDED.repaired,
        last_repaired_at = COALESCE(EXCLUDED.last_repaired_at, r.last_repaired_at),
        events_mark = COALESCE(EXCLUDED.events_mark, r.events_mark),
        events_good_at = COALESCE(EXCLUDED.events_good_at, r.events_good_at)"""


@dataclass(frozen=True, slots=True)
class ActiveVersion:
    """A version whose run has not ended; ``is_old``: unchanged for the grace period."""

    id: int
    run: int
    attempt: int
    step: int
    provider_job_id: str | None
    is_old: bool

    @property
    def position(self) -> tuple[int, int, int]:
        """Position of the last fact applied."""
        return (self.run, self.attempt, self.step)


@dataclass(frozen=True, slots=True)
class Ended:
    """A version that has ended; ``run`` is ``None`` if it was deleted."""

    id: int
    run: int | None
    error_code: str | None


@dataclass(frozen=True, slots=True)
class ResolvedVersion:
    """A version that needs no operator; ``run`` is ``None`` if it was deleted."""

    id: int
    run: int | None
    is_active: bool

    def is_resolved(self, run: int) -> bool:
        """Whether a dead letter of this run is resolved.

        That of an active run is not: it precedes the run's failure.
        """
        return self.run is None or run < self.run or not self.is_active


@dataclass(frozen=True, slots=True)
class ChangedOrder:
    """An order that changed since a given time."""

    order_number: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class ReconcilerSnapshot:
    """The stored result of the last pass."""

    ran_at: datetime
    seconds: float
    examined: int
    repaired: int
    repaired_total: int
    last_repaired_at: datetime | None
    events_mark: dict[str, Any] | None
    events_good_at: datetime | None


async def active_versions(
    connection: AsyncConnection, kind: StatusType, *, grace: float, after: int, page: int
) -> list[ActiveVersion]:
    """At most ``page`` active versions with an id above ``after``, by id."""
    values = {"grace": grace, "after": after, "page": page}
    return [ActiveVersion(**row) for row in (await execute(connection, _ACTIVE[kind], values)).mappings()]


async def ended(
    connection: AsyncConnection, kind: StatusType, ids: Sequence[int], *, grace: float
) -> list[Ended]:
    """Those of these versions that ended before the grace period, or do not exist."""
    rows = await execute(connection, _ENDED[kind], {"ids": list(ids), "grace": grace})
    return [Ended(**row) for row in rows.mappings()]


async def resolved_versions(
    connection: AsyncConnection, kind: StatusType, ids: Sequence[int], *, cancelled: str
) -> list[ResolvedVersion]:
    """Those of these versions that were retried, completed, cancelled (by error code) or deleted."""
    rows = await execute(connection, _RESOLVED[kind], {"ids": list(ids), "cancelled": cancelled})
    return [ResolvedVersion(**row) for row in rows.mappings()]


async def resolved_downloads(connection: AsyncConnection, ids: Sequence[int]) -> list[int]:
    """Ids among ``ids`` of images that are deleted, or whose photo is stored or pending again."""
    return list((await execute(connection, _RESOLVED_DOWNLOADS, {"ids": list(ids)})).scalars())


async def is_in_outbox(connection: AsyncConnection, subject: str) -> bool:
    """Whether a message on this subject waits to be published."""
    return (await execute(connection, _IN_OUTBOX, {"subject": subject})).first() is not None


async def published_until(connection: AsyncConnection) -> datetime:
    """The time until which all committed messages have been published."""
    found: datetime = (await execute(connection, _OLDEST_OUTBOX)).scalar_one()
    return found


async def changed_orders(connection: AsyncConnection, since: datetime) -> list[ChangedOrder]:
    """Orders changed after ``since``, in any part."""
    rows = await execute(connection, _CHANGED_ORDERS, {"since": since})
    return [ChangedOrder(**row) for row in rows.mappings()]


async def deleted_orders(connection: AsyncConnection, since: datetime) -> list[str]:
    """Numbers of orders that were deleted after ``since``."""
    return [row.order_number for row in await execute(connection, _DELETED_ORDERS, {"since": since})]


async def state(connection: AsyncConnection) -> ReconcilerSnapshot | None:
    """The result of the last pass; ``None`` before the first."""
    row = (await execute(connection, _STATE)).mappings().first()
    return ReconcilerSnapshot(**row) if row else None


async def save_state(
    connection: AsyncConnection,
    *,
    seconds: float,
    examined: int,
    repaired: int,
    events_mark: dict[str, Any] | None,
    events_good_at: datetime | None,
) -> None:
    """Store the result of a pass; ``None`` keeps the stored values of the events."""
    values = {
        "seconds": seconds,
        "examined": examined,
        "repaired": repaired,
        "events_mark": json.dumps(events_mark) if events_mark is not None else None,
        "events_good_at": events_good_at,
    }
    await execute(connection, _SAVE_STATE, values)
