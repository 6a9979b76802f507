"""Estimates of what a request for several orders would start."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_orders.handlers.generate import svg_sources, without_coloring, without_svg
from pastelka_orders.repository import failed_versions, images
from pastelka_orders.repository.images import LockedImage

Action = Literal["coloring", "svg", "retry"]
"""``generate-coloring``, ``generate-svg`` or ``retry-failed`` of each order."""


@dataclass(frozen=True, slots=True)
class Started:
    """Numbers of versions that would be started."""

    pages: int = 0
    svgs: int = 0


async def estimate(
    connection: AsyncConnection,
    order_numbers: Sequence[str],
    action: Action,
    coloring: ColoringOptions,
    svg: SvgOptions,
) -> Started:
    """What the action would start for these orders; nothing for unknown and cancelled ones."""
    if action == "retry":
        failed = await failed_versions.of_orders(connection, order_numbers)
        return Started(len(failed.colorings), len(failed.svgs))
    wanted = [image for image in await images.of_orders(connection, order_numbers) if image.is_wanted]
    if action == "coloring":
        return Started(pages=await _missing_colorings(connection, wanted, coloring))
    return Started(svgs=await _missing_svgs(connection, wanted, svg))


async def _missing_colorings(
    connection: AsyncConnection, wanted: Sequence[LockedImage], options: ColoringOptions
) -> int:
    colorings = await images.colorings(connection, [image.id for image in wanted])
    return len(without_coloring(wanted, colorings, options))


async def _missing_svgs(
    connection: AsyncConnection, wanted: Sequence[LockedImage], options: SvgOptions
) -> int:
    image_ids = [image.id for image in wanted]
    pairs = svg_sources(wanted, await images.colorings(connection, image_ids))
    return len(without_svg(pairs, await images.svgs(connection, image_ids), options))
