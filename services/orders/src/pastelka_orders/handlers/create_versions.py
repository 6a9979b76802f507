"""Creation of versions and their jobs, shared by generation, follow-up and retry."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import ColoringJob, SvgJob, VersionJob, now
from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_common.contracts.statuses import StatusType
from pastelka_common.storage import version_path
from pastelka_orders.errors import ItemRemovedError, OrderCancelledError
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import versions
from pastelka_orders.repository.images import LockedImage
from pastelka_orders.repository.versions import Change, Version

Traces = Mapping[int | None, dict[str, str]]
"""Trace context by the id of a coloring."""


def require_wanted(image: LockedImage) -> None:
    """Raise ``OrderCancelledError`` or ``ItemRemovedError`` if the shop no longer wants the image."""
    if image.is_cancelled:
        raise OrderCancelledError(image.order_number)
    if not image.is_wanted:
        raise ItemRemovedError(
            f"The line item of image {image.id}", "nothing is generated for it", image_id=image.id
        )


async def create_colorings(
    connection: AsyncConnection,
    outbox: Outbox,
    image_ids: Sequence[int],
    options: ColoringOptions,
    then_svg: SvgOptions | None = None,
) -> list[int]:
    """Create a coloring of each of these locked images; returns the versions' ids."""
    if not image_ids:
        return []
    ids = await versions.add_colorings(connection, image_ids, options, then_svg)
    await begin(connection, outbox, "coloring", ids)
    return ids


async def create_svgs(
    connection: AsyncConnection,
    outbox: Outbox,
    colorings: Sequence[tuple[int, int]],
    options: SvgOptions,
    traces: Traces | None = None,
) -> list[int]:
    """Create an SVG of each ``(image, coloring version)``; returns the versions' ids."""
    if not colorings:
        return []
    ids = await versions.add_svgs(connection, colorings, options)
    await begin(connection, outbox, "svg", ids, traces)
    return ids


async def begin(
    connection: AsyncConnection,
    outbox: Outbox,
    kind: StatusType,
    ids: Sequence[int],
    traces: Traces | None = None,
) -> None:
    """Publish the jobs of versions with a new run, and record their status ``pending``.

    Jobs join the trace of the coloring that caused them if ``traces`` has it, else the current one.
    """
    requested = await versions.lock(connection, kind, ids)
    moment = now()
    await versions.add_changes(
        connection,
        [Change(kind, v.image_id, v.id, v.progress.run, 0, v.status.value, moment) for v in requested],
    )
    for version in requested:
        outbox.add(job_of(version), headers=(traces or {}).get(version.coloring_version_id))


def target_of(version: Version) -> str:
    """Path of the file that this version's job writes, relative to the storage root."""
    return version_path(
        version.kind,
        order_id=version.order_id,
        line_item_id=version.file_line_item_id,
        position=version.file_position,
        version=version.version,
    )


def job_of(version: Version, *, first_attempt: int = 1, provider_job_id: str | None = None) -> VersionJob:
    """The job of this version; when republished within a run, with the attempt and provider job to resume."""
    shared = {
        "version_id": version.id,
        "run": version.progress.run,
        "order_number": version.order_number,
        "image_id": version.image_id,
        "target": target_of(version),
        "asked_at": version.asked_at,
        "first_attempt": first_attempt,
        "provider_job_id": provider_job_id,
    }
    if version.kind == "coloring":
        return ColoringJob.model_validate(
            {**shared, "source": version.photo_path, "options": version.coloring}
        )
    return SvgJob.model_validate({**shared, "source": version.coloring_path, "options": version.svg})
