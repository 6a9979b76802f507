"""Claims on rows that are jobs: which are due, which worker has one until when, how an attempt ended.

A claim is known by its end: ``claimed_until`` changes with every extension and every other claim, and is
cleared by whatever changes the job. What a worker writes for a claim that it has lost is rolled back.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.sql import execute

CHANNEL = "pastelka_jobs"
"""PostgreSQL notification channel: a row has become due."""

DUE_NOW = """attempts = 0, lost_claims = 0, next_attempt_at = clock_timestamp(), claimed_until = NULL,
        last_error = NULL"""
"""Assignments that make a row a new job, and take it from the worker that has it."""

_NOTIFY = f"SELECT pg_notify('{CHANNEL}', '')"


class ClaimLostError(Exception):
    """The row was changed, deleted or claimed by another worker meanwhile."""


class JobTable:
    """A table whose rows are jobs while ``condition`` (SQL) holds; ``key`` is its primary key's column."""

    def __init__(self, name: str, key: str, condition: str = "true") -> None:
        self.name = name
        is_claim = f"{key} = :key AND claimed_until = :until"
        is_free = "COALESCE(claimed_until <= clock_timestamp(), true)"
        # NO KEY: a row that others only refer to is not skipped.
        self.claim = f"""WITH due AS (SELECT {key} FROM {name}
                WHERE {condition} AND next_attempt_at <= clock_timestamp() AND {is_free}
                ORDER BY next_attempt_at LIMIT :free FOR NO KEY UPDATE SKIP LOCKED)
            UPDATE {name} j SET claimed_until = clock_timestamp() + make_interval(secs => :lease),
                lost_claims = lost_claims + CAST(claimed_until IS NOT NULL AS integer)
            FROM due WHERE j.{key} = due.{key}
            RETURNING j.{key} AS key, j.attempts, j.lost_claims, j.claimed_until AS until"""
        self.extend = f"""UPDATE {name} SET claimed_until = clock_timestamp() + make_interval(secs => :lease)
            WHERE {is_claim} RETURNING claimed_until"""
        self.release = f"UPDATE {name} SET claimed_until = NULL WHERE {is_claim}"
        self.end = f"""UPDATE {name} SET claimed_until = NULL, lost_claims = 0, attempts = :attempts,
                last_error = CAST(:error AS text), next_attempt_at = COALESCE(clock_timestamp()
                    + make_interval(secs => CAST(:seconds AS float8)), next_attempt_at)
            WHERE {is_claim} RETURNING 1"""
        self.stats = f"""SELECT count(*) FILTER (WHERE {is_free}) AS waiting,
                count(*) FILTER (WHERE NOT {is_free}) AS in_progress,
                COALESCE(EXTRACT(EPOCH FROM clock_timestamp()
                    - min(next_attempt_at) FILTER (WHERE {is_free})), 0)::float8 AS overdue
            FROM {name} WHERE {condition} AND next_attempt_at IS NOT NULL"""


@dataclass(slots=True)
class Claim:
    """One row that this worker has ``until`` then; ``attempts`` that failed, and ``lost_claims``, before."""

    table: JobTable
    key: Any
    attempts: int
    lost_claims: int
    until: datetime
    lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False, compare=False)
    """Held by what extends the claim, or writes for it while it may be extended: ``until`` changes then."""

    @property
    def row(self) -> dict[str, Any]:
        """Parameters by which a statement finds the row, if it is still claimed."""
        return {"key": self.key, "until": self.until}


@dataclass(frozen=True, slots=True)
class JobStats:
    """Rows of a table that are jobs; the oldest due one has waited ``overdue`` seconds for a worker."""

    waiting: int
    in_progress: int
    overdue: float


async def claim_due(connection: AsyncConnection, table: JobTable, *, free: int, lease: float) -> list[Claim]:
    """Claim at most ``free`` rows that are due, for ``lease`` seconds."""
    rows = await execute(connection, table.claim, {"free": free, "lease": lease})
    return [Claim(table, **row) for row in rows.mappings()]


async def extend(connection: AsyncConnection, claim: Claim, *, lease: float) -> datetime:
    """Keep the row for ``lease`` seconds from now; returns the new end. Raises :class:`ClaimLostError`."""
    until: datetime | None = (
        await execute(connection, claim.table.extend, {**claim.row, "lease": lease})
    ).scalar()
    if until is None:
        raise ClaimLostError
    return until


async def release(connection: AsyncConnection, claim: Claim) -> None:
    """Let another worker have the row at once; nothing happens if the claim is lost."""
    await execute(connection, claim.table.release, claim.row)


async def end(
    connection: AsyncConnection,
    claim: Claim,
    *,
    attempts: int = 0,
    error: str | None = None,
    seconds: float | None = None,
) -> None:
    """Note how the attempt ended; with ``seconds``, the row is due again then.

    Raises :class:`ClaimLostError`: to be called last in its transaction, which is then rolled back.
    """
    values = {**claim.row, "attempts": attempts, "error": error, "seconds": seconds}
    if (await execute(connection, claim.table.end, values)).first() is None:
        raise ClaimLostError


async def notify(connection: AsyncConnection) -> None:
    """Wake the workers when this commits: a row has become due."""
    await execute(connection, _NOTIFY)


async def stats(connection: AsyncConnection, table: JobTable) -> JobStats:
    """How many rows wait and are worked on."""
    row = (await execute(connection, table.stats)).mappings().one()
    return JobStats(row["waiting"], row["in_progress"], max(0.0, row["overdue"]))
