"""Downloads of photos: each image with a pending URL is a row job."""

import json
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure, OrderChanged
from pastelka_common.storage import Storage, photo_path
from pastelka_common.thumbnails import store_thumbnail
from pastelka_orders.database import Database
from pastelka_orders.dead_letters import row_job_letter
from pastelka_orders.errors import ImageNotFoundError
from pastelka_orders.handlers.orders import Process, start_processing
from pastelka_orders.outbox import Outbox
from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.repository import claims, downloads, images, shop_items
from pastelka_orders.repository.claims import Claim, ClaimLostError
from pastelka_orders.repository.downloads import refresh_order_status
from pastelka_orders.repository.images import LockedImage
from pastelka_orders.repository.orders import StoredPhoto
from pastelka_orders.row_jobs import Write


@dataclass(frozen=True)
class Downloads:
    """Downloads, checks and stores photos; ``process`` starts automatically afterwards."""

    database: Database
    storage: Storage
    downloader: PhotoDownloader
    process: Process

    name = "download"
    table = downloads.TABLE

    async def work(self, claim: Claim) -> Write:
        """See ``JobKind``."""
        image = await self.database.read(lambda c: _claimed(c, claim))
        photo = await self.downloader.download(image.original_url or "", name=f"Photo {image.position}")
        path = photo_path(
            order_id=image.order_id,
            line_item_id=image.file_line_item_id,
            position=image.file_position,
            suffix=photo.suffix,
            version=image.photo_version,
        )
        await self.storage.write(path, photo.content)
        await store_thumbnail(self.storage, path, photo.thumbnail)
        kept = StoredPhoto(image.position, path, photo.width, photo.height)
        return lambda c: stored(c, claim, kept, self.process)

    async def give_up(self, connection: AsyncConnection, claim: Claim, failure: Failure) -> None:
        """Store on the image why its photo is missing, and publish a dead letter."""
        image = await _claimed(connection, claim)
        await downloads.save_failure(connection, image.id, failure)
        await refresh_order_status(connection, image.order_id)
        job = json.dumps({"image_id": image.id, "order_number": image.order_number})
        letter = row_job_letter(f"download.{image.id}", job, claim.attempts, failure)
        await Outbox.publish(connection, OrderChanged(order_number=image.order_number), letter)
        await claims.end(connection, claim, attempts=claim.attempts, error=failure.message)


async def stored(connection: AsyncConnection, claim: Claim, photo: StoredPhoto, process: Process) -> None:
    """Record a stored photo, and start processing unless the shop cancelled or removed it.

    Raises ``ClaimLostError`` if the image expects another photo, or none.
    """
    image = await _claimed(connection, claim)
    await downloads.save_stored(connection, image.id, photo)
    await refresh_order_status(connection, image.order_id)
    outbox = Outbox()
    outbox.add(OrderChanged(order_number=image.order_number))
    # A lost photo that was downloaded again may have pages, which must not be paid for twice.
    has_pages = bool(await images.colorings(connection, [image.id]))
    await start_processing(
        connection, outbox, [image.id], process if image.is_wanted and not has_pages else "none"
    )
    await outbox.flush(connection)
    await claims.end(connection, claim)


async def retry(connection: AsyncConnection, image_id: int) -> None:
    """Retry a failed download; no effect if the photo is stored or being downloaded."""
    image = await images.lock(connection, image_id)
    if image is None:
        raise ImageNotFoundError(image_id)
    if not await downloads.has_failed(connection, image_id):
        return
    await shop_items.await_photos(connection, [image_id])
    await refresh_order_status(connection, image.order_id)
    await Outbox.publish(connection, OrderChanged(order_number=image.order_number))


async def _claimed(connection: AsyncConnection, claim: Claim) -> LockedImage:
    image = await images.lock(connection, claim.key)
    if image is None:
        raise ClaimLostError
    return image
