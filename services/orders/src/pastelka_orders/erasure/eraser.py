"""One order is erased, in steps that can be done again: count, files, rows, messages, done."""

import structlog
from nats.aio.client import Client
from prometheus_client import Counter

from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.storage import IncompleteDeleteError, Storage, StorageNotMountedError
from pastelka_orders import order_files
from pastelka_orders.database import Database, is_transient
from pastelka_orders.erasure import messages
from pastelka_orders.handlers import erasures as handlers
from pastelka_orders.leases import until_work_ends
from pastelka_orders.outbox import RELAY_LEASE
from pastelka_orders.repository import erasures
from pastelka_orders.repository.erasures import ErasureRecord

log = structlog.get_logger(__name__)

ERASED = Counter("pastelka_orders_erased_total", "Orders that were erased", ["reason"])
FAILED = Counter("pastelka_erasures_failed_total", "Tries to erase an order that failed", ["step"])


class Eraser:
    """Finishes erasures that were asked for. Several may work at once, also on the same order."""

    def __init__(self, database: Database, nc: Client, storage: Storage) -> None:
        self._database = database
        self._nc = nc
        self._storage = storage

    async def finish(self, record: ErasureRecord) -> bool:
        """Whether nothing is left of the order. A failure is noted on the record, which stays unfinished.

        Raises what says that the database is away.
        """
        step = "files"
        try:
            if record.deleted_at is None:
                await self._files(record)
                step = "rows"
                await self._rows(record)
            else:
                await self._late_files(record)
            step = "messages"
            await self._messages(record)
        except Exception as error:
            if is_transient(error):
                raise
            await self._note(record, step, error)
            return False
        return True

    async def _files(self, record: ErasureRecord) -> None:
        what = await self._database.read(lambda c: erasures.contents(c, record.order_id))
        paths = what.paths if what is not None else []
        if paths:
            # Counted before: an earlier try may have deleted the last file there was.
            await self._storage.ensure_mounted(may_be_empty=record.files is not None)
        if record.files is None:
            found = await order_files.count(self._storage, record.order_id, paths)
            await self._database.write(
                lambda c: erasures.note_count(c, record.order_id, files=found.files, size=found.bytes)
            )
        await order_files.delete(self._storage, record.order_id, paths)

    async def _late_files(self, record: ErasureRecord) -> None:
        """Of an order whose rows went first, or of a try that was interrupted."""
        await self._storage.ensure_mounted(may_be_empty=True)
        await order_files.delete(self._storage, record.order_id)

    async def _rows(self, record: ErasureRecord) -> None:
        await self._database.write(lambda c: handlers.delete_order_rows(c, record.order_id))

    async def _messages(self, record: ErasureRecord) -> None:
        # What the relay had read before the rows went is purged with the rest once it is published.
        await until_work_ends(self._database, RELAY_LEASE)
        now = await self._database.read(lambda c: erasures.one(c, record.order_id))
        await messages.purge(self._nc, now.subjects or [] if now is not None else [])
        if await self._database.write(lambda c: handlers.finish(c, record.order_id)):
            ERASED.labels(record.reason).inc()
            log.info("order erased", order_number=record.order_number, reason=record.reason)

    async def _note(self, record: ErasureRecord, step: str, error: Exception) -> None:
        FAILED.labels(step).inc()
        reason = _sentence(error, step)
        if isinstance(error, (IncompleteDeleteError, StorageNotMountedError, OSError, *BROKER_ERRORS)):
            log.warning("erasure deferred", order_number=record.order_number, step=step, reason=reason)
        else:
            log.error("erasure deferred", order_number=record.order_number, step=step, exc_info=error)
        await self._database.write(lambda c: erasures.note_failure(c, record.order_id, reason))


def _sentence(error: Exception, step: str) -> str:
    if isinstance(error, IncompleteDeleteError | StorageNotMountedError):
        return str(error)
    if step == "messages" and isinstance(error, BROKER_ERRORS):
        return f"NATS does not answer ({type(error).__name__}), so messages cannot be purged."
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__}."
    return f"Unexpected error ({type(error).__name__}); the log tells more."
