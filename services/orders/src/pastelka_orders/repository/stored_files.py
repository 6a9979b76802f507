"""Queries on rows that name files, and on whether these are missing."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.statuses import StatusType
from pastelka_orders.models.orders import StoredKind
from pastelka_orders.repository import claims
from pastelka_orders.repository.claims import DUE_NOW
from pastelka_orders.repository.sql import execute
from pastelka_orders.repository.versions import TABLES

FILE_MISSING = "file_missing"
"""Error code of a page or SVG whose file is missing."""
PHOTO_MISSING = "photo_missing"
"""Error code of a photo whose file is missing."""
EDITED_PHOTO_MISSING = "edited_photo_missing"
"""Error code of a photo of which the edited file is missing."""

_ALIVE = "NOT EXISTS (SELECT 1 FROM erasures e WHERE e.order_id = l.order_id)"
_OLD = "clock_timestamp() - make_interval(secs => :grace)"
_PAGES = {
    kind: f"""SELECT v.id, v.path, v.status = 'error' AS is_noted
        FROM {table} v JOIN images i ON i.id = v.image_id JOIN line_items l ON l.id = i.line_item_id
        WHERE v.id > :after AND v.path IS NOT NULL AND v.updated_at < {_OLD} AND {_ALIVE}
            AND (v.status = 'completed' OR (v.status = 'error' AND v.error_code = '{FILE_MISSING}'))
        ORDER BY v.id LIMIT :page"""
    for kind, table in TABLES.items()
}
_PHOTOS = f"""SELECT i.id, i.path, COALESCE(i.download_error_code = '{PHOTO_MISSING}', false) AS is_noted
    FROM images i JOIN line_items l ON l.id = i.line_item_id
    WHERE i.id > :after AND i.path IS NOT NULL AND {_ALIVE}
        AND COALESCE(i.downloaded_at < {_OLD}, true)
    ORDER BY i.id LIMIT :page"""
_EDITED_PHOTOS = f"""SELECT i.id, i.edited_photo_path AS path,
        COALESCE(i.download_error_code = '{EDITED_PHOTO_MISSING}', false) AS is_noted
    FROM images i JOIN line_items l ON l.id = i.line_item_id
    WHERE i.id > :after AND i.edited_photo_path IS NOT NULL AND {_ALIVE} AND i.photo_edited_at < {_OLD}
    ORDER BY i.id LIMIT :page"""
_BOOKS = f"""SELECT b.id, b.path, b.status = 'error' AS is_noted FROM book_versions b
    WHERE b.id > :after AND b.path IS NOT NULL AND b.completed_at < {_OLD}
        AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.order_id = b.order_id)
        AND (b.status = 'completed' OR (b.status = 'error' AND b.error_code = '{FILE_MISSING}'))
    ORDER BY b.id LIMIT :page"""
_STATEMENTS: dict[StoredKind, str] = {
    "coloring": _PAGES["coloring"],
    "svg": _PAGES["svg"],
    "photo": _PHOTOS,
    "edited_photo": _EDITED_PHOTOS,
    "book": _BOOKS,
}
# The follow-up SVG was already requested when the page was first completed.
_NOTHING_FOLLOWS = "UPDATE coloring_versions SET then_svg = NULL WHERE id = :id"
_BACK = {
    kind: f"""UPDATE {table} SET status = 'completed', error_code = NULL, error_message = NULL,
            completed_at = clock_timestamp(), updated_at = clock_timestamp() WHERE id = :id"""
    for kind, table in TABLES.items()
}
_PHOTO_FETCHED_AGAIN = f"""UPDATE images SET path = NULL, downloaded_at = NULL, download_error_code = NULL,
        download_error_message = NULL, {DUE_NOW} WHERE id = :id"""
_PHOTO_NOTED = """UPDATE images SET download_error_code = CAST(:code AS text),
        download_error_message = CAST(:message AS text) WHERE id = :id"""


_POSITIONS = "SELECT kind, after FROM file_checks"
_SAVE_POSITION = """INSERT INTO file_checks AS f (kind, after)
    VALUES (CAST(:kind AS text), CAST(:after AS integer))
    ON CONFLICT (kind) DO UPDATE SET after = EXCLUDED.after"""


async def positions(connection: AsyncConnection) -> dict[str, int]:
    """The id of the last file checked in the current round, by kind."""
    return {row.kind: row.after for row in await execute(connection, _POSITIONS)}


async def save_position(connection: AsyncConnection, kind: StoredKind, after: int) -> None:
    """Continue after this id in the next pass of any process; 0 starts a new round."""
    await execute(connection, _SAVE_POSITION, {"kind": kind, "after": after})


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that a row names; ``is_noted``: the row is marked as missing its file."""

    kind: StoredKind
    id: int
    path: str
    is_noted: bool


async def page(
    connection: AsyncConnection, kind: StoredKind, *, after: int, page: int, grace: float
) -> list[StoredFile]:
    """Files of rows with an id above ``after``, by id, except of orders being erased."""
    rows = await execute(connection, _STATEMENTS[kind], {"after": after, "page": page, "grace": grace})
    return [StoredFile(kind, row.id, row.path, row.is_noted) for row in rows]


async def clear_then_svg(connection: AsyncConnection, version_id: int) -> None:
    """Disable the automatic SVG of a coloring that will be regenerated."""
    await execute(connection, _NOTHING_FOLLOWS, {"id": version_id})


async def mark_version_found(connection: AsyncConnection, kind: StatusType, version_id: int) -> None:
    """Set a locked version whose file was found again to ``completed``."""
    await execute(connection, _BACK[kind], {"id": version_id})


async def await_photo(connection: AsyncConnection, image_id: int) -> None:
    """Enqueue the download of a locked image's photo again."""
    await execute(connection, _PHOTO_FETCHED_AGAIN, {"id": image_id})
    await claims.notify(connection)


async def set_photo_error(
    connection: AsyncConnection, image_id: int, code: str | None, message: str | None
) -> None:
    """Set or clear the error of a locked image's photo."""
    await execute(connection, _PHOTO_NOTED, {"id": image_id, "code": code, "message": message})
