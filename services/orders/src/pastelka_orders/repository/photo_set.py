"""Queries on the set of an order's photos: added, replaced, moved, deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.claims import DUE_NOW
from pastelka_orders.repository.images import IS_WANTED
from pastelka_orders.repository.orders import StoredPhoto
from pastelka_orders.repository.sql import execute

# The shop numbers its photos from 1; numbers of added ones do not meet those of its later photos.
_FIRST_ADDED_TO_SHOP_ITEM = 1001
_LINE_ITEM = f"""SELECT l.id, o.id AS order_id, o.order_number, o.cancelled_at IS NOT NULL AS is_cancelled,
        {IS_WANTED} AS is_wanted, (SELECT count(*) FROM line_items n JOIN images i ON i.line_item_id = n.id
            WHERE n.order_id = o.id) AS photos
    FROM line_items l JOIN orders o ON o.id = l.order_id
    WHERE o.order_number = :order_number AND l.id = :line_item_id"""
_LOCK_LINE_ITEM = f"{_LINE_ITEM} FOR NO KEY UPDATE OF l"
_RESERVE_FILE = f"""UPDATE line_items l SET last_file_position = GREATEST(l.last_file_position,
        CASE WHEN l.shopify_line_item_id IS NULL THEN 0 ELSE {_FIRST_ADDED_TO_SHOP_ITEM - 1} END,
        (SELECT max(COALESCE(i.file_position, i.position)) FROM line_items n
            JOIN images i ON i.line_item_id = n.id
            WHERE n.order_id = l.order_id AND COALESCE(i.file_line_item_id, i.line_item_id) = l.id)) + 1
    WHERE l.id = :line_item_id RETURNING last_file_position"""
_KEEP_FILE_POSITION = """UPDATE line_items
    SET last_file_position = GREATEST(last_file_position, CAST(:position AS integer))
    WHERE id = :line_item_id"""
_RESERVE_VERSION = """UPDATE images
    SET last_photo_version = GREATEST(last_photo_version, photo_version) + 1
    WHERE id = :image_id RETURNING last_photo_version"""
_TOUCH_ORDER = """UPDATE orders SET updated_at = clock_timestamp() WHERE order_number = :order_number
    RETURNING id"""
_UPLOAD = """SELECT digest, image_id FROM photo_uploads
    WHERE order_id = :order_id AND idempotency_key = :key"""
_ADD_UPLOAD = """INSERT INTO photo_uploads (order_id, idempotency_key, digest, image_id)
    VALUES (:order_id, :key, :digest, :image_id)"""
_IS_USED = """SELECT 1 FROM line_items l JOIN images i ON i.line_item_id = l.id
    WHERE l.order_id = :order_id AND i.path = :path LIMIT 1"""
_ADD = """INSERT INTO images
        (line_item_id, position, file_line_item_id, file_position, path, width, height, downloaded_at)
    SELECT CAST(:line_item_id AS integer), CASE
            WHEN bool_or(i.position = CAST(:position AS integer)) OR CAST(:position AS integer) IS NULL
                THEN COALESCE(max(i.position), 0) + 1
            ELSE CAST(:position AS integer) END,
        CAST(:line_item_id AS integer), CAST(:file_position AS integer), CAST(:path AS text),
        CAST(:width AS integer), CAST(:height AS integer), clock_timestamp()
    FROM images i WHERE i.line_item_id = :line_item_id RETURNING id"""
# Versions of the previous photo stay but are no longer chosen. A download in progress loses its claim.
_REPLACE = f"""UPDATE images SET original_url = NULL, photo_version = :version,
        photo_replaced_at = clock_timestamp(), path = :path, width = :width, height = :height,
        downloaded_at = clock_timestamp(), download_error_code = NULL, download_error_message = NULL,
        selected_coloring_id = NULL, selected_svg_id = NULL,
        coloring_chosen_at = NULL, svg_chosen_at = NULL,
        approved_at = NULL, approved_by = NULL, rework_reason = NULL, {DUE_NOW}
    WHERE id = :image_id"""
_OVERRIDE = """INSERT INTO photo_overrides AS p (line_item_id, position, url)
    SELECT l.id, CAST(:position AS integer), CAST(:url AS text) FROM line_items l
    WHERE l.id = :line_item_id AND l.shopify_line_item_id IS NOT NULL
        AND CAST(:position AS integer) < CAST(:first_added AS integer)
    ON CONFLICT (line_item_id, position) DO UPDATE SET url = COALESCE(EXCLUDED.url, p.url)"""
_PATHS = """SELECT i.path FROM images i WHERE i.id = :image_id
    UNION SELECT c.path FROM coloring_versions c WHERE c.image_id = :image_id
    UNION SELECT s.path FROM svg_versions s WHERE s.image_id = :image_id"""
_DELETE = "DELETE FROM images WHERE id = :image_id"
_PLACES = """SELECT i.id, i.line_item_id FROM line_items l JOIN images i ON i.line_item_id = l.id
    WHERE l.order_id = :order_id ORDER BY i.line_item_id, i.position, i.id"""
# Two steps: a position may be taken until the photo there is moved.
_VACATE = """UPDATE images SET position = -position,
        file_line_item_id = COALESCE(file_line_item_id, line_item_id),
        file_position = COALESCE(file_position, position)
    WHERE id = ANY(CAST(:ids AS integer[]))"""
_PLACE = """UPDATE images i SET line_item_id = n.line_item_id, position = n.position
    FROM unnest(CAST(:ids AS integer[]), CAST(:line_item_ids AS integer[]), CAST(:positions AS integer[]))
        AS n(id, line_item_id, position) WHERE i.id = n.id"""

_ADD_REMOVED = """INSERT INTO removed_photos (order_id, file_line_item_id, file_position, paths)
    VALUES (:order_id, :line_item_id, :position, CAST(:paths AS text[])) RETURNING id"""
_DUE_REMOVED = """SELECT id, order_id, file_line_item_id, file_position, paths FROM removed_photos
    WHERE next_check_at <= clock_timestamp() ORDER BY next_check_at LIMIT 100"""
_CHECKS = 15  # with exponential backoff about six days: later than any worker writes
_END_CHECKS = f"DELETE FROM removed_photos WHERE id = :id AND checks >= {_CHECKS}"
_CHECKED = """UPDATE removed_photos SET checks = checks + 1,
        next_check_at = clock_timestamp() + make_interval(secs => LEAST(60 * 2.0 ^ checks, 86400))
    WHERE id = :id"""


@dataclass(frozen=True, slots=True)
class PhotoLineItem:
    """A line item that photos are added to; ``photos`` is their number in its order."""

    id: int
    order_id: int
    order_number: str
    is_cancelled: bool
    is_wanted: bool
    photos: int


@dataclass(frozen=True, slots=True)
class PhotoUploadRecord:
    """A photo that was stored under a client's key; ``image_id`` is ``None`` once it is deleted."""

    digest: bytes
    image_id: int | None


@dataclass(frozen=True, slots=True)
class RemovedFiles:
    """The files of a deleted photo: ``paths``, and all with its place in their paths."""

    id: int
    order_id: int
    file_line_item_id: int
    file_position: int
    paths: Sequence[str]

    @property
    def folder(self) -> str:
        """Where its files are, with those of other photos."""
        return f"{self.order_id}/{self.file_line_item_id}"

    def has(self, path: str) -> bool:
        """Whether a file in the folder is one of the photo, a page, a thumbnail or a marker."""
        name = path.rpartition("/")[2].removeprefix(".").removeprefix("thumb_")
        return name.startswith(f"image_{self.file_position}.")


async def find_line_item(
    connection: AsyncConnection, order_number: str, line_item_id: int, *, lock: bool = False
) -> PhotoLineItem | None:
    """A line item of an order; ``lock`` locks it until the transaction ends."""
    values = {"order_number": order_number, "line_item_id": line_item_id}
    statement = _LOCK_LINE_ITEM if lock else _LINE_ITEM
    row = (await execute(connection, statement, values)).mappings().first()
    return PhotoLineItem(**row) if row else None


async def reserve_file_position(connection: AsyncConnection, line_item_id: int) -> int:
    """A number for the paths of a photo's files that no photo of the line item had or will have."""
    return int((await execute(connection, _RESERVE_FILE, {"line_item_id": line_item_id})).scalar_one())


async def reserve_version(connection: AsyncConnection, image_id: int) -> int:
    """A version of a locked image's photo that no other replacement has."""
    return int((await execute(connection, _RESERVE_VERSION, {"image_id": image_id})).scalar_one())


async def touch_order(connection: AsyncConnection, order_number: str) -> int | None:
    """Lock an order whose photos change, after its images; returns its id, ``None`` if it is deleted."""
    found: int | None = (await execute(connection, _TOUCH_ORDER, {"order_number": order_number})).scalar()
    return found


async def find_upload(connection: AsyncConnection, order_id: int, key: str) -> PhotoUploadRecord | None:
    """What was stored under a key."""
    row = (await execute(connection, _UPLOAD, {"order_id": order_id, "key": key})).first()
    return PhotoUploadRecord(bytes(row.digest), row.image_id) if row else None


async def add_upload(
    connection: AsyncConnection, order_id: int, key: str, digest: bytes, image_id: int
) -> None:
    """Record what is stored under a key. The order must be locked."""
    values = {"order_id": order_id, "key": key, "digest": digest, "image_id": image_id}
    await execute(connection, _ADD_UPLOAD, values)


async def is_used(connection: AsyncConnection, order_id: int, path: str) -> bool:
    """Whether an image of the order has its photo at ``path``."""
    values = {"order_id": order_id, "path": path}
    return (await execute(connection, _IS_USED, values)).first() is not None


async def add(
    connection: AsyncConnection, line_item_id: int, photo: StoredPhoto, position: int | None
) -> int:
    """Add a stored photo to a line item; returns the image's id. The order must be locked.

    It is the last one unless ``position`` is free; ``photo.position`` is the one in its path.
    """
    values = {
        "line_item_id": line_item_id,
        "position": position,
        "file_position": photo.position,
        "path": photo.path,
        "width": photo.width,
        "height": photo.height,
    }
    return int((await execute(connection, _ADD, values)).scalar_one())


async def replace(connection: AsyncConnection, image_id: int, version: int, photo: StoredPhoto) -> None:
    """Give a locked image another photo; nothing is chosen or approved any more."""
    values = {
        "image_id": image_id,
        "version": version,
        "path": photo.path,
        "width": photo.width,
        "height": photo.height,
    }
    await execute(connection, _REPLACE, values)


async def override(connection: AsyncConnection, place: tuple[int, int], url: str | None) -> None:
    """The shop no longer decides about its photo at ``place``; no effect if that is none of the shop's."""
    values = {"line_item_id": place[0], "position": place[1], "url": url}
    await execute(connection, _OVERRIDE, {**values, "first_added": _FIRST_ADDED_TO_SHOP_ITEM})


async def file_paths(connection: AsyncConnection, image_id: int) -> list[str]:
    """Paths of an image's photo and versions."""
    found = (await execute(connection, _PATHS, {"image_id": image_id})).scalars()
    return sorted(path for path in found if path is not None)


async def keep_file_position(connection: AsyncConnection, place: tuple[int, int]) -> None:
    """The number in the paths of a photo that is deleted is not used again."""
    await execute(connection, _KEEP_FILE_POSITION, {"line_item_id": place[0], "position": place[1]})


async def delete(connection: AsyncConnection, image_id: int) -> None:
    """Delete a locked image with its versions."""
    await execute(connection, _DELETE, {"image_id": image_id})


async def places(connection: AsyncConnection, order_id: int) -> dict[int, list[int]]:
    """Ids of an order's images by line item, in their order."""
    found: dict[int, list[int]] = {}
    for row in await execute(connection, _PLACES, {"order_id": order_id}):
        found.setdefault(row.line_item_id, []).append(row.id)
    return found


async def place(connection: AsyncConnection, line_items: Mapping[int, Sequence[int]]) -> None:
    """Number the images of these line items from 1, in this order. Images and order must be locked."""
    placed = [
        (image_id, line_item_id, position)
        for line_item_id, image_ids in line_items.items()
        for position, image_id in enumerate(image_ids, start=1)
    ]
    ids = [image_id for image_id, _, _ in placed]
    await execute(connection, _VACATE, {"ids": ids})
    await execute(
        connection,
        _PLACE,
        {
            "ids": ids,
            "line_item_ids": [line_item_id for _, line_item_id, _ in placed],
            "positions": [position for _, _, position in placed],
        },
    )


async def add_removed(
    connection: AsyncConnection, order_id: int, place: tuple[int, int], paths: Sequence[str]
) -> RemovedFiles:
    """Record the files of a deleted photo, which are deleted after the commit."""
    values = {"order_id": order_id, "line_item_id": place[0], "position": place[1], "paths": list(paths)}
    record_id = int((await execute(connection, _ADD_REMOVED, values)).scalar_one())
    return RemovedFiles(record_id, order_id, *place, paths)


async def due_removed(connection: AsyncConnection) -> list[RemovedFiles]:
    """Deleted photos whose files are to be deleted (again)."""
    return [RemovedFiles(**row) for row in (await execute(connection, _DUE_REMOVED)).mappings()]


async def removed_checked(connection: AsyncConnection, record_id: int) -> None:
    """The files were deleted; the next check is later, after the last one there is none."""
    await execute(connection, _END_CHECKS, {"id": record_id})
    await execute(connection, _CHECKED, {"id": record_id})
