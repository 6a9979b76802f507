"""Photos that are added to an order, and those that replace another, one a request.

No transaction is open while a photo is decoded and stored: the first one reserves its path, the second one
writes its row. Locks are taken in the order versions, images, line items, order; the order's lock serializes
changes of the set of its photos.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure, OrderChanged
from pastelka_common.contracts.options import ColoringOptions
from pastelka_common.contracts.statuses import STATUS_ENUMS
from pastelka_common.storage import Storage, photo_path, thumbnail_path
from pastelka_common.thumbnails import store_thumbnail
from pastelka_orders.database import Database
from pastelka_orders.database_errors import CommitUnconfirmedError
from pastelka_orders.errors import (
    ImageNotFoundError,
    ItemRemovedError,
    LineItemNotFoundError,
    OrderCancelledError,
    PreconditionFailedError,
)
from pastelka_orders.handlers.create_versions import require_wanted
from pastelka_orders.handlers.orders import Process, start_processing
from pastelka_orders.handlers.versions import end_in_error, stop_work
from pastelka_orders.outbox import Outbox
from pastelka_orders.photo_set_errors import KeyReusedError, PhotoApprovedError, PhotosFullError
from pastelka_orders.photos.intake import PhotoIntake, ReceivedPhoto
from pastelka_orders.repository import images, photo_set, versions
from pastelka_orders.repository.downloads import refresh_order_status
from pastelka_orders.repository.images import LockedImage
from pastelka_orders.repository.orders import StoredPhoto
from pastelka_orders.repository.photo_set import PhotoLineItem
from pastelka_orders.repository.versions import Version

log = structlog.get_logger(__name__)

REPLACED = Failure(
    code="photo_replaced",
    message="The photo was replaced during processing; generate again from the new one.",
)

IsExpected = Callable[[LockedImage], bool]
"""Whether an image is as the client read it."""


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """Where a photo is added (``position`` if that is free, else last), and what starts then."""

    order_number: str
    line_item_id: int
    position: int | None = None
    process: Process = "none"
    options: ColoringOptions | None = None


@dataclass(frozen=True, slots=True)
class StoredImage:
    """The image of a photo; ``is_new`` unless the same request was made before."""

    order_number: str
    image_id: int
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class _FilePlace:
    """Reserved for a photo: what its path contains."""

    order_id: int
    line_item_id: int
    position: int
    version: int = 1


@dataclass(frozen=True)
class PhotoUploads:
    """Stores received photos. A file that no row names afterwards is deleted, except after a crash."""

    database: Database
    storage: Storage
    intake: PhotoIntake

    async def add(self, wanted: NewPhoto, received: ReceivedPhoto) -> StoredImage:
        """Add a photo to a line item.

        Raises ``LineItemNotFoundError``, ``OrderCancelledError``, ``ItemRemovedError``, ``PhotosFullError``,
        ``KeyReusedError`` and ``PhotoRefusedError``.
        """
        limit = self.intake.limits.max_photos
        place = await self.database.write(lambda c: _reserve(c, wanted, received, limit))
        if isinstance(place, StoredImage):
            return place
        photo = await self._store(place, received)
        return await self._commit(place, photo, lambda c: _add(c, wanted, received, photo, limit))

    async def replace(self, image_id: int, received: ReceivedPhoto, is_expected: IsExpected) -> StoredImage:
        """Replace the photo of an image; its versions stay, but none is chosen, and active ones end.

        Raises ``ImageNotFoundError``, ``PhotoApprovedError``, ``PreconditionFailedError`` if ``is_expected``
        fails or another request replaced the photo meanwhile, and what :meth:`add` does.
        """
        begun = await self.database.write(lambda c: _begin(c, image_id, received, is_expected))
        if isinstance(begun, StoredImage):
            return begun
        image, place = begun
        photo = await self._store(place, received)
        return await self._commit(place, photo, lambda c: _replace(c, image, place, received, photo))

    async def _store(self, place: _FilePlace, received: ReceivedPhoto) -> StoredPhoto:
        staged = await self.intake.decoded(received)
        path = photo_path(
            order_id=place.order_id,
            line_item_id=place.line_item_id,
            position=place.position,
            suffix=staged.suffix,
            version=place.version,
        )
        await self.storage.put_file(path, staged.path)
        await store_thumbnail(self.storage, path, staged.thumbnail)
        return StoredPhoto(place.position, path, staged.width, staged.height)

    async def _commit(
        self,
        place: _FilePlace,
        photo: StoredPhoto,
        work: Callable[[AsyncConnection], Awaitable[StoredImage]],
    ) -> StoredImage:
        try:
            stored = await self.database.write(work)
        except CommitUnconfirmedError:  # a row may name the file
            raise
        except BaseException:
            await self._discard(place.order_id, photo.path)
            raise
        if not stored.is_new:  # the same request was faster
            await self._discard(place.order_id, photo.path)
        return stored

    async def _discard(self, order_id: int, path: str) -> None:
        try:
            if not await self.database.read(lambda c: photo_set.is_used(c, order_id, path)):
                await self.storage.remove(path)
                await self.storage.remove(thumbnail_path(path))
        except Exception as error:  # noqa: BLE001 - it is deleted with its order
            log.warning("photo not discarded", order_id=order_id, error=str(error))


async def _reserve(
    connection: AsyncConnection, wanted: NewPhoto, received: ReceivedPhoto, limit: int
) -> _FilePlace | StoredImage:
    """Reserve the path of a photo; its image if the client's key has one."""
    item = await _line_item(connection, wanted, lock=True)
    known = await _known(connection, item.order_id, item.order_number, received)
    if known is not None:
        return known
    _require_room(item, limit)
    position = await photo_set.reserve_file_position(connection, item.id)
    return _FilePlace(item.order_id, item.id, position)


async def _add(
    connection: AsyncConnection, wanted: NewPhoto, received: ReceivedPhoto, photo: StoredPhoto, limit: int
) -> StoredImage:
    await photo_set.touch_order(connection, wanted.order_number)
    item = await _line_item(connection, wanted)
    known = await _known(connection, item.order_id, item.order_number, received)
    if known is not None:
        return known
    _require_room(item, limit)
    image_id = await photo_set.add(connection, item.id, photo, wanted.position)
    if received.key is not None:
        await photo_set.add_upload(connection, item.order_id, received.key, received.digest, image_id)
    await refresh_order_status(connection, item.order_id)
    outbox = Outbox()
    outbox.add(OrderChanged(order_number=item.order_number))
    await start_processing(connection, outbox, [image_id], wanted.process, wanted.options)
    await outbox.flush(connection)
    return StoredImage(item.order_number, image_id)


def _require_room(item: PhotoLineItem, limit: int) -> None:
    if item.photos >= limit:
        raise PhotosFullError(item.order_number, limit)


async def _line_item(connection: AsyncConnection, wanted: NewPhoto, *, lock: bool = False) -> PhotoLineItem:
    item = await photo_set.find_line_item(connection, wanted.order_number, wanted.line_item_id, lock=lock)
    if item is None:
        raise LineItemNotFoundError(wanted.line_item_id)
    if item.is_cancelled:
        raise OrderCancelledError(wanted.order_number)
    if not item.is_wanted:
        raise ItemRemovedError(f"Line item {item.id}", "no photo is added to it", line_item_id=item.id)
    return item


async def _known(
    connection: AsyncConnection, order_id: int, order_number: str, received: ReceivedPhoto
) -> StoredImage | None:
    """The image that was stored under this key. Raises ``KeyReusedError``."""
    if received.key is None:
        return None
    upload = await photo_set.find_upload(connection, order_id, received.key)
    if upload is None:
        return None
    if upload.digest != received.digest:
        raise KeyReusedError("Another file was sent with this key.")
    if upload.image_id is None:
        raise KeyReusedError("The photo that was sent with this key is deleted.")
    return StoredImage(order_number, upload.image_id, is_new=False)


async def _begin(
    connection: AsyncConnection,
    image_id: int,
    received: ReceivedPhoto,
    is_expected: IsExpected,
) -> tuple[LockedImage, _FilePlace] | StoredImage:
    """Reserve the path of a replacement; the image if the replacement was already made."""
    image = await _replaceable(connection, image_id)
    known = await _known(connection, image.order_id, image.order_number, received)
    if known is not None:
        return known
    if image.is_approved:
        raise PhotoApprovedError(image_id, "replaced")
    if not is_expected(image):
        raise PreconditionFailedError
    version = await photo_set.reserve_version(connection, image_id)
    return image, _FilePlace(image.order_id, image.file_line_item_id, image.file_position, version)


async def _replace(
    connection: AsyncConnection,
    before: LockedImage,
    place: _FilePlace,
    received: ReceivedPhoto,
    photo: StoredPhoto,
) -> StoredImage:
    await active_versions(connection, before.order_number, before.id)
    image = await _replaceable(connection, before.id)
    known = await _known(connection, image.order_id, image.order_number, received)
    if known is not None:
        return known
    if image.is_approved:
        raise PhotoApprovedError(image.id, "replaced")
    if image.photo_version != before.photo_version:
        raise PreconditionFailedError
    outbox = Outbox()
    for version in await active_versions(connection, image.order_number, image.id):
        await end_in_error(connection, outbox, version, REPLACED)
        stop_work(outbox, version)
    await photo_set.override(connection, (image.file_line_item_id, image.file_position), image.original_url)
    await photo_set.replace(connection, image.id, place.version, photo)
    await photo_set.touch_order(connection, image.order_number)
    if received.key is not None:
        await photo_set.add_upload(connection, image.order_id, received.key, received.digest, image.id)
    await refresh_order_status(connection, image.order_id)
    outbox.add(OrderChanged(order_number=image.order_number))
    await outbox.flush(connection)
    return StoredImage(image.order_number, image.id)


async def _replaceable(connection: AsyncConnection, image_id: int) -> LockedImage:
    image = await images.lock(connection, image_id)
    if image is None:
        raise ImageNotFoundError(image_id)
    require_wanted(image)
    return image


async def active_versions(connection: AsyncConnection, order_number: str, image_id: int) -> list[Version]:
    """Lock the active versions of an image: before the image, and again for those that began meanwhile."""
    return [
        version
        for kind in STATUS_ENUMS
        for version in await versions.lock_active(connection, kind, order_number)
        if version.image_id == image_id
    ]
