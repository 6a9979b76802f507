"""Erases one order in idempotent steps: count files, delete files, delete rows, finish."""

import sys
from dataclasses import dataclass

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure
from pastelka_common.errors import JobError, PostponedError, TransientError
from pastelka_common.messaging.attempts import RetryPolicy
from pastelka_common.storage import IncompleteDeleteError, Storage, StorageNotMountedError
from pastelka_orders import order_files
from pastelka_orders.database import Database
from pastelka_orders.handlers import erasures as handlers
from pastelka_orders.repository import claims, erasures
from pastelka_orders.repository.claims import Claim, ClaimLostError
from pastelka_orders.repository.erasures import ErasureRecord
from pastelka_orders.row_jobs import STORAGE_RETRY_DELAY, Write

RETRIES = RetryPolicy(attempts=sys.maxsize, max_delay=60.0)
"""An erasure is retried forever."""

log = structlog.get_logger(__name__)

ERASED = Counter("pastelka_orders_erased_total", "Erased orders", ["reason"])
FAILED = Counter("pastelka_erasures_failed_total", "Failed attempts to erase an order", ["step"])


@dataclass(frozen=True)
class Eraser:
    """Erases orders, and deletes files written late by a worker: after ``recheck_delay`` s, then less often.

    Several instances may run at once, even on the same order.
    """

    database: Database
    storage: Storage
    recheck_delay: float = 20.0

    name = "erase"
    table = erasures.TABLE

    async def work(self, claim: Claim) -> Write:
        """See ``JobKind``."""
        record = await self.database.read(lambda c: erasures.find(c, claim.key))
        if record is None:
            raise ClaimLostError
        found = None
        if record.erased_at is None:
            await self.erase(record)
        else:
            found = await self._delete_late_files(record)
        return lambda c: self._end(c, claim, found=found)

    async def give_up(self, connection: AsyncConnection, claim: Claim, failure: Failure) -> None:
        """Retry in an hour; called only for an order that repeatedly crashes its workers."""
        await claims.end(connection, claim, attempts=claim.attempts, error=failure.message, seconds=3600)

    async def erase(self, record: ErasureRecord) -> None:
        """Erase what is left of the order. Raises ``JobError`` if a part is unavailable or files remain.

        Messages about it contain ids only; the reconciler removes its jobs and dead letters.
        """
        try:
            await self._delete_files(record)
        except (OSError, IncompleteDeleteError, StorageNotMountedError) as error:
            FAILED.labels("files").inc()
            raise _job_error(error) from error
        await self.database.write(lambda c: handlers.delete_order_rows(c, record.order_id))
        if await self.database.write(lambda c: handlers.finish(c, record.order_id)):
            ERASED.labels(record.reason).inc()
            log.info("order erased", order_number=record.order_number, reason=record.reason)

    async def _delete_files(self, record: ErasureRecord) -> None:
        """Delete the order's folder and, while there are rows, files they name elsewhere."""
        what = await self.database.read(lambda c: erasures.contents(c, record.order_id))
        paths = what.paths if what is not None else []
        if paths or record.deleted_at is not None:
            # If counted before, an earlier attempt may have deleted the storage's last file.
            await self.storage.ensure_mounted(may_be_empty=not paths or record.files is not None)
        if record.files is None and record.deleted_at is None:
            found = await order_files.count(self.storage, record.order_id, paths)
            await self.database.write(
                lambda c: erasures.save_count(c, record.order_id, files=found.files, size=found.bytes)
            )
        await order_files.delete(self.storage, record.order_id, paths)

    async def _delete_late_files(self, record: ErasureRecord) -> bool:
        """Delete files written since; returns whether there were any."""
        if not await self.storage.prefix_exists(str(record.order_id)):
            return False
        log.warning("files of an erased order found", order_id=record.order_id)
        try:
            await order_files.delete(self.storage, record.order_id)
        except IncompleteDeleteError as error:
            raise _job_error(error) from error
        return True

    async def _end(self, connection: AsyncConnection, claim: Claim, *, found: bool | None) -> None:
        await erasures.schedule_check(connection, claim.key, recheck_delay=self.recheck_delay, found=found)
        await claims.end(connection, claim)


def _job_error(error: OSError | IncompleteDeleteError | StorageNotMountedError) -> JobError:
    if isinstance(error, IncompleteDeleteError):
        return TransientError("files_left", str(error))
    message = (
        str(error)
        if isinstance(error, StorageNotMountedError)
        else f"{error.strerror or type(error).__name__}."
    )
    return PostponedError("storage_unavailable", message, seconds=STORAGE_RETRY_DELAY)
