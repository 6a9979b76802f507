"""A person approves the chosen page of an image or those of an order, lifts that, or sends a page back."""

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import SelectionChanged
from pastelka_common.contracts.statuses import ColoringProcessingStatus
from pastelka_orders.errors import (
    ChoiceChangedError,
    ImageApprovedError,
    ImageNotFoundError,
    NoChosenPageError,
    NotCompletedError,
    VersionNotFoundError,
)
from pastelka_orders.handlers.create_versions import require_wanted
from pastelka_orders.handlers.generate import locked_of_order
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import images
from pastelka_orders.repository.images import LockedImage


async def approve(
    connection: AsyncConnection, image_id: int, approved_by: str, version_id: int | None = None
) -> str:
    """Approve a coloring, which becomes the chosen one; without ``version_id`` the chosen one.

    Approving the same again changes nothing. Returns the order's number. Raises ``ImageApprovedError`` where
    another coloring is approved.
    """
    image = await _locked(connection, image_id)
    require_wanted(image)
    wanted = image.selected_coloring_id if version_id is None else version_id
    if wanted is None:
        raise NoChosenPageError(image_id)
    is_chosen = wanted == image.selected_coloring_id
    if image.is_approved and not is_chosen:
        raise ImageApprovedError(image_id)
    await _require_completed(connection, image_id, wanted)
    if image.is_approved:
        return image.order_number
    if not is_chosen:
        await images.choose(connection, "coloring", image_id, wanted)
    await images.approve(connection, image_id, approved_by)
    return await _changed(connection, image)


async def approve_order(connection: AsyncConnection, order_number: str, approved_by: str) -> int:
    """Approve every chosen, completed page of an order that is not approved; returns how many."""
    locked = await locked_of_order(connection, order_number)
    candidates = {image.selected_coloring_id: image for image in locked if not image.is_approved}
    candidates.pop(None, None)
    colorings = await images.colorings(connection, [image.id for image in candidates.values()])
    completed = [c.id for c in colorings if c.id in candidates and c.status.has_file]
    for version_id in completed:
        image = candidates[version_id]
        await images.approve(connection, image.id, approved_by)
        await _changed(connection, image)
    return len(completed)


async def lift(connection: AsyncConnection, image_id: int) -> str:
    """Take back an approval, if there is one; returns the order's number."""
    image = await _locked(connection, image_id)
    if not image.is_approved:
        return image.order_number
    await images.lift_approval(connection, image_id)
    return await _changed(connection, image)


async def send_back(
    connection: AsyncConnection, image_id: int, reason: str, version_id: int | None = None
) -> str:
    """Choose the page of an image no longer, so that another is made; returns the order's number.

    Raises ``ChoiceChangedError`` where ``version_id`` is given and is not the chosen one, and
    ``ImageApprovedError`` where the page is approved.
    """
    image = await _locked(connection, image_id)
    require_wanted(image)
    if image.is_approved:
        raise ImageApprovedError(image_id)
    if version_id is not None and version_id != image.selected_coloring_id:
        raise ChoiceChangedError(image_id, version_id)
    if image.selected_coloring_id is None:
        raise NoChosenPageError(image_id)
    await images.send_back(connection, image_id, reason)
    return await _changed(connection, image)


async def _locked(connection: AsyncConnection, image_id: int) -> LockedImage:
    image = await images.lock(connection, image_id)
    if image is None:
        raise ImageNotFoundError(image_id)
    return image


async def _require_completed(connection: AsyncConnection, image_id: int, version_id: int) -> None:
    status = await images.coloring_status(connection, image_id, version_id)
    if status is None:
        raise VersionNotFoundError("coloring", version_id)
    if status != ColoringProcessingStatus.COMPLETED:
        raise NotCompletedError("coloring", version_id, status.value)


async def _changed(connection: AsyncConnection, image: LockedImage) -> str:
    await Outbox.publish(connection, SelectionChanged(order_number=image.order_number, image_id=image.id))
    return image.order_number
