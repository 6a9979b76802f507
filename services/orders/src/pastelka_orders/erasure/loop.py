"""When orders are erased: regularly those that are too old, and whatever was asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import structlog
from nats.aio.client import Client

from pastelka_common.contracts.messages import now
from pastelka_common.storage import Storage
from pastelka_orders.database import Database, is_transient
from pastelka_orders.erasure.eraser import Eraser
from pastelka_orders.handlers.erasures import ask
from pastelka_orders.handlers.orders import discard_abandoned
from pastelka_orders.leases import leased
from pastelka_orders.photos.temp_cleanup import remove_temp_folders
from pastelka_orders.repository import erasures, job_attempts, retention
from pastelka_orders.repository.erasures import ErasureRecord, Target

T = TypeVar("T")

_LEASE = "retention"
_BATCH = 50
_AT_ONCE = 4
_CLOCKS_DIFFER = timedelta(hours=12)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class RetentionResult:
    """What one pass did: orders erased, and orders of which something is left."""

    erased: int = 0
    failed: int = 0


class Retention:
    """Makes a pass every ``every`` seconds; of several replicas one at a time.

    ``days`` is how long an order is kept (times 24 hours from when it was made), ``None`` for ever.
    """

    def __init__(
        self,
        database: Database,
        nc: Client,
        storage: Storage,
        *,
        days: int | None,
        every: float,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._nc = nc
        self._storage = storage
        self._eraser = Eraser(database, nc, storage)
        self._days = days
        self._every = every
        self._on_commit = on_commit

    async def run(self, stop: asyncio.Event) -> None:
        """Erase until ``stop`` is set. What fails is tried again at the next pass."""
        while not stop.is_set():
            await self._pass(stop)
            try:
                async with asyncio.timeout(self._every):
                    await stop.wait()
            except TimeoutError:
                pass

    async def run_once(self, stop: asyncio.Event | None = None) -> RetentionResult | None:
        """One pass; ``None`` if another replica is making one. Ends early when ``stop`` is set."""
        async with leased(self._database, _LEASE) as is_ours:
            if not is_ours:
                return None
            swept = RetentionResult()
            await self._database.write(lambda c: retention.begin(c, days=self._days))
            await remove_temp_folders()
            await discard_abandoned(self._database, self._storage)
            await self._database.write(job_attempts.forget_old)
            await self._finish_all(swept, stop)
            error = await self._erase_expired(swept, stop) if self._days is not None else None
            await self._database.write(lambda c: retention.note_run(c, days=self._days, error=error))
        return swept

    async def _pass(self, stop: asyncio.Event) -> None:
        if not self._nc.is_connected:
            return  # messages could not be purged
        try:
            await self.run_once(stop)
        except Exception as error:
            if not is_transient(error):
                log.exception("retention failed")
                return
            log.warning("retention deferred, database unavailable", error=str(error))

    async def _finish_all(self, swept: RetentionResult, stop: asyncio.Event | None) -> None:
        """What was asked for, or begun and interrupted."""
        after = 0
        while not _ends(stop) and (page := await self._unfinished(after)):
            await self._each(page, lambda record: self._finish(record, swept), stop)
            after = page[-1].order_id

    async def _unfinished(self, after: int) -> list[ErasureRecord]:
        return await self._database.read(lambda c: erasures.unfinished(c, after=after, batch=_BATCH))

    async def _erase_expired(self, swept: RetentionResult, stop: asyncio.Event | None) -> str | None:
        """Erase what is too old; returns why that cannot be judged."""
        days = self._days or 0
        differ = abs(await self._database.read(retention.clock) - now())
        if differ > _CLOCKS_DIFFER:
            message = f"The clocks of the database and of the worker differ by {differ}; nothing was erased."
            log.error("retention suspended, clocks disagree", differ=str(differ))
            return message
        while not _ends(stop) and (page := await self._expired(days)):
            await self._each(page, lambda target: self._erase(target, swept), stop)
        return None

    async def _expired(self, days: int) -> list[Target]:
        return await self._database.read(lambda c: erasures.expired(c, days=days, batch=_BATCH))

    async def _each(
        self, page: Sequence[T], do: Callable[[T], Awaitable[None]], stop: asyncio.Event | None
    ) -> None:
        """Do it for all of a page, a few at once; those not begun when ``stop`` is set are left."""
        waiting = list(reversed(page))

        async def work() -> None:
            while waiting and not _ends(stop):
                await do(waiting.pop())

        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(_AT_ONCE):
                    tasks.create_task(work())
        except ExceptionGroup as failed:  # what the database said, told as if nobody had been beside it
            raise failed.exceptions[0] from None
        finally:
            self._on_commit()

    async def _erase(self, target: Target, swept: RetentionResult) -> None:
        await self._database.write(lambda c: ask(c, target, "retention", None))
        record = await self._database.read(lambda c: erasures.one(c, target.order_id))
        if record is not None:
            await self._finish(record, swept)

    async def _finish(self, record: ErasureRecord, swept: RetentionResult) -> None:
        is_erased = await self._eraser.finish(record)
        swept.erased += is_erased
        swept.failed += not is_erased


def _ends(stop: asyncio.Event | None) -> bool:
    return stop is not None and stop.is_set()
