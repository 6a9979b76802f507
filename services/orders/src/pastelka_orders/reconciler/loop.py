"""Schedules the reconciler: periodically, at startup, and when the broker may have lost messages."""

import asyncio
import time
from collections.abc import Callable

import structlog
from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.errors import BrokerUnavailableError
from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.storage import Storage
from pastelka_orders.database import Database, is_transient
from pastelka_orders.leases import leased
from pastelka_orders.reconciler.events import repair_events
from pastelka_orders.reconciler.orphaned_jobs import remove_orphaned_jobs
from pastelka_orders.reconciler.reconcile_pass import ReconcilePass
from pastelka_orders.reconciler.resolved_dead_letters import remove_resolved_dead_letters
from pastelka_orders.reconciler.storage_scrubber import StorageScrubber
from pastelka_orders.reconciler.undeliverable_jobs import remove_undeliverable_jobs
from pastelka_orders.reconciler.versions import repair_versions
from pastelka_orders.repository import reconciling

_LEASE = "reconciler"
_RETRY_DELAY = 1.0

log = structlog.get_logger(__name__)


class Reconciler:
    """Runs a pass every ``interval`` seconds; only one replica at a time.

    A row is repaired only after ``grace`` seconds without a change; a pass checks ``files`` files of each
    kind, in rounds over all of them (0: none). :meth:`wake` triggers a pass.
    """

    def __init__(
        self,
        database: Database,
        nc: Client,
        storage: Storage,
        *,
        interval: float,
        grace: float,
        files: int = 0,
        on_repaired: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._nc = nc
        self._storage = storage
        self._interval = interval
        self._grace = grace
        self._on_repaired = on_repaired
        self._files = StorageScrubber(files) if files else None
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Trigger a pass: the broker was unavailable, or lost something."""
        self._awake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Reconcile until ``stop`` is set. Failures (no database, no broker) are retried."""
        while not stop.is_set():
            self._awake.clear()
            pause = self._interval if await self._pass() else min(self._interval, _RETRY_DELAY)
            await self._wait(stop, pause)

    async def run_once(self, *, dry_run: bool = False) -> ReconcilePass | None:
        """Run one pass; ``None`` if another replica is running one. Raises what its parts raise."""
        async with leased(self._database, _LEASE) as is_ours:
            if not is_ours:
                return None
            found = ReconcilePass(self._database, self._nc, self._storage, self._grace, dry_run=dry_run)
            await _run_pass(found, self._files)
        if found.repaired and not dry_run:
            self._on_repaired()
        return found

    async def _pass(self) -> bool:
        """Run a pass; returns whether one completed, here or in another replica."""
        if not self._nc.is_connected:
            return False
        try:
            await self.run_once()
        except (*BROKER_ERRORS, BrokerUnavailableError) as error:
            log.warning("reconciler deferred, broker unavailable", error=str(error) or type(error).__name__)
            return False
        except Exception as error:
            if not is_transient(error):
                log.exception("reconciler failed")
                return True
            log.warning("reconciler deferred, database unavailable", error=str(error))
            return False
        return True

    async def _wait(self, stop: asyncio.Event, seconds: float) -> None:
        stopped = asyncio.create_task(stop.wait())
        woken = asyncio.create_task(self._awake.wait())
        try:
            await asyncio.wait({stopped, woken}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            woken.cancel()


async def _run_pass(reconcile_pass: ReconcilePass, files: StorageScrubber | None) -> None:
    started = time.monotonic()
    last = await reconcile_pass.database.read(reconciling.state)
    # Ended versions first: no stale job may start during the rest of the pass.
    await remove_undeliverable_jobs(reconcile_pass)
    await remove_orphaned_jobs(reconcile_pass)
    await repair_versions(reconcile_pass)
    await remove_resolved_dead_letters(reconcile_pass)
    if files is not None:
        await files.scrub(reconcile_pass)
    events = await repair_events(reconcile_pass, last)
    seconds = time.monotonic() - started

    async def save_state(connection: AsyncConnection) -> None:
        await reconciling.save_state(
            connection,
            seconds=seconds,
            examined=reconcile_pass.examined,
            repaired=len(reconcile_pass.repaired),
            events_mark=events.mark,
            events_good_at=events.good_at,
        )

    await reconcile_pass.change(save_state)
