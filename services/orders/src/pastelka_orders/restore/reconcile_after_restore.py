"""Reconciles a restored database with storage and an empty broker, while no service runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType
from pastelka_common.jobs.run_markers import RunMarker, RunMarkers
from pastelka_common.messaging.topology import delete_streams
from pastelka_common.storage import Storage
from pastelka_orders.errors import ConflictError
from pastelka_orders.handlers.create_versions import job_of
from pastelka_orders.handlers.erasures import request_erasure
from pastelka_orders.reconciler.reconcile_pass import ReconcilePass, Repair
from pastelka_orders.reconciler.storage_scrubber import StorageScrubber
from pastelka_orders.repository import erasures, restore, versions
from pastelka_orders.repository.erasures import Target
from pastelka_orders.repository.restore import MANUAL_NUMBERS
from pastelka_orders.repository.versions import Version
from pastelka_orders.restore.record import BackupRecord, ErasedOrder

_PAGE = 1000
_ID_MARGIN = 10_000
"""Ids that may have been assigned after the record was made."""
_NUMBER_MARGIN = 100
"""Likewise, numbers of manual orders: visible to people, so fewer are skipped."""
_MAX_ID_GAP = 1_000_000
"""More orders than can be created between backup and restore; ids end at 2**31 - 1."""


class RestoreRefusedError(ConflictError, code="not_settled"):
    """The system's state does not allow reconciling."""


@dataclass(slots=True)
class RestoreReport:
    """Report of the changes, for an operator."""

    erased_again: list[str] = field(default_factory=list)
    files_of_erased: list[str] = field(default_factory=list)
    sessions_ended: int = 0
    users_disabled: list[str] = field(default_factory=list)
    tokens_revoked: list[str] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    files: list[Repair] = field(default_factory=list)
    unowned_folders: list[int] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        """The report as a JSON document."""
        return asdict(self)


async def reconcile_after_restore(
    reconcile_pass: ReconcilePass, record: BackupRecord | None
) -> RestoreReport:
    """Apply the record, and reconcile rows, files and provider jobs; a dry run changes nothing.

    Idempotent. Raises :class:`RestoreRefusedError` while services are connected to the database,
    ``StorageNotMountedError``.
    """
    found = RestoreReport()
    await reconcile_pass.storage.ensure_mounted(may_be_empty=True)
    await _require_no_connections(reconcile_pass)
    folders = await _folders(reconcile_pass.storage)
    found.ids = await _next_ids(reconcile_pass, record, folders)
    if not reconcile_pass.dry_run:  # streams and sequences are not rolled back
        # The broker's messages are newer than the database; everything is rebuilt.
        await delete_streams(reconcile_pass.nc)
        await reconcile_pass.change(lambda c: _advance(c, found.ids))
    await reconcile_pass.change(lambda c: _apply_record(c, found, record))
    for kind in STATUS_ENUMS:
        await _resume_runs(reconcile_pass, found, kind)
    await StorageScrubber(_PAGE, is_storage_trusted=True).scrub_all(reconcile_pass)
    found.files = reconcile_pass.repaired
    known = await reconcile_pass.database.read(lambda c: restore.known_orders(c, folders))
    found.unowned_folders = sorted(set(folders) - known)
    return found


async def _require_no_connections(reconcile_pass: ReconcilePass) -> None:
    others = await reconcile_pass.database.read(restore.count_other_connections)
    if others:
        raise RestoreRefusedError(
            f"{others} other connections to the database are open: stop every service first, including those "
            "that restart automatically, and all other clients."
        )


async def _next_ids(
    reconcile_pass: ReconcilePass, record: BackupRecord | None, folders: list[int]
) -> dict[str, int]:
    """Next ids: messages, markers and URLs newer than the backup contain ids that must not be reused."""
    found = {}
    for name, last in (await reconcile_pass.database.read(restore.ids)).items():
        known = max(last, record.ids.get(name, 0) if record is not None else 0)
        stored = max(folders, default=0) if name == "orders" else 0
        if stored > known + _MAX_ID_GAP:
            raise RestoreRefusedError(
                f"The storage has a folder {stored}, far above the highest order id ({known}). If it is the "
                "right storage, move that folder away."
            )
        found[name] = max(known, stored) + (_NUMBER_MARGIN if name == MANUAL_NUMBERS else _ID_MARGIN)
    return found


async def _advance(connection: AsyncConnection, ids: Mapping[str, int]) -> None:
    for name, value in ids.items():
        await restore.advance(connection, name, value)


async def _apply_record(
    connection: AsyncConnection, found: RestoreReport, record: BackupRecord | None
) -> None:
    found.sessions_ended = await restore.end_sessions(connection)
    if record is None:
        return
    found.users_disabled = await restore.disable_users_but(connection, record.users)
    found.tokens_revoked = await restore.revoke_tokens_but(connection, record.tokens)
    await erasures.suppress(connection, record.suppressed)
    for order in record.erasures:
        await _erase_again(connection, found, order)


async def _erase_again(connection: AsyncConnection, found: RestoreReport, order: ErasedOrder) -> None:
    here = await restore.order_number(connection, order.order_id)
    if here is None:
        if await restore.add_erasure_without_rows(connection, order.model_dump()):
            found.files_of_erased.append(order.order_number)
    elif here == order.order_number:
        target = Target(order.order_id, order.order_number)
        if await request_erasure(connection, target, order.reason, order.asked_by):
            found.erased_again.append(order.order_number)


async def _resume_runs(reconcile_pass: ReconcilePass, found: RestoreReport, kind: StatusType) -> None:
    """Resume paid provider jobs of versions that were retried after the backup."""
    after = 0
    page = partial(restore.unfinished, kind=kind, page=_PAGE)
    while ids := await reconcile_pass.database.read(partial(page, after=after)):
        after = ids[-1]
        markers = await _markers_of(reconcile_pass, kind, ids)
        await reconcile_pass.change(partial(_resume_page, found=found, kind=kind, markers=markers))


async def _markers_of(
    reconcile_pass: ReconcilePass, kind: StatusType, ids: list[int]
) -> dict[int, RunMarker]:
    """Run markers next to the versions' files, by version id."""
    markers = RunMarkers(reconcile_pass.storage)
    of_page = await reconcile_pass.database.read(lambda c: versions.lock(c, kind, ids))
    found = {version.id: await _marker_of(markers, version) for version in of_page}
    return {version_id: marker for version_id, marker in found.items() if marker is not None}


async def _resume_page(
    connection: AsyncConnection, found: RestoreReport, kind: StatusType, markers: Mapping[int, RunMarker]
) -> None:
    for version in await versions.lock(connection, kind, sorted(markers)):
        marker = markers[version.id]
        if marker.run > version.progress.run:
            await _resume_run(connection, version, marker)
            found.runs.append(f"{kind} {version.id} run {version.progress.run} -> {marker.run}")


async def _marker_of(markers: RunMarkers, version: Version) -> RunMarker | None:
    source = version.photo_path if version.kind == "coloring" else version.coloring_path
    return None if source is None else await markers.newest(job_of(version))


async def _resume_run(connection: AsyncConnection, version: Version, marker: RunMarker) -> None:
    if version.status.is_final:
        await restore.set_run(connection, version.kind, version.id, marker.run)
    else:
        job_id = marker.provider_job_id
        await restore.resume(connection, version.kind, version.id, run=marker.run, provider_job_id=job_id)


async def _folders(storage: Storage) -> list[int]:
    """Ids of orders that have a folder in the storage."""
    return sorted(int(name) for name in await storage.folders() if name.isdecimal())
