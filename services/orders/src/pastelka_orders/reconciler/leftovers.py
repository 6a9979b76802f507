"""Jobs whose version has ended or is gone; photos nobody fetches, a shop nobody asks, files nobody erases."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import DownloadJob, EraseJob, Message, VersionJob, job_key, now
from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType
from pastelka_common.messaging.held import (
    Held,
    last_from_leader,
    last_held,
    numbers,
    purge_subject,
    subjects_held,
)
from pastelka_common.messaging.runs import cancel_subject
from pastelka_common.messaging.topology import JOBS
from pastelka_orders.handlers import downloads
from pastelka_orders.handlers.versions import CANCELLED
from pastelka_orders.outbox import Outbox
from pastelka_orders.reconciler.sweep import Reason, Sweep
from pastelka_orders.repository import reconciling, shop_jobs
from pastelka_orders.repository.reconciling import DeletedOrder, Ended, WaitingPhoto

_FOLDERS = 20
"""Folders of deleted orders that a pass looks for."""

log = structlog.get_logger(__name__)


async def remove_jobs_of_the_past(sweep: Sweep) -> None:
    """Take out of ``JOBS`` what an older copy of the store has brought back, before it costs anything."""
    for kind in STATUS_ENUMS:
        ids = sorted(numbers(await subjects_held(sweep.nc, JOBS, f"jobs.{kind}.*")))
        if not ids:
            continue
        ended = await _ended(sweep, kind, ids)
        held = await last_held(sweep.nc, JOBS, [f"jobs.{kind}.{one.id}" for one in ended])
        for one in ended:
            job = held.get(f"jobs.{kind}.{one.id}")
            if job is not None and now() - job.time > timedelta(seconds=sweep.grace):
                await _remove(sweep, kind, one, job)


async def mend_downloads(sweep: Sweep) -> None:
    """Ask again for photos that are to be fetched and that no job is about."""
    waiting = await sweep.database.read(lambda c: reconciling.waiting_photos(c, grace=sweep.grace))
    held = await last_held(sweep.nc, JOBS, [f"jobs.download.{photo.id}" for photo in waiting])
    for photo in waiting:
        if f"jobs.download.{photo.id}" not in held and await _fetch(sweep, photo):
            sweep.note("download", "job_missing", image=photo.id, order=photo.order_number)


async def mend_erasures(sweep: Sweep) -> None:
    """Ask again for the erasure of orders whose files are still, or again, there.

    Each look is a request to the storage: a pass makes a few, of the orders that have waited longest.
    """
    due = await sweep.database.read(lambda c: reconciling.erasures(c, grace=sweep.grace, page=_FOLDERS))
    for order in due:
        try:
            left = await sweep.storage.holds(str(order.order_id))
        except OSError as error:  # the rest of the pass needs no storage
            log.warning("not looked for files left", order_id=order.order_id, reason=error.strerror)
            return
        if left and await _erase(sweep, order):
            sweep.note("erase", "files_left", order=order.order_number, order_id=order.order_id)
        await sweep.change(_looked(sweep, order, found=left))


def _looked(
    sweep: Sweep, order: DeletedOrder, *, found: bool
) -> Callable[[AsyncConnection], Awaitable[None]]:
    return lambda c: reconciling.note_look(c, order.order_id, grace=sweep.grace, found=found)


async def mend_shop_jobs(sweep: Sweep) -> None:
    """Ask the shop again for what no job is about, be it waiting or in hand."""
    for job in await sweep.database.read(lambda c: shop_jobs.waiting(c, grace=sweep.grace)):
        if await _ask_shop(sweep, job):
            sweep.note("shop", "job_missing", subject=job.subject)


async def _ended(sweep: Sweep, kind: StatusType, ids: list[int]) -> list[Ended]:
    return await sweep.database.read(lambda c: reconciling.ended(c, kind, ids, grace=sweep.grace))


async def _remove(sweep: Sweep, kind: StatusType, version: Ended, held: Held) -> None:
    """Remove the job; whoever has it in hand is told, unless the version has its file."""
    try:
        run = VersionJob.model_validate_json(held.data).run
    except ValidationError:
        return  # its worker makes it a dead letter
    if version.run is not None and run > version.run:
        return
    if version.run is None or version.error_code == CANCELLED.code:
        await sweep.change(lambda c: _cancel(c, kind, version.id, run))
    if not sweep.dry_run:
        # Up to this message only: a job of a new run may have come in between.
        await purge_subject(sweep.nc, JOBS, held.subject, up_to=held.sequence)
    reason: Reason = "job_of_deleted_version" if version.run is None else "job_of_ended_run"
    sweep.note(kind, reason, version=version.id, run=run)


async def _cancel(connection: AsyncConnection, kind: StatusType, version_id: int, run: int) -> None:
    outbox = Outbox()
    outbox.add_raw(cancel_subject(job_key(kind, version_id, run)), b"cancelled")
    await outbox.flush(connection)


async def _fetch(sweep: Sweep, photo: WaitingPhoto) -> bool:
    job = DownloadJob(image_id=photo.id, order_number=photo.order_number, url=photo.url)

    async def is_wanted(connection: AsyncConnection) -> bool:
        return await downloads.wanted(connection, photo.id, photo.url) is not None

    return await _add_if_absent(sweep, job, is_wanted)


async def _erase(sweep: Sweep, order: DeletedOrder) -> bool:
    return await _add_if_absent(sweep, EraseJob(order_id=order.order_id, order_number=order.order_number))


async def _ask_shop(sweep: Sweep, job: shop_jobs.Job) -> bool:
    return await _add_if_absent(sweep, job)


async def _always(_: AsyncConnection) -> bool:
    return True


async def _add_if_absent(
    sweep: Sweep, job: Message, is_wanted: Callable[[AsyncConnection], Awaitable[bool]] = _always
) -> bool:
    """Publish ``job`` unless one on its subject waits in the outbox or in the stream.

    The outbox is read before the stream: what has left the one is in the other. Each of these jobs may
    be done twice.
    """
    if await sweep.database.read(lambda c: reconciling.is_in_outbox(c, job.subject)):
        return False
    if await last_from_leader(sweep.nc, JOBS, job.subject) is not None:
        return False

    async def add(connection: AsyncConnection) -> bool:
        if await reconciling.is_in_outbox(connection, job.subject) or not await is_wanted(connection):
            return False
        outbox = Outbox()
        outbox.add(job)
        await outbox.flush(connection)
        return True

    return await sweep.change(add)
