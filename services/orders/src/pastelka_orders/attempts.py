"""Attempts of the worker's own jobs, counted in the database, and outages, which are none."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, TypeVar

import structlog

from pastelka_common.contracts.messages import Failure, Message, Retry
from pastelka_common.errors import PostponedError
from pastelka_common.messaging.attempts import AttemptStats, Delivery
from pastelka_common.messaging.publish import PublishError
from pastelka_orders.database import Database
from pastelka_orders.database_errors import DatabaseUnavailableError
from pastelka_orders.repository import job_attempts

H = TypeVar("H", bound=Callable[..., Awaitable[Any]])

OUTAGE_SECONDS = 10.0
"""How long a job waits where the storage is away."""

log = structlog.get_logger(__name__)


class AttemptRows:
    """Counts attempts where all replicas see them.

    The first delivery of a job that succeeds writes nothing. A delivery that ended without an outcome
    (its process died) counts as a crash from the second on.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, job: Message, delivery: Delivery) -> AttemptStats:
        """See :class:`~pastelka_common.messaging.attempts.Attempts`. Raises ``PostponedError``."""
        if delivery.attempt == 1:
            return AttemptStats()
        found = await self._database.write(lambda c: job_attempts.begin(c, job.subject, delivery.sequence))
        last = Failure(code=found.code, message=found.message or "") if found.code else None
        return AttemptStats(failed=found.failed, silent_deliveries=found.silent_deliveries, last=last)

    async def failed(self, job: Message, delivery: Delivery, failure: Failure) -> int:
        """See :class:`~pastelka_common.messaging.attempts.Attempts`; 0 where it cannot be counted."""
        try:
            return await self._database.write(
                lambda c: job_attempts.failed(
                    c, job.subject, delivery.sequence, failure.code, failure.message
                )
            )
        except DatabaseUnavailableError as error:
            log.warning("attempt not counted", subject=job.subject, error=str(error))
            return 0

    async def released(self, job: Message, delivery: Delivery) -> None:
        """See :class:`~pastelka_common.messaging.attempts.Attempts`."""
        if delivery.attempt == 1:
            return
        try:
            await self._database.write(lambda c: job_attempts.released(c, job.subject, delivery.sequence))
        except DatabaseUnavailableError as error:
            log.warning("attempt not counted", subject=job.subject, error=str(error))

    async def retrying(self, _job: Message, _delivery: Delivery, _retry: Retry) -> None:
        """Nobody waits to be told."""


@asynccontextmanager
async def postponed_in_outage() -> AsyncIterator[None]:
    """Raise :class:`PostponedError` where the storage is away or full, as the database does by itself."""
    try:
        yield
    except PublishError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PostponedError(
            "storage_unavailable", f"The storage does not answer: {reason}.", seconds=OUTAGE_SECONDS
        ) from error


def postpones_in_outage(handler: H) -> H:
    """A handler of jobs whose outages cost no attempt."""

    @wraps(handler)
    async def handle(*given: Any, **options: Any) -> Any:
        async with postponed_in_outage():
            return await handler(*given, **options)

    return handle  # type: ignore[return-value] # the same signature
