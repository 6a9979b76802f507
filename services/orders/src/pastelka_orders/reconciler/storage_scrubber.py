"""Detects rows whose file is missing, as after a restore or data loss.

Files are checked in rounds, a few of each kind per pass. No file is marked as lost while the storage is
unreadable, empty, or has none of many files: it may be unmounted or the wrong one.
"""

from asyncio import TaskGroup
from contextlib import suppress
from functools import partial
from typing import get_args

import structlog
from anyio import CapacityLimiter

from pastelka_common.storage import StorageNotMountedError
from pastelka_orders.handlers import stored_files as handlers
from pastelka_orders.models.orders import MANY_FILES, StoredKind
from pastelka_orders.reconciler.reconcile_pass import ReconcilePass
from pastelka_orders.repository import stored_files
from pastelka_orders.repository.stored_files import StoredFile

_CONCURRENCY = 16
"""Concurrent checks: a bucket responds slowly."""

log = structlog.get_logger(__name__)


class StorageScrubber:
    """Checks all files in rounds, ``per_pass`` of each kind per pass.

    The database stores the position: restarts and other replicas continue from there.
    """

    def __init__(self, per_pass: int, *, is_storage_trusted: bool = False) -> None:
        self._per_pass = per_pass
        # The operator has declared the storage complete.
        self._is_storage_trusted = is_storage_trusted

    async def scrub(self, reconcile_pass: ReconcilePass) -> None:
        """Check the next files of each kind."""
        try:
            await reconcile_pass.storage.ensure_mounted(may_be_empty=self._is_storage_trusted)
        except StorageNotMountedError as error:
            log.debug("file check skipped", reason=str(error))
            return
        after = await reconcile_pass.database.read(stored_files.positions)
        for kind in get_args(StoredKind):
            position = await self._check_page(reconcile_pass, kind, after.get(kind, 0))
            await reconcile_pass.change(partial(stored_files.save_position, kind=kind, after=position))

    async def scrub_all(self, reconcile_pass: ReconcilePass) -> None:
        """Check every file once. Raises ``StorageNotMountedError``."""
        await reconcile_pass.storage.ensure_mounted(may_be_empty=self._is_storage_trusted)
        for kind in get_args(StoredKind):
            after = await self._check_page(reconcile_pass, kind, 0)
            while after:
                after = await self._check_page(reconcile_pass, kind, after)

    async def _check_page(self, reconcile_pass: ReconcilePass, kind: StoredKind, after: int) -> int:
        """Check the files after this id; returns the last id, 0 at the end of the round."""
        files = await reconcile_pass.database.read(
            lambda c: stored_files.page(c, kind, after=after, page=self._per_pass, grace=reconcile_pass.grace)
        )
        last = files[-1].id if len(files) == self._per_pass else 0
        found = await _check_exists(reconcile_pass, files)
        if len(found) >= MANY_FILES and not any(found.values()) and not self._is_storage_trusted:
            log.error(
                "none of many files is in the storage; is it the right one?", kind=kind, files=len(found)
            )
            return last
        for file in files:
            if file.id in found:
                await _repair(reconcile_pass, file, is_there=found[file.id])
        if len(found) < len(files):
            log.warning("file check failed", kind=kind, files=len(files) - len(found))
        return last


async def _repair(reconcile_pass: ReconcilePass, file: StoredFile, *, is_there: bool) -> None:
    if is_there == (not file.is_noted):
        return
    if is_there and await reconcile_pass.change(lambda c: handlers.mark_found(c, file)):
        reconcile_pass.record(file.kind, "file_back", id=file.id, path=file.path)
    if not is_there and await reconcile_pass.change(lambda c: handlers.mark_missing(c, file)):
        reconcile_pass.record(file.kind, "file_missing", id=file.id, path=file.path)


async def _check_exists(reconcile_pass: ReconcilePass, files: list[StoredFile]) -> dict[int, bool]:
    """Whether each file exists and is not empty, by id; without those that could not be checked."""
    limiter = CapacityLimiter(_CONCURRENCY)
    found: dict[int, bool] = {}

    async def check(file: StoredFile) -> None:
        async with limiter:
            with suppress(OSError):
                found[file.id] = bool(await reconcile_pass.storage.size(file.path))

    async with TaskGroup() as group:
        for file in files:
            group.create_task(check(file))
    return found
