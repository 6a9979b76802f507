"""Claims on job rows: due rows, expiry of claims, outcomes of attempts.

``claimed_until`` identifies a claim: it changes with every extension and every new claim, and is cleared by
every change of the job. Writes under a lost claim are rolled back.
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
"""Assignments that reset a row to a new job, and revoke the current claim."""

_NOTIFY = f"SELECT pg_notify('{CHANNEL}', '')"


class ClaimLostError(Exception):
    """The row was changed, deleted or claimed by another worker meanwhile."""


class JobTable:
    """A table whose rows are jobs while ``condition`` (SQL) holds; ``key`` is its primary key's column."""

    def __init__(self, name: str, key: str, condition: str = "true") -> None:
        self.name = name
        is_claim = f"{key} = :key AND claimed_until = :until"
        is_free = "COALESCE(claimed_until <= clock_timestamp(), true)"
        # NO KEY: rows locked only by foreign key checks are not skipped.
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
    """A row claimed by this worker ``until`` then; failed ``attempts`` and ``lost_claims`` before."""

    table: JobTable
    key: Any
    attempts: int
    lost_claims: int
    until: datetime
    lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False, compare=False)
    """Held by what extends the claim, or writes for it while it may be extended: ``until`` changes then."""

    @property
    def row(self) -> dict[str, Any]:
        """Parameters that match the row while this claim is valid."""
        return {"key": self.key, "until": self.until}


@dataclass(frozen=True, slots=True)
class JobStats:
    """Number of job rows; the oldest due one has waited ``overdue`` seconds for a worker."""

    waiting: int
    in_progress: int
    overdue: float


async def claim_due(connection: AsyncConnection, table: JobTable, *, free: int, lease: float) -> list[Claim]:
    """Claim at most ``free`` due rows for ``lease`` seconds."""
    rows = await execute(connection, table.claim, {"free": free, "lease": lease})
    return [Claim(table, **row) for row in rows.mappings()]


async def extend(connection: AsyncConnection, claim: Claim, *, lease: float) -> datetime:
    """Extend the claim to ``lease`` seconds from now; returns its expiry. Raises :class:`ClaimLostError`."""
    until: datetime | None = (
        await execute(connection, claim.table.extend, {**claim.row, "lease": lease})
    ).scalar()
    if until is None:
        raise ClaimLostError
    return until


async def release(connection: AsyncConnection, claim: Claim) -> None:
    """Release the claim; no effect if it is lost."""
    await execute(connection, claim.table.release, claim.row)


async def end(
    connection: AsyncConnection,
    claim: Claim,
    *,
    attempts: int = 0,
    error: str | None = None,
    seconds: float | None = None,
) -> None:
    """Store the outcome of an attempt; with ``seconds``, the row is due again after that time.

    Call it last in the transaction: it raises :class:`ClaimLostError`, which rolls back.
    """
    values = {**claim.row, "attempts": attempts, "error": error, "seconds": seconds}
    if (await execute(connection, claim.table.end, values)).first() is None:
        raise ClaimLostError


async def notify(connection: AsyncConnection) -> None:
    """Notify :data:`CHANNEL` when the transaction commits."""
    await execute(connection, _NOTIFY)


async def stats(connection: AsyncConnection, table: JobTable) -> JobStats:
    """Count waiting and claimed rows."""
    row = (await execute(connection, table.stats)).mappings().one()
    return JobStats(row["waiting"], row["in_progress"], max(0.0, row["overdue"]))
