"""Attempts of jobs that are tried again, by the message's subject and number in its stream."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

# Longer than the broker and the shop let any job wait.
_KEPT = "interval '8 days'"

_SEQUENCE = bindparam("sequence", type_=BigInteger)
_BEGIN = text(
    """INSERT INTO job_attempts AS a (subject, sequence, open) VALUES (:subject, :sequence, 1)
    ON CONFLICT (subject, sequence) DO UPDATE SET open = a.open + 1, updated_at = clock_timestamp()
    RETURNING failed, open - 1 AS crashes, code, message"""
).bindparams(_SEQUENCE)
_FAILED = text(
    """INSERT INTO job_attempts AS a (subject, sequence, failed, code, message)
    VALUES (:subject, :sequence, 1, CAST(:code AS text), CAST(:message AS text))
    ON CONFLICT (subject, sequence) DO UPDATE SET failed = a.failed + 1, open = 0, code = EXCLUDED.code,
        message = EXCLUDED.message, updated_at = clock_timestamp() RETURNING failed"""
).bindparams(_SEQUENCE)
_SPARED = text(
    """UPDATE job_attempts SET open = 0, updated_at = clock_timestamp()
    WHERE subject = :subject AND sequence = :sequence"""
).bindparams(_SEQUENCE)
_FORGET = text(f"DELETE FROM job_attempts WHERE updated_at < clock_timestamp() - {_KEPT}")


@dataclass(frozen=True, slots=True)
class Counted:
    """``failed`` attempts, and ``silent_deliveries``: deliveries since the last outcome that had none."""

    failed: int
    silent_deliveries: int
    code: str | None
    message: str | None


async def begin(connection: AsyncConnection, subject: str, sequence: int) -> Counted:
    """Count a delivery as open; returns what came before it."""
    row = (await connection.execute(_BEGIN, {"subject": subject, "sequence": sequence})).one()
    return Counted(row.failed, row.silent_deliveries, row.code, row.message)


async def failed(connection: AsyncConnection, subject: str, sequence: int, code: str, message: str) -> int:
    """Count an attempt that failed; returns how many have."""
    values = {"subject": subject, "sequence": sequence, "code": code, "message": message}
    found: int = (await connection.execute(_FAILED, values)).scalar_one()
    return found


async def released(connection: AsyncConnection, subject: str, sequence: int) -> None:
    """A delivery ended without an attempt."""
    await connection.execute(_SPARED, {"subject": subject, "sequence": sequence})


async def forget_old(connection: AsyncConnection) -> None:
    """Delete what no job can be about any more."""
    await connection.execute(_FORGET)
