"""Queries on the edits of photos."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.sql import execute
from pastelka_orders.repository.stored_files import EDITED_PHOTO_MISSING

_FIND = f"""SELECT i.id, l.order_id, i.line_item_id, o.order_number, i.path, i.width, i.height, i.photo_edit,
        i.edited_photo_path, i.approved_at IS NOT NULL AS is_approved,
        COALESCE(i.download_error_code = '{EDITED_PHOTO_MISSING}', false) AS is_file_lost
    FROM images i JOIN line_items l ON l.id = i.line_item_id JOIN orders o ON o.id = l.order_id
    WHERE o.order_number = :order_number AND i.id = :image_id"""
_LOCK = f"{_FIND} FOR NO KEY UPDATE OF i"
_SAVE = f"""UPDATE images SET photo_edit = CAST(:photo_edit AS jsonb), edited_photo_path = :path,
        photo_edited_at = clock_timestamp(),
        download_error_message = CASE WHEN download_error_code <> '{EDITED_PHOTO_MISSING}'
            THEN download_error_message END,
        download_error_code = NULLIF(download_error_code, '{EDITED_PHOTO_MISSING}')
    WHERE id = :image_id"""


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """A photo with its edit. ``path``, ``width`` and ``height`` are those of the original, once stored."""

    id: int
    order_id: int
    line_item_id: int
    order_number: str
    path: str | None
    width: int | None
    height: int | None
    photo_edit: Mapping[str, Any] | None
    edited_photo_path: str | None
    is_approved: bool
    is_file_lost: bool
    """The edited photo is no longer in the storage."""


async def find(connection: AsyncConnection, order_number: str, image_id: int) -> PhotoRecord | None:
    """The photo of an image of an order."""
    return await _one(connection, _FIND, order_number, image_id)


async def lock(connection: AsyncConnection, order_number: str, image_id: int) -> PhotoRecord | None:
    """Lock an image of an order."""
    return await _one(connection, _LOCK, order_number, image_id)


async def save(
    connection: AsyncConnection, image_id: int, photo_edit: Mapping[str, Any] | None, path: str | None
) -> None:
    """Save the edit of a locked image, and the path of its edited photo; ``None`` for no edit."""
    document = None if photo_edit is None else json.dumps(photo_edit)
    await execute(connection, _SAVE, {"image_id": image_id, "photo_edit": document, "path": path})


async def _one(
    connection: AsyncConnection, query: str, order_number: str, image_id: int
) -> PhotoRecord | None:
    values = {"order_number": order_number, "image_id": image_id}
    row = (await execute(connection, query, values)).mappings().first()
    return PhotoRecord(**row) if row else None
