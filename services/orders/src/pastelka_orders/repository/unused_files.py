"""Queries on files that no row names: those being stored, and those that were replaced.

A file is noted before it is stored, so a killed process leaves no file without a row. The retention deletes
it a day later, unless a row names it by then; active work may read a replaced one for so long.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.sql import execute

_PAGE = 500
_IS_USED = """EXISTS (SELECT 1 FROM line_items l JOIN images i ON i.line_item_id = l.id
        LEFT JOIN coloring_versions c ON c.image_id = i.id AND c.is_active
    WHERE l.order_id = u.order_id AND u.path IN (i.edited_photo_path, c.edited_photo_path))"""
_NOTE = """INSERT INTO unused_files AS u (order_id, path) VALUES (:order_id, :path)
    ON CONFLICT (order_id, path) DO UPDATE SET unused_since = clock_timestamp() WHERE NOT u.is_deleting
    RETURNING path"""
_NOTE_EDITED = """INSERT INTO unused_files AS u (order_id, path)
    SELECT l.order_id, i.edited_photo_path FROM images i JOIN line_items l ON l.id = i.line_item_id
    WHERE i.id = ANY(CAST(:image_ids AS integer[])) AND i.edited_photo_path IS NOT NULL
    ON CONFLICT (order_id, path) DO UPDATE SET unused_since = clock_timestamp()"""
_BEGIN_DELETING = f"""UPDATE unused_files u SET is_deleting = true
    FROM (SELECT order_id, path FROM unused_files u
        WHERE is_deleting OR (unused_since < clock_timestamp() - interval '1 day' AND NOT {_IS_USED})
        ORDER BY unused_since LIMIT {_PAGE} FOR UPDATE SKIP LOCKED) n
    WHERE u.order_id = n.order_id AND u.path = n.path RETURNING u.order_id, u.path"""
_DELETE = "DELETE FROM unused_files WHERE order_id = :order_id AND path = :path"


async def note(connection: AsyncConnection, order_id: int, path: str) -> bool:
    """Note a file before it is stored, or once it is replaced; ``False`` while it is being deleted."""
    values = {"order_id": order_id, "path": path}
    return (await execute(connection, _NOTE, values)).first() is not None


async def note_edited_photos(connection: AsyncConnection, image_ids: Sequence[int]) -> None:
    """Note the edited photos of locked images that are about to get other photos."""
    await execute(connection, _NOTE_EDITED, {"image_ids": list(image_ids)})


async def begin_deleting(connection: AsyncConnection) -> list[tuple[int, str]]:
    """Order and path of files to delete: unused for a day."""
    return [(row.order_id, row.path) for row in await execute(connection, _BEGIN_DELETING)]


async def delete(connection: AsyncConnection, order_id: int, path: str) -> None:
    """Delete the row of a file that is deleted, or that another row names now."""
    await execute(connection, _DELETE, {"order_id": order_id, "path": path})
