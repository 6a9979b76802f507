"""What the shop is to be asked and has not answered yet."""

import json

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import FetchOrdersJob, SyncOrderJob

Job = FetchOrdersJob | SyncOrderJob

_KEEP = text(
    """INSERT INTO shop_jobs (key, payload) VALUES (:key, CAST(:payload AS jsonb))
    ON CONFLICT (key) DO UPDATE SET payload = EXCLUDED.payload, updated_at = clock_timestamp()"""
)
# What was asked meanwhile under the same key is another question.
_FORGET = text("DELETE FROM shop_jobs WHERE key = :key AND payload = CAST(:payload AS jsonb)")
_WAITING = text(
    """SELECT key, payload FROM shop_jobs
    WHERE updated_at < clock_timestamp() - make_interval(secs => :grace) ORDER BY updated_at LIMIT :page"""
)
_AT_ONCE = 500


async def keep(connection: AsyncConnection, job: Job) -> None:
    """Remember that ``job`` is asked for; one of the same key is replaced."""
    await connection.execute(_KEEP, _row(job))


async def forget(connection: AsyncConnection, job: Job) -> None:
    """``job`` was done, or given up; nothing happens if it is not kept."""
    await connection.execute(_FORGET, _row(job))


async def waiting(connection: AsyncConnection, *, grace: float) -> list[Job]:
    """Jobs that were asked for longer ago than ``grace`` (s), the oldest first."""
    rows = await connection.execute(_WAITING, {"grace": grace, "page": _AT_ONCE})
    return [_job(row.key, row.payload) for row in rows]


def _row(job: Job) -> dict[str, str]:
    return {"key": _key(job), "payload": job.model_dump_json()}


def _key(job: Job) -> str:
    return f"{job.subject} {job.since.isoformat()}" if isinstance(job, FetchOrdersJob) else job.subject


def _job(key: str, payload: object) -> Job:
    job_type = FetchOrdersJob if key.startswith("jobs.fetch.") else SyncOrderJob
    return job_type.model_validate_json(json.dumps(payload))
