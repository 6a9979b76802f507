"""Claims and attempts of the jobs that are rows."""

import asyncio
from typing import Any

from pastelka_common.messaging.attempts import RetryPolicy
from pastelka_orders.database import Database
from pastelka_orders.repository import claims
from pastelka_orders.repository.claims import Claim, JobTable
from pastelka_orders.row_jobs import JobKind, JobRunner


async def claimed(database: Database, table: JobTable, key: Any) -> Claim:
    """The claim of a row."""
    found = await database.write(lambda c: claims.claim_due(c, table, free=1000, lease=30))
    return next(claim for claim in found if claim.key == key)


async def attempt_due(database: Database, kind: JobKind, retries: RetryPolicy = RetryPolicy()) -> None:  # noqa: B008
    """Make one attempt at each row that is due, four at a time."""
    runner = JobRunner(database, kind, 4, retries)
    while due := await database.write(lambda c: claims.claim_due(c, kind.table, free=4, lease=30)):
        await asyncio.gather(*(runner._process(claim) for claim in due))
