"""Updates rows whose file is missing, or found again."""

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure, OrderChanged, now
from pastelka_common.contracts.statuses import StatusType
from pastelka_orders.domain.versions import status_of
from pastelka_orders.handlers.versions import end_in_error, record_status
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import book_versions, images, stored_files, versions
from pastelka_orders.repository.downloads import refresh_order_status
from pastelka_orders.repository.stored_files import FILE_MISSING, PHOTO_MISSING, StoredFile
from pastelka_orders.repository.versions import Version

PAGE_LOST = Failure(code=FILE_MISSING, message="The file is no longer in the storage. Generate it again.")
BOOK_LOST = Failure(code=FILE_MISSING, message="The file is no longer in the storage. Compose it again.")
PHOTO_LOST = "The photo is no longer in the storage. Replace it with another file of it."


async def mark_missing(connection: AsyncConnection, file: StoredFile) -> bool:
    """Mark the file as missing: a page gets status ``error``, a photo is downloaded again if possible.

    ``False`` if the row has changed meanwhile.
    """
    if file.kind == "photo":
        return await _mark_photo_missing(connection, file)
    if file.kind == "book":
        return await _mark_book_missing(connection, file)
    version = await _locked(connection, file.kind, file)
    if version is None or not version.status.has_file:
        return False
    if file.kind == "coloring":
        await stored_files.clear_then_svg(connection, version.id)
    outbox = Outbox()
    await end_in_error(connection, outbox, version, PAGE_LOST)
    await outbox.flush(connection)
    return True


async def mark_found(connection: AsyncConnection, file: StoredFile) -> bool:
    """Mark a missing file as found again. ``False`` if the row has changed meanwhile."""
    if file.kind == "photo":
        return await _mark_photo_found(connection, file)
    if file.kind == "book":
        return await _mark_book_found(connection, file)
    version = await _locked(connection, file.kind, file)
    if version is None or version.error_code != FILE_MISSING or version.status.has_file:
        return False
    await stored_files.mark_version_found(connection, file.kind, version.id)
    outbox = Outbox()
    await record_status(connection, outbox, version, status_of(version.kind, "completed"), moment=now())
    await outbox.flush(connection)
    return True


async def _locked(connection: AsyncConnection, kind: StatusType, file: StoredFile) -> Version | None:
    found = await versions.lock(connection, kind, [file.id])
    return found[0] if found and found[0].path == file.path else None


async def _mark_photo_missing(connection: AsyncConnection, file: StoredFile) -> bool:
    image = await images.lock(connection, file.id)
    if image is None or image.path != file.path:
        return False
    if image.original_url is None:
        await stored_files.set_photo_error(connection, file.id, PHOTO_MISSING, PHOTO_LOST)
    else:
        await stored_files.await_photo(connection, file.id)
        await refresh_order_status(connection, image.order_id)
    return await _publish_order_changed(connection, image.order_number)


async def _mark_photo_found(connection: AsyncConnection, file: StoredFile) -> bool:
    image = await images.lock(connection, file.id)
    if image is None or image.path != file.path:
        return False
    await stored_files.set_photo_error(connection, file.id, None, None)
    return await _publish_order_changed(connection, image.order_number)


async def _mark_book_missing(connection: AsyncConnection, file: StoredFile) -> bool:
    number = await book_versions.lock_file(connection, file.id, file.path, is_there=True)
    if number is None:
        return False
    await book_versions.mark_failed(connection, file.id, BOOK_LOST.code, BOOK_LOST.message)
    return await _publish_order_changed(connection, number)


async def _mark_book_found(connection: AsyncConnection, file: StoredFile) -> bool:
    number = await book_versions.lock_file(connection, file.id, file.path, is_there=False)
    if number is None:
        return False
    await book_versions.mark_found(connection, file.id)
    return await _publish_order_changed(connection, number)


async def _publish_order_changed(connection: AsyncConnection, order_number: str) -> bool:
    await Outbox.publish(connection, OrderChanged(order_number=order_number))
    return True
