"""Queries on erasures: request, contents of an order, progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.models.orders import ErasureReason
from pastelka_orders.repository import claims
from pastelka_orders.repository.claims import JobTable
from pastelka_orders.repository.sql import execute

TABLE = JobTable("erasures", "order_id")

# Hours, not days: PostgreSQL's day has 23 or 25 hours at a change of clocks.
_EXPIRED = """SELECT o.id, o.order_number FROM orders o
    WHERE o.created_at < clock_timestamp() - make_interval(hours => :hours)
        AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.order_id = o.id)
    ORDER BY o.created_at, o.id LIMIT :batch"""
_OF_CUSTOMER = """SELECT id, order_number FROM orders
    WHERE lower(customer_email) = lower(CAST(:email AS text))
    ORDER BY id"""
_OF_SHOP = (
    """SELECT id, order_number FROM orders WHERE shopify_id = ANY(CAST(:ids AS bigint[])) ORDER BY id"""
)
_BY_NUMBER = "SELECT id, order_number FROM orders WHERE order_number = :order_number"
# A customer's request takes precedence over retention.
_ADD = """INSERT INTO erasures AS e (order_id, order_number, reason, asked_by, deleted_at)
    VALUES (:order_id, :order_number, :reason, CAST(:asked_by AS text), NULL)
    ON CONFLICT (order_id) DO UPDATE SET reason = EXCLUDED.reason, asked_by = EXCLUDED.asked_by
    WHERE e.deleted_at IS NULL AND EXCLUDED.reason = 'customer' AND e.reason <> 'customer'
    RETURNING order_id"""
_COLUMNS = """e.order_id, e.order_number, e.reason, e.asked_by, e.asked_at, e.photos, e.pages, e.files,
    e.bytes, e.deleted_at, e.erased_at, e.attempts, e.last_error"""
_ONE = f"SELECT {_COLUMNS} FROM erasures e WHERE e.order_id = :order_id"
_LOCK = f"{_ONE} FOR UPDATE"
_LATEST = f"""SELECT {_COLUMNS} FROM erasures e WHERE e.order_number = :order_number
    ORDER BY e.order_id DESC LIMIT 1"""
_COUNTED = """UPDATE erasures SET files = CAST(:files AS integer), bytes = CAST(:bytes AS bigint)
    WHERE order_id = :order_id AND files IS NULL"""
_A_WEEK_AGO = "clock_timestamp() - interval '7 days'"
_CONTENTS = f"""SELECT order_number, shopify_id, updated_at > {_A_WEEK_AGO} AS is_recent
    FROM orders WHERE id = :order_id"""
_FILES = f"""SELECT x.kind, x.path, COALESCE(x.changed_at > {_A_WEEK_AGO}, false) AS is_recent
    FROM line_items l JOIN images i ON i.line_item_id = l.id
    CROSS JOIN LATERAL (
        SELECT 'photo' AS kind, i.path, GREATEST(i.downloaded_at, i.claimed_until) AS changed_at
        UNION ALL SELECT 'edited_photo', i.edited_photo_path, i.photo_edited_at
        UNION ALL SELECT 'page', c.path, c.updated_at FROM coloring_versions c WHERE c.image_id = i.id
        UNION ALL SELECT 'page', s.path, s.updated_at FROM svg_versions s WHERE s.image_id = i.id) x
    WHERE l.order_id = :order_id
    UNION ALL SELECT 'book', b.path, b.updated_at > {_A_WEEK_AGO} FROM book_versions b
    WHERE b.order_id = :order_id
    UNION ALL SELECT 'unused', u.path, u.unused_since > {_A_WEEK_AGO} FROM unused_files u
    WHERE u.order_id = :order_id"""
_ROWS_DELETED = """UPDATE erasures SET deleted_at = clock_timestamp(), photos = CAST(:photos AS integer),
        pages = CAST(:pages AS integer), is_watched = :is_watched
    WHERE order_id = :order_id"""
_FINAL = """INSERT INTO deleted_shop_orders (shopify_id, is_final)
    SELECT n.id, true FROM unnest(CAST(:ids AS bigint[])) AS n(id)
    ON CONFLICT (shopify_id) DO UPDATE SET is_final = true"""
_FINISHED = """UPDATE erasures SET erased_at = clock_timestamp(), last_error = NULL
    WHERE order_id = :order_id AND erased_at IS NULL RETURNING reason"""
_FAILED = "UPDATE erasures SET last_error = CAST(:error AS text) WHERE order_id = :order_id"
# Exponential backoff: about fifteen checks in seven days.
_SCHEDULE_CHECK = """UPDATE erasures e SET looks = n.looks, next_attempt_at = CASE
        WHEN e.is_watched AND e.deleted_at > clock_timestamp() - interval '7 days' THEN clock_timestamp()
            + make_interval(secs =>
                LEAST(CAST(:recheck_delay AS float8) * 2.0 ^ LEAST(n.looks, 30), 86400)) END
    FROM (SELECT order_id, CASE WHEN CAST(:found AS boolean) IS NULL THEN 0
            WHEN CAST(:found AS boolean) THEN 1 ELSE looks + 1 END AS looks
        FROM erasures WHERE order_id = :order_id) n WHERE e.order_id = n.order_id"""


@dataclass(frozen=True, slots=True)
class Target:
    """An order to erase."""

    order_id: int
    order_number: str


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """The record of one erasure, finished or not; contains no personal data."""

    order_id: int
    order_number: str
    reason: ErasureReason
    asked_by: str | None
    asked_at: datetime
    photos: int | None
    pages: int | None
    files: int | None
    bytes: int | None
    deleted_at: datetime | None
    erased_at: datetime | None
    attempts: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class OrderContents:
    """Contents of an order. ``paths`` are its stored files, relative to the storage root.

    ``is_recent``: changed in the last seven days, so a worker may still be writing.
    """

    order_number: str
    shopify_id: int | None
    photos: int
    pages: int
    paths: list[str]
    is_recent: bool


async def expired(connection: AsyncConnection, *, days: int, batch: int) -> list[Target]:
    """Orders created more than ``days`` times 24 hours ago without an erasure, oldest first."""
    return await _targets(connection, _EXPIRED, hours=days * 24, batch=batch)


async def of_customer(connection: AsyncConnection, email: str) -> list[Target]:
    """All orders with this e-mail, case-insensitive."""
    return await _targets(connection, _OF_CUSTOMER, email=email.strip())


async def of_shop(connection: AsyncConnection, shopify_ids: Sequence[int]) -> list[Target]:
    """Our orders with these ids of the shop."""
    return await _targets(connection, _OF_SHOP, ids=list(shopify_ids))


async def by_number(connection: AsyncConnection, order_number: str) -> Target | None:
    """The order with this number."""
    return next(iter(await _targets(connection, _BY_NUMBER, order_number=order_number)), None)


async def _targets(connection: AsyncConnection, query: str, **values: object) -> list[Target]:
    return [Target(row.id, row.order_number) for row in await execute(connection, query, values)]


async def add(
    connection: AsyncConnection, target: Target, reason: ErasureReason, asked_by: str | None
) -> bool:
    """Add the record of an erasure; ``False`` if there already is one."""
    values = {
        "order_id": target.order_id,
        "order_number": target.order_number,
        "reason": reason,
        "asked_by": asked_by,
    }
    await claims.notify(connection)
    return (await execute(connection, _ADD, values)).first() is not None


async def find(connection: AsyncConnection, order_id: int, *, lock: bool = False) -> ErasureRecord | None:
    """The record of an order's erasure; ``lock`` locks the row until the transaction ends."""
    row = (await execute(connection, _LOCK if lock else _ONE, {"order_id": order_id})).mappings().first()
    return ErasureRecord(**row) if row else None


async def latest(connection: AsyncConnection, order_number: str) -> ErasureRecord | None:
    """The newest record of an order with this number."""
    row = (await execute(connection, _LATEST, {"order_number": order_number})).mappings().first()
    return ErasureRecord(**row) if row else None


async def save_count(connection: AsyncConnection, order_id: int, *, files: int, size: int) -> None:
    """Store the number of files and bytes, unless already stored."""
    await execute(connection, _COUNTED, {"order_id": order_id, "files": files, "bytes": size})


async def contents(connection: AsyncConnection, order_id: int) -> OrderContents | None:
    """Contents of an order; ``None`` if its row is deleted."""
    head = (await execute(connection, _CONTENTS, {"order_id": order_id})).first()
    if head is None:
        return None
    rows = (await execute(connection, _FILES, {"order_id": order_id})).all()
    stored = [row for row in rows if row.path is not None]
    return OrderContents(
        order_number=head.order_number,
        shopify_id=head.shopify_id,
        photos=sum(row.kind == "photo" for row in stored),
        pages=sum(row.kind == "page" for row in stored),
        paths=[row.path for row in stored],
        is_recent=head.is_recent or any(row.is_recent for row in rows),
    )


async def mark_rows_deleted(
    connection: AsyncConnection, order_id: int, what: OrderContents | None, *, is_watched: bool
) -> None:
    """Record the deletion of the order's rows, and their counts."""
    values = {
        "order_id": order_id,
        "photos": what.photos if what else None,
        "pages": what.pages if what else None,
        "is_watched": is_watched,
    }
    await execute(connection, _ROWS_DELETED, values)


async def suppress(connection: AsyncConnection, shopify_ids: Sequence[int]) -> None:
    """Block these orders of the shop from being imported again."""
    await execute(connection, _FINAL, {"ids": list(shopify_ids)})


async def finish(connection: AsyncConnection, order_id: int) -> ErasureReason | None:
    """Mark the erasure as finished; returns its reason, ``None`` if it already was."""
    found: ErasureReason | None = (await execute(connection, _FINISHED, {"order_id": order_id})).scalar()
    return found


async def save_failure(connection: AsyncConnection, order_id: int, error: str) -> None:
    """Store why an attempt outside the worker failed."""
    await execute(connection, _FAILED, {"order_id": order_id, "error": error})


async def schedule_check(
    connection: AsyncConnection, order_id: int, *, recheck_delay: float, found: bool | None
) -> None:
    """Schedule the next check for files: ``recheck_delay`` s after the erasure, then with backoff.

    ``found``: whether the last check found files, ``None`` before the first. Checks end after seven days.
    """
    values = {"order_id": order_id, "recheck_delay": recheck_delay, "found": found}
    await execute(connection, _SCHEDULE_CHECK, values)
