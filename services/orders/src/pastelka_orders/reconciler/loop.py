"""When the reconciler works: regularly, at start, and when the broker may have lost something."""

import asyncio
import time
from collections.abc import Callable

import structlog
from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.storage import Storage
from pastelka_orders.database import Database, is_passing
from pastelka_orders.leases import leased
from pastelka_orders.reconciler.answered_letters import remove_answered_letters
from pastelka_orders.reconciler.events import mend_events
from pastelka_orders.reconciler.files import FileRounds
from pastelka_orders.reconciler.leftovers import (
    mend_downloads,
    mend_erasures,
    mend_shop_jobs,
    remove_jobs_of_the_past,
)
from pastelka_orders.reconciler.stranded import remove_stranded_jobs
from pastelka_orders.reconciler.sweep import Sweep
from pastelka_orders.reconciler.versions import mend_versions
from pastelka_orders.repository import reconciling

_LEASE = "reconciler"
_PAUSE_AFTER_FAILURE = 1.0

log = structlog.get_logger(__name__)


class Reconciler:
    """Makes a pass every ``every`` seconds; of several replicas one at a time.

    ``grace`` (seconds) is how long nothing must have happened to a row before it is mended; ``files``
    is how many files of each kind a pass looks for, in rounds over all of them (0: none).
    :meth:`wake` asks for a pass now.
    """

    def __init__(
        self,
        database: Database,
        nc: Client,
        storage: Storage,
        *,
        every: float,
        grace: float,
        files: int = 0,
        on_mended: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._nc = nc
        self._storage = storage
        self._every = every
        self._grace = grace
        self._on_mended = on_mended
        self._files = FileRounds(files) if files else None
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look at once: the broker was away, or something has vanished from it."""
        self._awake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Reconcile until ``stop`` is set. What fails (no database, no broker) is tried again."""
        while not stop.is_set():
            self._awake.clear()
            pause = self._every if await self._pass() else min(self._every, _PAUSE_AFTER_FAILURE)
            await self._wait(stop, pause)

    async def sweep(self, *, dry_run: bool = False) -> Sweep | None:
        """One pass; ``None`` if another replica is making one. Raises what the parts raise."""
        async with leased(self._database, _LEASE) as is_ours:
            if not is_ours:
                return None
            found = Sweep(self._database, self._nc, self._storage, self._grace, dry_run=dry_run)
            await _pass_over(found, self._files)
        if found.mended and not dry_run:
            self._on_mended()
        return found

    async def _pass(self) -> bool:
        """Whether a pass came to its end, here or in another replica."""
        if not self._nc.is_connected:
            return False
        try:
            await self.sweep()
        except BROKER_ERRORS as error:
            log.warning("reconciler waits for the broker", error=str(error) or type(error).__name__)
            return False
        except Exception as error:
            if not is_passing(error):
                log.exception("reconciler failed")
                return True
            log.warning("reconciler waits for the database", error=str(error))
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


async def _pass_over(sweep: Sweep, files: FileRounds | None) -> None:
    started = time.monotonic()
    last = await sweep.database.read(reconciling.state)
    # What has ended first: nothing of the past is to be begun while the rest is looked at.
    await remove_stranded_jobs(sweep)
    await remove_jobs_of_the_past(sweep)
    await mend_versions(sweep)
    await mend_downloads(sweep)
    await mend_erasures(sweep)
    await mend_shop_jobs(sweep)
    await remove_answered_letters(sweep)
    if files is not None:
        await files.look(sweep)
    events = await mend_events(sweep, last)
    seconds = time.monotonic() - started

    async def remember(connection: AsyncConnection) -> None:
        await reconciling.save_state(
            connection,
            seconds=seconds,
            examined=sweep.examined,
            mended=len(sweep.mended),
            events_mark=events.mark,
            events_good_at=events.good_at,
        )

    await sweep.change(remember)
