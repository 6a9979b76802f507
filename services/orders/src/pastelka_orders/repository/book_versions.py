"""Queries on versions of an order's book."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository import claims
from pastelka_orders.repository.claims import DUE_NOW, Claim, ClaimLostError, JobTable
from pastelka_orders.repository.sql import execute

ACTIVE = "status IN ('queued', 'composing')"
TABLE = JobTable("book_versions", "id", ACTIVE)
_UPDATED = "updated_at = clock_timestamp()"

_LOCK_ORDER = "SELECT id, cancelled_at IS NOT NULL FROM orders WHERE order_number = :order_number FOR UPDATE"
_SAME = f"""SELECT version FROM book_versions WHERE order_id = :order_id AND {ACTIVE}
        AND options = CAST(:options AS jsonb) AND content = CAST(:content AS jsonb)
        AND fingerprint = :fingerprint AND is_forced = :is_forced ORDER BY version DESC LIMIT 1"""
_ADD = """INSERT INTO book_versions (order_id, version, options, content, fingerprint, is_forced)
    SELECT :order_id, 1 + COALESCE(max(version), 0), CAST(:options AS jsonb), CAST(:content AS jsonb),
        CAST(:fingerprint AS text), CAST(:is_forced AS boolean)
    FROM book_versions WHERE order_id = :order_id RETURNING version"""
_LOCK = """SELECT b.id, b.status, b.path, b.error_code FROM book_versions b JOIN orders o ON o.id = b.order_id
    WHERE o.order_number = :order_number AND b.version = :version FOR UPDATE OF b"""
_RESTART = f"""UPDATE book_versions SET status = 'queued', progress = 0, error_code = NULL,
        error_message = NULL, path = NULL, {_UPDATED}, {DUE_NOW} WHERE id = :id"""
_PRINTED = f"""UPDATE book_versions SET {_UPDATED}, printed_at = CASE WHEN CAST(:is_printed AS boolean)
        THEN COALESCE(printed_at, clock_timestamp()) END WHERE id = :id"""
_CLAIMED = """SELECT b.id, b.order_id, b.version, b.options, b.content, b.is_forced, b.created_at,
        o.order_number
    FROM book_versions b JOIN orders o ON o.id = b.order_id
    WHERE b.id = :key AND b.claimed_until = :until FOR NO KEY UPDATE OF b"""
_PROGRESS = f"""UPDATE book_versions SET status = 'composing', progress = :progress, {_UPDATED}
    WHERE id = :id"""
_COMPLETED = f"""UPDATE book_versions SET status = 'completed', progress = 100, path = :path,
        sheets = :sheets, previews = :previews, completed_at = clock_timestamp(), {_UPDATED} WHERE id = :id"""
_FAILED = f"""UPDATE book_versions SET status = 'error', error_code = :code, error_message = :message,
        {_UPDATED} WHERE id = :id"""
# A worker without its claim cannot complete the version.
_END_ACTIVE = f"""UPDATE book_versions SET status = 'error', error_code = :code, error_message = :message,
        claimed_until = NULL, {_UPDATED} WHERE order_id = :order_id AND {ACTIVE}"""
_LOCK_FILE = """SELECT o.order_number FROM book_versions b JOIN orders o ON o.id = b.order_id
    WHERE b.id = :id AND b.path = :path AND (b.error_code IS NULL) = CAST(:is_there AS boolean)
        AND b.status IN ('completed', 'error') FOR UPDATE OF b"""
_FOUND = f"""UPDATE book_versions SET status = 'completed', error_code = NULL, error_message = NULL,
        {_UPDATED} WHERE id = :id"""
_NEWEST = """SELECT b.path, b.version, b.options, b.content, b.fingerprint
    FROM book_versions b JOIN orders o ON o.id = b.order_id
    WHERE o.order_number = :order_number AND b.status = 'completed' AND o.cancelled_at IS NULL
        AND (CAST(:version AS integer) IS NULL OR b.version = :version)
    ORDER BY b.version DESC LIMIT 1"""
_BOOK = """json_build_object('version', b.version, 'status', b.status, 'progress', b.progress,
    'options', b.options, 'sheets', b.sheets, 'created_at', b.created_at, 'completed_at', b.completed_at,
    'printed_at', b.printed_at, 'is_forced', b.is_forced,
    'is_outdated', b.fingerprint <> ALL(CAST(:current AS text[])),
    'url', CASE WHEN b.status = 'completed' THEN CAST(:files AS text) || b.path END,
    'previews', COALESCE((SELECT json_agg(CAST(:files AS text) || regexp_replace(b.path, '[^/]+$', '')
            || 'sheet_' || n || '.webp' ORDER BY n)
        FROM generate_series(1, b.previews) n WHERE b.status = 'completed'), '[]'),
    'error', CASE WHEN b.status = 'error' THEN json_build_object(
        'code', b.error_code, 'message', COALESCE(b.error_message, '')) END)"""
_LIST = f"""SELECT CAST((SELECT COALESCE(json_agg({_BOOK} ORDER BY b.version DESC), '[]')
        FROM book_versions b WHERE b.order_id = o.id) AS text)
    FROM orders o WHERE o.order_number = :order_number"""
_ONE = f"""SELECT CAST({_BOOK} AS text) FROM book_versions b JOIN orders o ON o.id = b.order_id
    WHERE o.order_number = :order_number AND b.version = :version"""


@dataclass(frozen=True, slots=True)
class BookRecord:
    """The state of a version, for retry and marking as printed."""

    id: int
    status: str
    path: str | None
    error_code: str | None


@dataclass(frozen=True, slots=True)
class NewBook:
    """A requested version; its content never changes."""

    options: Mapping[str, Any]
    content: Mapping[str, Any]
    fingerprint: str
    is_forced: bool


@dataclass(frozen=True, slots=True)
class ClaimedBook:
    """A claimed version, for composing."""

    id: int
    order_id: int
    order_number: str
    version: int
    options: Mapping[str, Any]
    content: Mapping[str, Any]
    is_forced: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredBook:
    """A finished PDF."""

    path: str
    version: int
    options: Mapping[str, Any]
    content: Mapping[str, Any]
    fingerprint: str


async def add(connection: AsyncConnection, order_number: str, book: NewBook) -> int | None:
    """Add a version, or return an active one that is the same. ``None``: no such order."""
    order_id = (await execute(connection, _LOCK_ORDER, {"order_number": order_number})).scalar()
    if order_id is None:
        return None
    values = {
        "order_id": order_id,
        "options": json.dumps(book.options),
        "content": json.dumps(book.content),
        "fingerprint": book.fingerprint,
        "is_forced": book.is_forced,
    }
    same: int | None = (await execute(connection, _SAME, values)).scalar()
    if same is not None:
        return same
    added: int = (await execute(connection, _ADD, values)).scalar_one()
    await claims.notify(connection)
    return added


async def lock(connection: AsyncConnection, order_number: str, version: int) -> BookRecord | None:
    """Lock one version."""
    values = {"order_number": order_number, "version": version}
    row = (await execute(connection, _LOCK, values)).mappings().first()
    return BookRecord(**row) if row else None


async def restart(connection: AsyncConnection, book_id: int) -> None:
    """Requeue a locked version."""
    await execute(connection, _RESTART, {"id": book_id})
    await claims.notify(connection)


async def set_printed(connection: AsyncConnection, book_id: int, *, is_printed: bool) -> None:
    """Set or clear when a locked version was first printed."""
    await execute(connection, _PRINTED, {"id": book_id, "is_printed": is_printed})


async def claimed(connection: AsyncConnection, claim: Claim) -> ClaimedBook:
    """Lock the claimed version. Raises ``ClaimLostError``."""
    row = (await execute(connection, _CLAIMED, claim.row)).mappings().first()
    if row is None:
        raise ClaimLostError
    return ClaimedBook(**row)


async def save_progress(connection: AsyncConnection, book_id: int, progress: int) -> None:
    """Set status ``composing`` and the progress in percent."""
    await execute(connection, _PROGRESS, {"id": book_id, "progress": progress})


async def mark_completed(
    connection: AsyncConnection, book_id: int, path: str, *, sheets: int, previews: int
) -> None:
    """Set status ``completed``; the files are in the storage."""
    values = {"id": book_id, "path": path, "sheets": sheets, "previews": previews}
    await execute(connection, _COMPLETED, values)


async def mark_failed(connection: AsyncConnection, book_id: int, code: str, message: str) -> None:
    """Set status ``error``."""
    await execute(connection, _FAILED, {"id": book_id, "code": code, "message": message})


async def end_active(connection: AsyncConnection, order_id: int, code: str, message: str) -> None:
    """Fail the active versions of an order and end their claims."""
    await execute(connection, _END_ACTIVE, {"order_id": order_id, "code": code, "message": message})


async def lock_file(connection: AsyncConnection, book_id: int, path: str, *, is_there: bool) -> str | None:
    """Lock the version if it names this file and its status fits ``is_there``; returns the order number."""
    values = {"id": book_id, "path": path, "is_there": is_there}
    found: str | None = (await execute(connection, _LOCK_FILE, values)).scalar()
    return found


async def mark_found(connection: AsyncConnection, book_id: int) -> None:
    """Set a locked version whose file was missing back to ``completed``."""
    await execute(connection, _FOUND, {"id": book_id})


async def newest(
    connection: AsyncConnection, order_number: str, version: int | None = None
) -> StoredBook | None:
    """The newest completed PDF of an order, or that of ``version``, unless the order is cancelled."""
    values = {"order_number": order_number, "version": version}
    row = (await execute(connection, _NEWEST, values)).mappings().first()
    return StoredBook(**row) if row else None


async def listed(
    connection: AsyncConnection, order_number: str, files: str, current: Sequence[str]
) -> str | None:
    """JSON list of an order's versions, newest first; ``None`` if there is no such order.

    One whose fingerprint is not among the ``current`` ones is outdated.
    """
    values = {"order_number": order_number, "files": files, "current": list(current)}
    found: str | None = (await execute(connection, _LIST, values)).scalar()
    return found


async def shown(
    connection: AsyncConnection, order_number: str, version: int, files: str, current: Sequence[str]
) -> str | None:
    """JSON of one version."""
    values = {"order_number": order_number, "version": version, "files": files, "current": list(current)}
    found: str | None = (await execute(connection, _ONE, values)).scalar()
    return found
