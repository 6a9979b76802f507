"""Requests for colorings and SVGs."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_orders.errors import (
    ImageNotFoundError,
    NoColoringError,
    NothingToDoError,
    OrderCancelledError,
    OrderNotFoundError,
    PhotoMissingError,
)
from pastelka_orders.handlers.create_versions import create_colorings, create_svgs, require_wanted
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import images, orders
from pastelka_orders.repository.images import ColoringSummary, LockedImage, SvgSummary


async def coloring_of_image(
    connection: AsyncConnection, image_id: int, options: ColoringOptions, then_svg: SvgOptions | None = None
) -> list[int]:
    """Request a coloring of one image; returns an active one with the same options instead."""
    image = await _locked(connection, image_id)
    if image.path is None:
        raise PhotoMissingError(image_id)
    same = [
        c.id
        for c in await images.colorings(connection, [image_id])
        if c.status.is_active and c.options == options
    ]
    if same:
        return same[-1:]
    outbox = Outbox()
    ids = await create_colorings(connection, outbox, [image_id], options, then_svg)
    await outbox.flush(connection)
    return ids


async def colorings_of_order(
    connection: AsyncConnection,
    order_number: str,
    options: ColoringOptions,
    then_svg: SvgOptions | None = None,
) -> list[int]:
    """Request a coloring of every image that has none with these options.

    Returns new and active ones. Raises ``NothingToDoError`` if there are neither.
    """
    locked = await locked_of_order(connection, order_number)
    with_photo = [image.id for image in locked if image.path is not None]
    existing = [c for c in await images.colorings(connection, with_photo) if c.options == options]
    outbox = Outbox()
    missing = without_coloring(locked, existing, options)
    ids = await create_colorings(connection, outbox, missing, options, then_svg)
    await outbox.flush(connection)
    ids += [c.id for c in existing if c.status.is_active]
    if not ids:
        detail = (
            "Every image already has a coloring with these options."
            if with_photo
            else "No photo of this order is stored yet."
        )
        raise NothingToDoError(order_number, detail)
    return ids


async def svg_of_image(connection: AsyncConnection, image_id: int, options: SvgOptions) -> list[int]:
    """Request an SVG of the chosen (else the newest completed) coloring of one image."""
    image = await _locked(connection, image_id)
    source = _source(image, await images.colorings(connection, [image_id]))
    if source is None:
        raise NoColoringError(image_id)
    same = [
        s.id
        for s in await images.svgs(connection, [image_id])
        if s.status.is_active and s.coloring_version_id == source.id and s.options == options
    ]
    if same:
        return same[-1:]
    outbox = Outbox()
    ids = await create_svgs(connection, outbox, [(image_id, source.id)], options)
    await outbox.flush(connection)
    return ids


async def svgs_of_order(connection: AsyncConnection, order_number: str, options: SvgOptions) -> list[int]:
    """Request an SVG of every image whose coloring is completed and has none with these options.

    Returns new and active ones. Raises ``NothingToDoError`` if there are neither.
    """
    locked = await locked_of_order(connection, order_number)
    image_ids = [image.id for image in locked]
    pairs = svg_sources(locked, await images.colorings(connection, image_ids))
    existing = [
        s
        for s in await images.svgs(connection, image_ids)
        if s.options == options and (s.image_id, s.coloring_version_id) in pairs
    ]
    outbox = Outbox()
    ids = await create_svgs(connection, outbox, without_svg(pairs, existing, options), options)
    await outbox.flush(connection)
    ids += [s.id for s in existing if s.status.is_active]
    if not ids:
        detail = (
            "Every coloring already has an SVG with these options."
            if pairs
            else "No image of this order has a completed coloring; generate colorings first."
        )
        raise NothingToDoError(order_number, detail)
    return ids


def without_coloring(
    locked: Sequence[LockedImage], colorings: Sequence[ColoringSummary], options: ColoringOptions
) -> list[int]:
    """Ids of the images that have a photo, and no completed or active coloring with these options."""
    made_or_active = {
        c.image_id for c in colorings if c.options == options and (c.status.is_active or c.status.has_file)
    }
    return [image.id for image in locked if image.path is not None and image.id not in made_or_active]


def svg_sources(locked: Sequence[LockedImage], colorings: Sequence[ColoringSummary]) -> list[tuple[int, int]]:
    """Each image that has a completed coloring, with the one to vectorize: ``(image, coloring version)``."""
    by_image: dict[int, list[ColoringSummary]] = {}
    for coloring in colorings:
        by_image.setdefault(coloring.image_id, []).append(coloring)
    sources = {image.id: _source(image, by_image.get(image.id, ())) for image in locked}
    return [(image_id, source.id) for image_id, source in sources.items() if source is not None]


def without_svg(
    pairs: Sequence[tuple[int, int]], svgs: Sequence[SvgSummary], options: SvgOptions
) -> list[tuple[int, int]]:
    """Those ``(image, coloring version)`` that have no completed or active SVG with these options."""
    made_or_active = {
        (s.image_id, s.coloring_version_id)
        for s in svgs
        if s.options == options and (s.status.is_active or s.status.has_file)
    }
    return [pair for pair in pairs if pair not in made_or_active]


def _source(image: LockedImage, colorings: Sequence[ColoringSummary]) -> ColoringSummary | None:
    """The page to vectorize: the chosen one if completed, else the newest completed one."""
    completed = [c for c in colorings if c.path is not None and c.status.has_file]
    chosen = [c for c in completed if c.id == image.selected_coloring_id]
    candidates = chosen or completed
    return candidates[-1] if candidates else None


async def _locked(connection: AsyncConnection, image_id: int) -> LockedImage:
    image = await images.lock(connection, image_id)
    if image is None:
        raise ImageNotFoundError(image_id)
    require_wanted(image)
    return image


async def locked_of_order(connection: AsyncConnection, order_number: str) -> list[LockedImage]:
    """Lock the images of an order that the shop wants.

    Raises ``OrderNotFoundError`` and ``OrderCancelledError``.
    """
    locked = await images.lock_of_order(connection, order_number)
    if not locked and not await orders.exists(connection, order_number):
        raise OrderNotFoundError(order_number)
    if any(image.is_cancelled for image in locked):
        raise OrderCancelledError(order_number)
    return [image for image in locked if image.is_wanted]
