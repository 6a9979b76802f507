"""Photos of an order are moved and deleted, and their files with them."""

from collections.abc import Sequence
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import OrderChanged
from pastelka_common.storage import Storage
from pastelka_orders import order_files
from pastelka_orders.database import Database
from pastelka_orders.errors import (
    ImageNotFoundError,
    ItemRemovedError,
    LineItemNotFoundError,
    PreconditionFailedError,
)
from pastelka_orders.handlers.photo_uploads import IsExpected, active_versions
from pastelka_orders.handlers.versions import stop_work
from pastelka_orders.outbox import Outbox
from pastelka_orders.photo_set_errors import PhotoApprovedError
from pastelka_orders.repository import images, photo_set
from pastelka_orders.repository.downloads import refresh_order_status
from pastelka_orders.repository.images import LockedImage
from pastelka_orders.repository.photo_set import RemovedFiles

log = structlog.get_logger(__name__)


async def move(
    connection: AsyncConnection,
    image_id: int,
    line_item_id: int | None,
    position: int,
    is_expected: IsExpected,
) -> LockedImage:
    """Make an image the ``position``-th (from 1; larger: the last) of a line item of its order.

    ``line_item_id`` is ``None`` for its present one. Its files keep their names. Returns the image before.
    Raises ``ImageNotFoundError``, ``PreconditionFailedError``, ``LineItemNotFoundError``,
    ``ItemRemovedError``.
    """
    found = await images.find(connection, image_id)
    if found is None:
        raise ImageNotFoundError(image_id)
    await images.lock_of_order(connection, found.order_number)
    image = await _expected(connection, image_id, is_expected)
    target = image.line_item_id if line_item_id is None else line_item_id
    await photo_set.touch_order(connection, image.order_number)
    if target != image.line_item_id:
        await _require_wanted_item(connection, image.order_number, target)
    before = await photo_set.places(connection, image.order_id)
    after = {item: [one for one in ids if one != image_id] for item, ids in before.items()}
    after.setdefault(target, []).insert(position - 1, image_id)
    changed = {item: ids for item, ids in after.items() if ids != before.get(item)}
    if changed:
        await photo_set.place(connection, changed)
        await Outbox.publish(connection, OrderChanged(order_number=image.order_number))
    return image


async def delete(database: Database, storage: Storage, image_id: int, is_expected: IsExpected) -> None:
    """Delete an image with its versions and files; active ones are cancelled.

    Raises ``ImageNotFoundError``, ``PreconditionFailedError``, ``PhotoApprovedError``.
    """
    files = await database.write(lambda c: delete_image(c, image_id, is_expected))
    await delete_files(database, storage, [files])


async def delete_image(connection: AsyncConnection, image_id: int, is_expected: IsExpected) -> RemovedFiles:
    """The rows of :func:`delete`; returns the files to delete."""
    found = await images.find(connection, image_id)
    if found is None:
        raise ImageNotFoundError(image_id)
    await active_versions(connection, found.order_number, image_id)
    image = await _expected(connection, image_id, is_expected)
    outbox = Outbox()
    for version in await active_versions(connection, found.order_number, image_id):
        stop_work(outbox, version)
    files = await delete_rows(connection, image)
    await photo_set.touch_order(connection, image.order_number)
    await refresh_order_status(connection, image.order_id)
    outbox.add(OrderChanged(order_number=image.order_number))
    await outbox.flush(connection)
    return files


async def delete_rows(connection: AsyncConnection, image: LockedImage) -> RemovedFiles:
    """Delete the rows of a locked image whose work is stopped; returns the files to delete.

    Raises ``PhotoApprovedError``.
    """
    if image.is_approved:
        raise PhotoApprovedError(image.id, "deleted")
    place = (image.file_line_item_id, image.file_position)
    paths = order_files.with_companions(await photo_set.file_paths(connection, image.id))
    await photo_set.override(connection, place, image.original_url)
    await photo_set.keep_file_position(connection, place)
    await photo_set.delete(connection, image.id)
    return await photo_set.add_removed(connection, image.order_id, place, paths)


async def delete_files(database: Database, storage: Storage, removed: Sequence[RemovedFiles]) -> None:
    """Delete the files of deleted photos; what fails, or is written late, is deleted by a later pass."""
    for files in removed:
        try:
            found = [path async for path in storage.files(files.folder) if files.has(path)]
            for path in {*found, *files.paths}:
                await storage.remove(path)
        except OSError as error:
            log.warning("files not deleted yet", order_id=files.order_id, reason=str(error))
            continue
        await database.write(partial(photo_set.removed_checked, record_id=files.id))


async def delete_due_files(database: Database, storage: Storage) -> int:
    """Delete files of deleted photos that were left or written late; returns the number of photos."""
    due = await database.read(photo_set.due_removed)
    await delete_files(database, storage, due)
    return len(due)


async def _expected(connection: AsyncConnection, image_id: int, is_expected: IsExpected) -> LockedImage:
    image = await images.lock(connection, image_id)
    if image is None:
        raise ImageNotFoundError(image_id)
    if not is_expected(image):
        raise PreconditionFailedError
    return image


async def _require_wanted_item(connection: AsyncConnection, order_number: str, line_item_id: int) -> None:
    item = await photo_set.find_line_item(connection, order_number, line_item_id)
    if item is None:
        raise LineItemNotFoundError(line_item_id)
    if not item.is_wanted and not item.is_cancelled:
        raise ItemRemovedError(f"Line item {item.id}", "no photo is moved to it", line_item_id=item.id)
