"""Retention: periodically marks expired orders for erasure."""

import asyncio
from datetime import timedelta
from functools import partial

import structlog

from pastelka_common.contracts.messages import now
from pastelka_common.process import wait_at_most
from pastelka_common.storage import Storage
from pastelka_orders.database import Database, is_transient
from pastelka_orders.handlers.erasures import request_erasure
from pastelka_orders.handlers.orders import discard_abandoned
from pastelka_orders.handlers.photo_set import delete_due_files
from pastelka_orders.leases import leased
from pastelka_orders.photos.intake import remove_temp_folders
from pastelka_orders.repository import erasures, retention

_LEASE = "retention"
_BATCH = 50
_CLOCKS_DIFFER = timedelta(hours=12)

log = structlog.get_logger(__name__)


class Retention:
    """Runs a pass every ``interval`` seconds; only one replica at a time.

    ``days`` (24 h each) is the retention period from an order's creation, ``None`` if unlimited. The worker
    erases the marked orders.
    """

    def __init__(self, database: Database, storage: Storage, *, days: int | None, interval: float) -> None:
        self._database = database
        self._storage = storage
        self._days = days
        self._interval = interval

    async def run(self, stop: asyncio.Event) -> None:
        """Run passes until ``stop`` is set. A failure is retried at the next pass."""
        while not stop.is_set():
            try:
                await self.run_once(stop)
            except Exception as error:
                if not is_transient(error):
                    log.exception("retention failed")
                else:
                    log.warning("retention deferred, database unavailable", error=str(error))
            await wait_at_most(stop, self._interval)

    async def run_once(self, stop: asyncio.Event | None = None) -> bool:
        """Run one pass; ``False`` if another replica is running one. Ends early when ``stop`` is set."""
        async with leased(self._database, _LEASE) as is_ours:
            if not is_ours:
                return False
            await self._database.write(lambda c: retention.begin(c, days=self._days))
            await remove_temp_folders()
            await discard_abandoned(self._database, self._storage)
            await delete_due_files(self._database, self._storage)
            error = await self._mark_expired(self._days, stop) if self._days is not None else None
            await self._database.write(lambda c: retention.save_run(c, days=self._days, error=error))
        return True

    async def _mark_expired(self, days: int, stop: asyncio.Event | None) -> str | None:
        """Mark expired orders; returns an error if the clocks disagree."""
        differ = abs(await self._database.read(retention.clock) - now())
        if differ > _CLOCKS_DIFFER:
            message = f"The clocks of the database and of the worker differ by {differ}; nothing was erased."
            log.error("retention suspended, clocks disagree", differ=str(differ))
            return message
        while page := await self._database.read(lambda c: erasures.expired(c, days=days, batch=_BATCH)):
            for target in page:
                if stop is not None and stop.is_set():
                    return None
                await self._database.write(
                    partial(request_erasure, target=target, reason="retention", asked_by=None)
                )
        return None
