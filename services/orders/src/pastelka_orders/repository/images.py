"""Queries on images and their chosen versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_common.contracts.statuses import ColoringProcessingStatus, SvgProcessingStatus
from pastelka_orders.repository.sql import execute
from pastelka_orders.repository.version_options import OPTION_COLUMNS, coloring_options, svg_options

# Nothing is generated, printed or downloaded for a cancelled order or a removed or refunded item; existing
# files stay, and are used again if the shop reverses that.
IS_WANTED = "(o.cancelled_at IS NULL AND l.quantity > 0)"
"""SQL over ``orders o`` and ``line_items l``."""

FILE_PLACE = """COALESCE(i.file_line_item_id, i.line_item_id) AS file_line_item_id,
    COALESCE(i.file_position, i.position) AS file_position"""
"""Line item and position in the paths of an image's files: where it was first."""

_IMAGE = f"""i.id, i.position, i.path, i.original_url, i.line_item_id, o.id AS order_id, o.order_number,
    {FILE_PLACE},
    i.selected_coloring_id, i.selected_svg_id, i.photo_version, i.approved_at IS NOT NULL AS is_approved,
    i.width, i.height, i.downloaded_at, o.cancelled_at IS NOT NULL AS is_cancelled,
    {IS_WANTED} AS is_wanted
    FROM images i JOIN line_items l ON l.id = i.line_item_id JOIN orders o ON o.id = l.order_id"""
# NO KEY: does not block foreign key checks, as by a status change of a version.
_FIND = f"SELECT {_IMAGE} WHERE i.id = :image_id"
_LOCK = f"{_FIND} FOR NO KEY UPDATE OF i"
_LOCK_OF_ORDER = f"SELECT {_IMAGE} WHERE o.order_number = :order_number ORDER BY i.id FOR NO KEY UPDATE OF i"
_OF_ORDERS = f"SELECT {_IMAGE} WHERE o.order_number = ANY(CAST(:order_numbers AS text[])) ORDER BY i.id"
_LOCK_ALL = """SELECT id FROM images WHERE id = ANY(CAST(:image_ids AS integer[]))
    ORDER BY id FOR NO KEY UPDATE"""
_WANTED = f"""SELECT i.id FROM images i
    JOIN line_items l ON l.id = i.line_item_id JOIN orders o ON o.id = l.order_id
    WHERE i.id = ANY(CAST(:image_ids AS integer[])) AND {IS_WANTED}"""
_COLORINGS = f"""SELECT c.id, c.image_id, c.version, c.status, {OPTION_COLUMNS}, c.path
    FROM coloring_versions c JOIN images i ON i.id = c.image_id
    WHERE c.image_id = ANY(CAST(:image_ids AS integer[]))
        AND COALESCE(c.asked_at > i.photo_replaced_at, true) ORDER BY c.image_id, c.version"""
_SVGS = """SELECT id, image_id, version, status, shape_stacking, group_by, coloring_version_id
    FROM svg_versions
    WHERE image_id = ANY(CAST(:image_ids AS integer[])) ORDER BY image_id, version"""
_CHOOSE_COLORING = """UPDATE images i SET selected_coloring_id = :version_id,
        coloring_chosen_at = clock_timestamp(), rework_reason = NULL,
        selected_svg_id = CASE WHEN i.selected_coloring_id = :version_id THEN i.selected_svg_id ELSE (
            SELECT s.id FROM svg_versions s WHERE s.image_id = i.id AND s.status = 'completed'
            AND s.coloring_version_id = :version_id ORDER BY s.version DESC LIMIT 1) END
    WHERE i.id = :image_id"""
_CHOOSE_SVG = """UPDATE images i SET selected_svg_id = s.id, svg_chosen_at = clock_timestamp(),
        selected_coloring_id = s.coloring_version_id, rework_reason = NULL
    FROM svg_versions s WHERE s.id = :version_id AND i.id = :image_id"""

# A finished version is chosen by itself only where no completed one is chosen, and no person chose a page of
# this photo: a later version is a candidate.
_CHOOSE_FINISHED_COLORINGS = """UPDATE images i
    SET selected_coloring_id = n.version_id, selected_svg_id = NULL
    FROM unnest(CAST(:image_ids AS integer[]), CAST(:version_ids AS integer[])) AS n(image_id, version_id)
    WHERE i.id = n.image_id AND i.coloring_chosen_at IS NULL AND i.svg_chosen_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM coloring_versions c
            WHERE c.id = i.selected_coloring_id AND c.status = 'completed')"""
_CHOOSE_FINISHED_SVGS = """UPDATE images i SET selected_svg_id = n.version_id
    FROM unnest(CAST(:image_ids AS integer[]), CAST(:version_ids AS integer[]),
        CAST(:coloring_ids AS integer[])) AS n(image_id, version_id, coloring_id)
    WHERE i.id = n.image_id AND i.selected_coloring_id = n.coloring_id
        AND NOT EXISTS (SELECT 1 FROM svg_versions s
            WHERE s.id = i.selected_svg_id AND s.status = 'completed')"""
_COLORING_STATUS = "SELECT status FROM coloring_versions WHERE id = :version_id AND image_id = :image_id"
_APPROVE = """UPDATE images SET approved_at = clock_timestamp(), approved_by = :approved_by,
        rework_reason = NULL, coloring_chosen_at = COALESCE(coloring_chosen_at, clock_timestamp())
    WHERE id = :image_id"""
_LIFT = "UPDATE images SET approved_at = NULL, approved_by = NULL WHERE id = :image_id"
# The page stays as a candidate; the next one that is finished may be chosen by itself.
_SEND_BACK = """UPDATE images SET selected_coloring_id = NULL, selected_svg_id = NULL,
        coloring_chosen_at = NULL, svg_chosen_at = NULL, rework_reason = :reason
    WHERE id = :image_id"""


@dataclass(frozen=True, slots=True)
class LockedImage:
    """One image with its context, locked until the transaction ends unless only read."""

    id: int
    position: int
    path: str | None
    original_url: str | None
    line_item_id: int
    order_id: int
    order_number: str
    file_line_item_id: int
    file_position: int
    selected_coloring_id: int | None
    selected_svg_id: int | None
    photo_version: int
    is_approved: bool
    width: int | None
    height: int | None
    downloaded_at: datetime | None
    is_cancelled: bool
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class ColoringSummary:
    """A coloring of an image, for deciding what to generate."""

    id: int
    image_id: int
    status: ColoringProcessingStatus
    options: ColoringOptions
    path: str | None


@dataclass(frozen=True, slots=True)
class SvgSummary:
    """An SVG of an image, for deciding what to generate."""

    id: int
    image_id: int
    status: SvgProcessingStatus
    options: SvgOptions
    coloring_version_id: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A newly completed version; ``coloring_id`` is an SVG's page."""

    image_id: int
    version_id: int
    asked_at: datetime
    coloring_id: int | None = None


async def find(connection: AsyncConnection, image_id: int) -> LockedImage | None:
    """One image, not locked; ``None`` if there is none."""
    row = (await execute(connection, _FIND, {"image_id": image_id})).mappings().first()
    return LockedImage(**row) if row else None


async def lock(connection: AsyncConnection, image_id: int) -> LockedImage | None:
    """Lock one image until the transaction ends; ``None`` if there is none."""
    row = (await execute(connection, _LOCK, {"image_id": image_id})).mappings().first()
    return LockedImage(**row) if row else None


async def lock_of_order(connection: AsyncConnection, order_number: str) -> list[LockedImage]:
    """Lock all images of an order, by id."""
    rows = await execute(connection, _LOCK_OF_ORDER, {"order_number": order_number})
    return [LockedImage(**row) for row in rows.mappings()]


async def of_orders(connection: AsyncConnection, order_numbers: Sequence[str]) -> list[LockedImage]:
    """All images of these orders, by id, without a lock: for an estimate, not for a change."""
    rows = await execute(connection, _OF_ORDERS, {"order_numbers": list(order_numbers)})
    return [LockedImage(**row) for row in rows.mappings()]


async def lock_all(connection: AsyncConnection, image_ids: Sequence[int]) -> None:
    """Lock these images, ordered by id."""
    if image_ids:
        await execute(connection, _LOCK_ALL, {"image_ids": list(image_ids)})


async def wanted(connection: AsyncConnection, image_ids: Sequence[int]) -> set[int]:
    """Ids among ``image_ids`` whose order and item the shop has neither cancelled nor removed."""
    return set((await execute(connection, _WANTED, {"image_ids": list(image_ids)})).scalars())


async def colorings(connection: AsyncConnection, image_ids: Sequence[int]) -> list[ColoringSummary]:
    """All colorings of these images' current photos, by image and version."""
    rows = await execute(connection, _COLORINGS, {"image_ids": list(image_ids)})
    return [
        ColoringSummary(
            row["id"],
            row["image_id"],
            ColoringProcessingStatus(row["status"]),
            coloring_options(row),
            row["path"],
        )
        for row in rows.mappings()
    ]


async def svgs(connection: AsyncConnection, image_ids: Sequence[int]) -> list[SvgSummary]:
    """All SVGs of these images, by image and version."""
    rows = await execute(connection, _SVGS, {"image_ids": list(image_ids)})
    return [
        SvgSummary(
            r.id,
            r.image_id,
            SvgProcessingStatus(r.status),
            svg_options(r.shape_stacking, r.group_by),
            r.coloring_version_id,
        )
        for r in rows
    ]


async def choose(connection: AsyncConnection, kind: str, image_id: int, version_id: int) -> None:
    """Store a user's choice; choosing a page clears a chosen SVG of another page."""
    statement = _CHOOSE_COLORING if kind == "coloring" else _CHOOSE_SVG
    await execute(connection, statement, {"image_id": image_id, "version_id": version_id})


async def coloring_status(
    connection: AsyncConnection, image_id: int, version_id: int
) -> ColoringProcessingStatus | None:
    """Where a coloring of this image stands; ``None`` if it has no such coloring."""
    values = {"image_id": image_id, "version_id": version_id}
    found = (await execute(connection, _COLORING_STATUS, values)).scalar()
    return None if found is None else ColoringProcessingStatus(found)


async def approve(connection: AsyncConnection, image_id: int, approved_by: str) -> None:
    """Approve the chosen coloring of a locked image."""
    await execute(connection, _APPROVE, {"image_id": image_id, "approved_by": approved_by})


async def lift_approval(connection: AsyncConnection, image_id: int) -> None:
    """Take back the approval of a locked image; its choice stays."""
    await execute(connection, _LIFT, {"image_id": image_id})


async def send_back(connection: AsyncConnection, image_id: int, reason: str) -> None:
    """Choose none of the versions of a locked image, and note why."""
    await execute(connection, _SEND_BACK, {"image_id": image_id, "reason": reason})


async def choose_finished_colorings(connection: AsyncConnection, finished: Sequence[Finished]) -> None:
    """Choose colorings that have just been completed, of images that have no choice."""
    for group in _one_per_image(finished):
        await execute(
            connection,
            _CHOOSE_FINISHED_COLORINGS,
            {"image_ids": [f.image_id for f in group], "version_ids": [f.version_id for f in group]},
        )


async def choose_finished_svgs(connection: AsyncConnection, finished: Sequence[Finished]) -> None:
    """Choose newly completed SVGs of chosen pages, likewise."""
    for group in _one_per_image(finished):
        await execute(
            connection,
            _CHOOSE_FINISHED_SVGS,
            {
                "image_ids": [f.image_id for f in group],
                "version_ids": [f.version_id for f in group],
                "coloring_ids": [f.coloring_id for f in group],
            },
        )


def _one_per_image(finished: Sequence[Finished]) -> list[list[Finished]]:
    """Groups, newest request first, in each of which an image occurs once: usually a single group."""
    groups: list[dict[int, Finished]] = []
    for one in sorted(finished, key=lambda f: (f.asked_at, f.version_id), reverse=True):
        group = next((g for g in groups if one.image_id not in g), None)
        if group is None:
            group = {}
            groups.append(group)
        group[one.image_id] = one
    return [[group[image_id] for image_id in sorted(group)] for group in groups]
