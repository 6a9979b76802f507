"""Queries on versions; every statement handles a whole list."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Retry
from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_common.contracts.statuses import StatusType, VersionStatus
from pastelka_orders.domain.versions import VersionProgress, status_of
from pastelka_orders.repository.images import FILE_PLACE
from pastelka_orders.repository.sql import execute
from pastelka_orders.repository.version_options import coloring_options, svg_options

TABLES: dict[StatusType, str] = {"coloring": "coloring_versions", "svg": "svg_versions"}

_CONTEXT = """JOIN images i ON i.id = v.image_id JOIN line_items l ON l.id = i.line_item_id
    JOIN orders o ON o.id = l.order_id"""
_PLACE = f"""v.id, v.image_id, v.version, v.run, v.attempt, v.step, v.status, v.path, v.asked_at,
    v.updated_at, v.error_code, {FILE_PLACE}, o.id AS order_id, o.order_number"""
_OWN = {
    "coloring": """v.megapixels, v.steps, v.has_frame, v.background, v.line_weight, v.then_svg,
        COALESCE(v.edited_photo_path, i.path) AS photo_path""",
    "svg": """i.path AS photo_path, v.shape_stacking, v.group_by, v.coloring_version_id,
        (SELECT c.path FROM coloring_versions c WHERE c.id = v.coloring_version_id) AS coloring_path""",
}

# NO KEY: does not block foreign key checks, as by a new SVG of the same image.
_LOCK = {
    kind: f"""SELECT {_PLACE}, {_OWN[kind]} FROM {table} v {_CONTEXT}
        WHERE v.id = ANY(CAST(:ids AS integer[])) ORDER BY v.id FOR NO KEY UPDATE OF v"""
    for kind, table in TABLES.items()
}
_LOCK_OF_ORDER = {
    kind: f"""SELECT {_PLACE}, {_OWN[kind]} FROM {table} v {_CONTEXT}
        WHERE o.order_number = :order_number AND v.is_active ORDER BY v.id FOR NO KEY UPDATE OF v"""
    for kind, table in TABLES.items()
}
_SAVE = {
    kind: f"""UPDATE {table} v SET status = CAST(n.status AS {kind}processingstatus), attempt = n.attempt,
            step = n.step, path = COALESCE(n.path, v.path), error_code = n.error_code,
            error_message = n.error_message,
            provider_job_id = COALESCE(n.provider_job_id, v.provider_job_id),
            retry = CAST(n.retry AS jsonb),
            possibly_paid_twice = v.possibly_paid_twice OR n.possibly_paid_twice,
            started_at = COALESCE(v.started_at, n.started_at), completed_at = n.ended_at,
            updated_at = clock_timestamp()
        FROM unnest(CAST(:ids AS integer[]), CAST(:statuses AS text[]), CAST(:attempts AS integer[]),
            CAST(:steps AS integer[]), CAST(:paths AS text[]), CAST(:error_codes AS text[]),
            CAST(:error_messages AS text[]), CAST(:provider_job_ids AS text[]), CAST(:retries AS text[]),
            CAST(:paid_twice AS boolean[]), CAST(:started AS timestamptz[]), CAST(:ended AS timestamptz[]))
            AS n(id, status, attempt, step, path, error_code, error_message, provider_job_id, retry,
                 possibly_paid_twice, started_at, ended_at)
        WHERE v.id = n.id"""
    for kind, table in TABLES.items()
}
_OF_PHOTO = {"coloring": "edited_photo_path = i.edited_photo_path,", "svg": ""}
"""A new run of a coloring is made from the photo as it is edited now."""
_RESTART = {
    kind: f"""UPDATE {table} v SET {_OF_PHOTO[kind]} run = v.run + 1, attempt = 0,
            step = 0, status = 'pending', path = NULL, error_code = NULL, error_message = NULL,
            provider_job_id = NULL, retry = NULL, asked_at = clock_timestamp(), started_at = NULL,
            completed_at = NULL, updated_at = clock_timestamp()
        FROM images i WHERE v.id = :id AND i.id = v.image_id RETURNING v.run"""
    for kind, table in TABLES.items()
}
_NOTE = """INSERT INTO status_changes (image_id, kind, version_id, run, attempt, status, error_code, retry,
        at)
    SELECT n.image_id, n.kind, n.version_id, n.run, n.attempt, n.status, n.error_code,
        CAST(n.retry AS jsonb), n.at
    FROM unnest(CAST(:image_ids AS integer[]), CAST(:kinds AS text[]), CAST(:version_ids AS integer[]),
        CAST(:runs AS integer[]), CAST(:attempts AS integer[]), CAST(:statuses AS text[]),
        CAST(:error_codes AS text[]), CAST(:retries AS text[]), CAST(:ats AS timestamptz[])) WITH ORDINALITY
        AS n(image_id, kind, version_id, run, attempt, status, error_code, retry, at, place)
    ORDER BY n.place"""

_ADD_COLORINGS = """INSERT INTO coloring_versions (image_id, version, megapixels, steps, has_frame,
        background, line_weight, then_svg, edited_photo_path, asked_at, created_at)
    SELECT n.image_id, COALESCE((SELECT max(c.version) FROM coloring_versions c
            WHERE c.image_id = n.image_id), 0) + 1,
        CAST(:megapixels AS float8), CAST(:steps AS integer), CAST(:has_frame AS boolean),
        CAST(:background AS text), CAST(:line_weight AS text), CAST(CAST(:then_svg AS text) AS jsonb),
        i.edited_photo_path, clock_timestamp(), clock_timestamp()
    FROM unnest(CAST(:image_ids AS integer[])) WITH ORDINALITY AS n(image_id, place)
        JOIN images i ON i.id = n.image_id
    ORDER BY n.place RETURNING id, image_id, version"""
_ADD_SVGS = """INSERT INTO svg_versions
        (image_id, coloring_version_id, version, shape_stacking, group_by, asked_at, created_at)
    SELECT n.image_id, n.coloring_id, COALESCE((SELECT max(s.version) FROM svg_versions s
            WHERE s.image_id = n.image_id), 0) + row_number() OVER (PARTITION BY n.image_id ORDER BY n.place),
        CAST(:shape_stacking AS text), CAST(:group_by AS text), clock_timestamp(), clock_timestamp()
    FROM unnest(CAST(:image_ids AS integer[]), CAST(:coloring_ids AS integer[])) WITH ORDINALITY
        AS n(image_id, coloring_id, place) ORDER BY n.place
    RETURNING id, image_id, version, coloring_version_id"""


@dataclass(frozen=True, slots=True)
class Version:
    """One version with its context. ``photo_path`` is the photo that a coloring is made from."""

    kind: StatusType
    id: int
    image_id: int
    version: int
    progress: VersionProgress
    path: str | None
    asked_at: datetime
    updated_at: datetime
    error_code: str | None
    file_position: int
    file_line_item_id: int
    order_id: int
    order_number: str
    photo_path: str | None
    coloring: ColoringOptions | None = None
    then_svg: SvgOptions | None = None
    svg: SvgOptions | None = None
    coloring_version_id: int | None = None
    coloring_path: str | None = None

    @property
    def status(self) -> VersionStatus:
        """Current status."""
        return self.progress.status


@dataclass(frozen=True, slots=True)
class Saved:
    """New values of one version's row."""

    id: int
    progress: VersionProgress
    path: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    provider_job_id: str | None = None
    retry: Retry | None = None
    possibly_paid_twice: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the timeline."""

    kind: StatusType
    image_id: int
    version_id: int
    run: int
    attempt: int
    status: str
    at: datetime
    error_code: str | None = None
    retry: Retry | None = None


async def lock(connection: AsyncConnection, kind: StatusType, ids: Sequence[int]) -> list[Version]:
    """Lock these versions until the transaction ends, by id."""
    rows = await execute(connection, _LOCK[kind], {"ids": list(ids)})
    return [_version(kind, row) for row in rows.mappings()]


async def lock_active(connection: AsyncConnection, kind: StatusType, order_number: str) -> list[Version]:
    """Lock an order's active versions."""
    rows = await execute(connection, _LOCK_OF_ORDER[kind], {"order_number": order_number})
    return [_version(kind, row) for row in rows.mappings()]


async def save(connection: AsyncConnection, kind: StatusType, versions: Sequence[Saved]) -> None:
    """Write the progress of several versions."""
    if not versions:
        return
    await execute(
        connection,
        _SAVE[kind],
        {
            "ids": [v.id for v in versions],
            "statuses": [v.progress.status.value for v in versions],
            "attempts": [v.progress.attempt for v in versions],
            "steps": [v.progress.step for v in versions],
            "paths": [v.path for v in versions],
            "error_codes": [v.error_code for v in versions],
            "error_messages": [v.error_message for v in versions],
            "provider_job_ids": [v.provider_job_id for v in versions],
            "retries": [_json(v.retry) for v in versions],
            "paid_twice": [v.possibly_paid_twice for v in versions],
            "started": [v.started_at for v in versions],
            "ended": [v.ended_at for v in versions],
        },
    )


async def add_changes(connection: AsyncConnection, changes: Sequence[Change]) -> None:
    """Add entries to the timeline."""
    if not changes:
        return
    await execute(
        connection,
        _NOTE,
        {
            "image_ids": [c.image_id for c in changes],
            "kinds": [c.kind for c in changes],
            "version_ids": [c.version_id for c in changes],
            "runs": [c.run for c in changes],
            "attempts": [c.attempt for c in changes],
            "statuses": [c.status for c in changes],
            "error_codes": [c.error_code for c in changes],
            "retries": [_json(c.retry) for c in changes],
            "ats": [c.at for c in changes],
        },
    )


async def restart(connection: AsyncConnection, kind: StatusType, version_id: int) -> int:
    """Begin a new run of a locked version; returns its number."""
    return int((await execute(connection, _RESTART[kind], {"id": version_id})).scalar_one())


async def add_colorings(
    connection: AsyncConnection,
    image_ids: Sequence[int],
    options: ColoringOptions,
    then_svg: SvgOptions | None,
) -> list[int]:
    """Add one ``pending`` coloring to each of these locked images; returns the ids."""
    rows = await execute(
        connection,
        _ADD_COLORINGS,
        {
            "image_ids": list(image_ids),
            "megapixels": options.megapixels,
            "steps": options.steps,
            "has_frame": options.frame,
            "background": options.background.value,
            "line_weight": options.line_weight.value,
            "then_svg": then_svg.model_dump_json() if then_svg else None,
        },
    )
    return [row.id for row in rows]


async def add_svgs(
    connection: AsyncConnection, colorings: Sequence[tuple[int, int]], options: SvgOptions
) -> list[int]:
    """Add one ``pending`` SVG for each ``(image, coloring version)`` of locked images; returns the ids."""
    rows = await execute(
        connection,
        _ADD_SVGS,
        {
            "image_ids": [image_id for image_id, _ in colorings],
            "coloring_ids": [coloring_id for _, coloring_id in colorings],
            "shape_stacking": options.shape_stacking.value,
            "group_by": options.group_by.value,
        },
    )
    return [row.id for row in rows]


def _json(retry: Retry | None) -> str | None:
    return retry.model_dump_json() if retry is not None else None


def _version(kind: StatusType, row: Any) -> Version:
    own: dict[str, Any] = (
        {
            "coloring": coloring_options(row),
            "then_svg": SvgOptions.model_validate(row["then_svg"]) if row["then_svg"] else None,
        }
        if kind == "coloring"
        else {
            "svg": svg_options(row["shape_stacking"], row["group_by"]),
        }
    )
    status = status_of(kind, row["status"])
    return Version(
        kind=kind,
        progress=VersionProgress(kind, row["run"], row["attempt"], row["step"], status),
        **{name: value for name, value in row.items() if name in _FIELDS} | own,
    )


_FIELDS = {field.name for field in fields(Version)}
