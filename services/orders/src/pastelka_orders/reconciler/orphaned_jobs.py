"""Removes jobs whose version has ended or was deleted."""

from datetime import timedelta

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import VersionJob, job_key, now
from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType
from pastelka_common.jobs.active_runs import cancel_subject
from pastelka_common.messaging.stored_messages import (
    StoredMessage,
    get_last_messages,
    ids_in_subjects,
    list_subjects,
    purge_subject,
)
from pastelka_common.messaging.topology import JOBS
from pastelka_orders.handlers.versions import CANCELLED
from pastelka_orders.outbox import Outbox
from pastelka_orders.reconciler.reconcile_pass import Reason, ReconcilePass
from pastelka_orders.repository import reconciling
from pastelka_orders.repository.reconciling import Ended


async def remove_orphaned_jobs(reconcile_pass: ReconcilePass) -> None:
    """Remove jobs from ``JOBS`` that an older copy of the store brought back, before they incur cost."""
    for kind in STATUS_ENUMS:
        ids = sorted(ids_in_subjects(await list_subjects(reconcile_pass.nc, JOBS, f"jobs.{kind}.*")))
        if not ids:
            continue
        ended = await _ended(reconcile_pass, kind, ids)
        jobs = await get_last_messages(reconcile_pass.nc, JOBS, [f"jobs.{kind}.{one.id}" for one in ended])
        for one in ended:
            job = jobs.get(f"jobs.{kind}.{one.id}")
            if job is not None and now() - job.time > timedelta(seconds=reconcile_pass.grace):
                await _remove(reconcile_pass, kind, one, job)


async def _ended(reconcile_pass: ReconcilePass, kind: StatusType, ids: list[int]) -> list[Ended]:
    return await reconcile_pass.database.read(
        lambda c: reconciling.ended(c, kind, ids, grace=reconcile_pass.grace)
    )


async def _remove(
    reconcile_pass: ReconcilePass, kind: StatusType, version: Ended, message: StoredMessage
) -> None:
    """Remove the job, and cancel its active run unless the version has its file."""
    try:
        run = VersionJob.model_validate_json(message.data).run
    except ValidationError:
        return  # its worker turns it into a dead letter
    if version.run is not None and run > version.run:
        return
    if version.run is None or version.error_code == CANCELLED.code:
        await reconcile_pass.change(lambda c: _cancel(c, kind, version.id, run))
    if not reconcile_pass.dry_run:
        # Only up to this message: a job of a new run may have been added since.
        await purge_subject(reconcile_pass.nc, JOBS, message.subject, up_to=message.sequence)
    reason: Reason = "job_of_deleted_version" if version.run is None else "job_of_ended_run"
    reconcile_pass.record(kind, reason, version=version.id, run=run)


async def _cancel(connection: AsyncConnection, kind: StatusType, version_id: int, run: int) -> None:
    outbox = Outbox()
    outbox.add_raw(cancel_subject(job_key(kind, version_id, run)), b"cancelled")
    await outbox.flush(connection)
