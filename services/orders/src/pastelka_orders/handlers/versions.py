"""Selection, retry and cancellation of versions."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import (
    Failure,
    SelectionChanged,
    VersionStatusChanged,
    job_key,
    now,
)
from pastelka_common.contracts.options import ColoringProviderName
from pastelka_common.contracts.statuses import StatusType, VersionStatus
from pastelka_common.jobs.active_runs import cancel_subject
from pastelka_orders.domain.versions import status_of
from pastelka_orders.errors import (
    AlreadyEndedError,
    ImageApprovedError,
    ImageNotFoundError,
    NotCompletedError,
    NotRetryableError,
    PhotoMissingError,
    VersionNotFoundError,
)
from pastelka_orders.handlers import metrics
from pastelka_orders.handlers.coloring_options import require_supported
from pastelka_orders.handlers.create_versions import begin, require_wanted
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import images, versions
from pastelka_orders.repository.versions import Change, Saved, Version

CANCELLED = Failure(code="cancelled", message="Cancelled by a user.")


async def select(connection: AsyncConnection, kind: StatusType, image_id: int, version_id: int) -> None:
    """Make this version the chosen one of its image; an approved image keeps its page."""
    # Lock order is always version, then image: transactions cannot deadlock.
    found = await versions.lock(connection, kind, [version_id])
    image = await images.lock(connection, image_id)
    if image is None:
        raise ImageNotFoundError(image_id)
    if not found or found[0].image_id != image_id:
        raise VersionNotFoundError(kind, version_id)
    version = found[0]
    if version.status != status_of(kind, "completed"):
        raise NotCompletedError(kind, version_id, version.status.value)
    coloring_id = version_id if kind == "coloring" else version.coloring_version_id
    if image.is_approved and coloring_id != image.selected_coloring_id:
        raise ImageApprovedError(image_id)
    await images.choose(connection, kind, image_id, version_id)
    await Outbox.publish(connection, SelectionChanged(order_number=image.order_number, image_id=image_id))


async def retry(
    connection: AsyncConnection,
    kind: StatusType,
    version_id: int,
    provider: ColoringProviderName | None = None,
) -> None:
    """Begin a new run of a failed version; an active one stays unchanged (a second click).

    Raises ``OptionUnsupportedError`` for a coloring with options that the ``provider`` does not support; if
    ``provider`` is ``None``, the provider itself rejects the job.
    """
    version = await _locked(connection, kind, version_id)
    if version.status.is_active:
        return
    if not version.status.is_retryable:
        raise NotRetryableError(kind, version_id, version.status.value)
    if provider is not None and version.coloring is not None:
        require_supported(provider, version.coloring.model_dump())
    if version.photo_path is None:  # replaced, and the new one is not stored yet
        raise PhotoMissingError(version.image_id)
    image = await images.lock(connection, version.image_id)
    if image is not None:
        require_wanted(image)
    await versions.restart(connection, kind, version_id)
    outbox = Outbox()
    await begin(connection, outbox, kind, [version_id])
    await outbox.flush(connection)


async def cancel(connection: AsyncConnection, kind: StatusType, version_id: int) -> None:
    """Stop an active version, also at the provider; idempotent."""
    version = await _locked(connection, kind, version_id)
    if version.status.is_final and version.error_code != CANCELLED.code:
        raise AlreadyEndedError(kind, version_id, version.status.value)
    if version.status.is_final:
        return
    outbox = Outbox()
    await end_in_error(connection, outbox, version, CANCELLED)
    stop_work(outbox, version)
    await outbox.flush(connection)


async def end_in_error(
    connection: AsyncConnection, outbox: Outbox, version: Version, failure: Failure
) -> None:
    """End the run of a locked version without a file."""
    moment = now()
    error = status_of(version.kind, "error")
    progress = replace(version.progress, status=error)
    saved = Saved(
        version.id, progress, error_code=failure.code, error_message=failure.message, ended_at=moment
    )
    await versions.save(connection, version.kind, [saved])
    await record_status(connection, outbox, version, error, moment=moment, error_code=failure.code)
    metrics.observe_version_end(version, error.value, failure.code, moment)


async def record_status(
    connection: AsyncConnection,
    outbox: Outbox,
    version: Version,
    status: VersionStatus,
    *,
    moment: datetime,
    error_code: str | None = None,
) -> None:
    """Record the new status of ``version`` since ``moment`` in the timeline, and publish it."""
    progress = version.progress
    change = Change(
        version.kind,
        version.image_id,
        version.id,
        progress.run,
        progress.attempt,
        status.value,
        moment,
        error_code,
    )
    await versions.add_changes(connection, [change])
    outbox.add(status_changed(version, version.status, status))


def status_changed(version: Version, previous: VersionStatus, status: VersionStatus) -> VersionStatusChanged:
    """The event about a status change, for browsers."""
    return VersionStatusChanged(
        order_number=version.order_number,
        image_id=version.image_id,
        status_type=version.kind,
        version_id=version.id,
        previous=previous.value,
        status=status.value,
    )


def stop_work(outbox: Outbox, version: Version) -> None:
    """Publish the cancellation of the current run, for the worker that has or will get it."""
    key = job_key(version.kind, version.id, version.progress.run)
    outbox.add_raw(cancel_subject(key), b"cancelled")


async def _locked(connection: AsyncConnection, kind: StatusType, version_id: int) -> Version:
    found = await versions.lock(connection, kind, [version_id])
    if not found:
        raise VersionNotFoundError(kind, version_id)
    return found[0]
