"""Jobs whose version has ended or is gone; photos nobody fetches, a shop nobody asks, files nobody erases."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import DownloadJob, EraseJob, Message, VersionJob, job_key, now
from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType
from pastelka_common.jobs.runs import cancel_subject
from pastelka_common.messaging.stored_messages import (
    StoredMessage,
    get_last_message_from_leader,
    get_last_messages,
    ids_in_subjects,
    list_subjects,
    purge_subject,
)
from pastelka_common.messaging.topology import JOBS
from pastelka_orders.handlers import downloads
from pastelka_orders.handlers.versions import CANCELLED
from pastelka_orders.outbox import Outbox
from pastelka_orders.reconciler.reconcile_pass import Reason, ReconcilePass
from pastelka_orders.repository import reconciling, shop_jobs
from pastelka_orders.repository.reconciling import DeletedOrder, Ended, WaitingPhoto

_FOLDERS = 20
"""Folders of deleted orders that a pass looks for."""

log = structlog.get_logger(__name__)


async def remove_orphaned_jobs(reconcile_pass: ReconcilePass) -> None:
    """Take out of ``JOBS`` what an older copy of the store has brought back, before it costs anything."""
    for kind in STATUS_ENUMS:
        ids = sorted(ids_in_subjects(await list_subjects(reconcile_pass.nc, JOBS, f"jobs.{kind}.*")))
        if not ids:
            continue
        ended = await _ended(reconcile_pass, kind, ids)
        held = await get_last_messages(reconcile_pass.nc, JOBS, [f"jobs.{kind}.{one.id}" for one in ended])
        for one in ended:
            job = held.get(f"jobs.{kind}.{one.id}")
            if job is not None and now() - job.time > timedelta(seconds=reconcile_pass.grace):
                await _remove(reconcile_pass, kind, one, job)


async def repair_downloads(reconcile_pass: ReconcilePass) -> None:
    """Ask again for photos that are to be fetched and that no job is about."""
    waiting = await reconcile_pass.database.read(
        lambda c: reconciling.waiting_photos(c, grace=reconcile_pass.grace)
    )
    held = await get_last_messages(
        reconcile_pass.nc, JOBS, [f"jobs.download.{photo.id}" for photo in waiting]
    )
    for photo in waiting:
        if f"jobs.download.{photo.id}" not in held and await _fetch(reconcile_pass, photo):
            reconcile_pass.note("download", "job_missing", image=photo.id, order=photo.order_number)


async def repair_erasures(reconcile_pass: ReconcilePass) -> None:
    """Ask again for the erasure of orders whose files are still, or again, there.

    Each look is a request to the storage: a pass makes a few, of the orders that have waited longest.
    """
    due = await reconcile_pass.database.read(
        lambda c: reconciling.erasures(c, grace=reconcile_pass.grace, page=_FOLDERS)
    )
    for order in due:
        try:
            left = await reconcile_pass.storage.prefix_exists(str(order.order_id))
        except OSError as error:  # the rest of the pass needs no storage
            log.warning("leftover file check failed", order_id=order.order_id, reason=error.strerror)
            return
        if left and await _erase(reconcile_pass, order):
            reconcile_pass.note("erase", "files_left", order=order.order_number, order_id=order.order_id)
        await reconcile_pass.change(_looked(reconcile_pass, order, found=left))


def _looked(
    reconcile_pass: ReconcilePass, order: DeletedOrder, *, found: bool
) -> Callable[[AsyncConnection], Awaitable[None]]:
    return lambda c: reconciling.note_look(c, order.order_id, grace=reconcile_pass.grace, found=found)


async def repair_shop_jobs(reconcile_pass: ReconcilePass) -> None:
    """Ask the shop again for what no job is about, be it waiting or in hand."""
    for job in await reconcile_pass.database.read(lambda c: shop_jobs.waiting(c, grace=reconcile_pass.grace)):
        if await _ask_shop(reconcile_pass, job):
            reconcile_pass.note("shop", "job_missing", subject=job.subject)


async def _ended(reconcile_pass: ReconcilePass, kind: StatusType, ids: list[int]) -> list[Ended]:
    return await reconcile_pass.database.read(
        lambda c: reconciling.ended(c, kind, ids, grace=reconcile_pass.grace)
    )


async def _remove(
    reconcile_pass: ReconcilePass, kind: StatusType, version: Ended, held: StoredMessage
) -> None:
    """Remove the job; whoever has it in hand is told, unless the version has its file."""
    try:
        run = VersionJob.model_validate_json(held.data).run
    except ValidationError:
        return  # its worker makes it a dead letter
    if version.run is not None and run > version.run:
        return
    if version.run is None or version.error_code == CANCELLED.code:
        await reconcile_pass.change(lambda c: _cancel(c, kind, version.id, run))
    if not reconcile_pass.dry_run:
        # Up to this message only: a job of a new run may have come in between.
        await purge_subject(reconcile_pass.nc, JOBS, held.subject, up_to=held.sequence)
    reason: Reason = "job_of_deleted_version" if version.run is None else "job_of_ended_run"
    reconcile_pass.note(kind, reason, version=version.id, run=run)


async def _cancel(connection: AsyncConnection, kind: StatusType, version_id: int, run: int) -> None:
    outbox = Outbox()
    outbox.add_raw(cancel_subject(job_key(kind, version_id, run)), b"cancelled")
    await outbox.flush(connection)


async def _fetch(reconcile_pass: ReconcilePass, photo: WaitingPhoto) -> bool:
    job = DownloadJob(image_id=photo.id, order_number=photo.order_number, url=photo.url)

    async def is_wanted(connection: AsyncConnection) -> bool:
        return await downloads.wanted(connection, photo.id, photo.url) is not None

    return await _add_if_absent(reconcile_pass, job, is_wanted)


async def _erase(reconcile_pass: ReconcilePass, order: DeletedOrder) -> bool:
    return await _add_if_absent(
        reconcile_pass, EraseJob(order_id=order.order_id, order_number=order.order_number)
    )


async def _ask_shop(reconcile_pass: ReconcilePass, job: shop_jobs.Job) -> bool:
    return await _add_if_absent(reconcile_pass, job)


async def _always(_: AsyncConnection) -> bool:
    return True


async def _add_if_absent(
    reconcile_pass: ReconcilePass,
    job: Message,
    is_wanted: Callable[[AsyncConnection], Awaitable[bool]] = _always,
) -> bool:
    """Publish ``job`` unless one on its subject waits in the outbox or in the stream.

    The outbox is read before the stream: what has left the one is in the other. Each of these jobs may
    be done twice.
    """
    if await reconcile_pass.database.read(lambda c: reconciling.is_in_outbox(c, job.subject)):
        return False
    if await get_last_message_from_leader(reconcile_pass.nc, JOBS, job.subject) is not None:
        return False

    async def add(connection: AsyncConnection) -> bool:
        if await reconciling.is_in_outbox(connection, job.subject) or not await is_wanted(connection):
            return False
        outbox = Outbox()
        outbox.add(job)
        await outbox.flush(connection)
        return True

    return await reconcile_pass.change(add)
