"""Queries for backup records and for reconciling a restored database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.statuses import StatusType
from pastelka_orders.repository.sql import execute
from pastelka_orders.repository.versions import TABLES

MANUAL_NUMBERS = "manual_order_number_seq"
_WITH_IDS = ("orders", "line_items", "images", *TABLES.values())

_ERASURES = "SELECT order_id, order_number, reason, asked_by, asked_at FROM erasures ORDER BY order_id"
_SUPPRESSED = "SELECT shopify_id FROM deleted_shop_orders WHERE is_final ORDER BY shopify_id"
_USERS = "SELECT name_key FROM users WHERE disabled_at IS NULL ORDER BY name_key"
_TOKENS = "SELECT id FROM api_tokens WHERE revoked_at IS NULL ORDER BY id"
_OTHERS = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
_LAST = "SELECT COALESCE(pg_sequence_last_value(CAST(CAST(:sequence AS text) AS regclass)), 0)"
_ADVANCE = "SELECT setval(CAST(CAST(:sequence AS text) AS regclass), CAST(:value AS bigint))"
_SEQUENCE_OF = "SELECT pg_get_serial_sequence(CAST(:table AS text), 'id')"
_END_SESSIONS = "WITH gone AS (DELETE FROM sessions RETURNING 1) SELECT count(*) FROM gone"
_DISABLE = """UPDATE users SET disabled_at = clock_timestamp()
    WHERE disabled_at IS NULL AND name_key <> ALL(CAST(:names AS text[])) RETURNING name"""
_REVOKE = """UPDATE api_tokens SET revoked_at = clock_timestamp()
    WHERE revoked_at IS NULL AND id <> ALL(CAST(:ids AS integer[])) RETURNING name"""
_ORDER_NUMBER = "SELECT order_number FROM orders WHERE id = :order_id"
# The rows do not exist, but the storage's backup may contain files, which the erasure deletes.
_GONE = """INSERT INTO erasures (order_id, order_number, reason, asked_by, asked_at, deleted_at)
    VALUES (:order_id, :order_number, :reason, CAST(:asked_by AS text), :asked_at, clock_timestamp())
    ON CONFLICT (order_id) DO NOTHING RETURNING order_id"""
_IDS_OF_ORDERS = """SELECT id FROM orders WHERE id = ANY(CAST(:ids AS bigint[]))
    UNION SELECT order_id FROM erasures WHERE order_id = ANY(CAST(:ids AS bigint[]))"""
_TO_SETTLE = {
    kind: f"""SELECT v.id FROM {table} v WHERE v.id > :after AND v.status <> 'completed'
        ORDER BY v.id LIMIT :page"""
    for kind, table in TABLES.items()
}
_RESUME = {
    kind: f"""UPDATE {table} SET run = :run, attempt = 0, step = 0, status = 'pending', retry = NULL,
            provider_job_id = :provider_job_id, updated_at = clock_timestamp() WHERE id = :id"""
    for kind, table in TABLES.items()
}
_RETRY_AS = {
    kind: f"UPDATE {table} SET run = :run, attempt = 0, step = 0 WHERE id = :id"
    for kind, table in TABLES.items()
}


async def erasures(connection: AsyncConnection) -> list[Mapping[str, Any]]:
    """All records of erasures, finished or not."""
    return [dict(row) for row in (await execute(connection, _ERASURES)).mappings()]


async def suppressed(connection: AsyncConnection) -> list[int]:
    """Orders of the shop that must never be imported again."""
    return [row.shopify_id for row in await execute(connection, _SUPPRESSED)]


async def ids(connection: AsyncConnection) -> dict[str, int]:
    """The last value of each sequence, by its table (or its own name)."""
    return {name: await _last(connection, name) for name in (*_WITH_IDS, MANUAL_NUMBERS)}


async def active_users(connection: AsyncConnection) -> list[str]:
    """Name keys of users that may sign in."""
    return [row.name_key for row in await execute(connection, _USERS)]


async def active_tokens(connection: AsyncConnection) -> list[int]:
    """Ids of API tokens that are not revoked."""
    return [row.id for row in await execute(connection, _TOKENS)]


async def count_other_connections(connection: AsyncConnection) -> int:
    """Number of other connections to the database."""
    return int((await execute(connection, _OTHERS)).scalar_one())


async def advance(connection: AsyncConnection, name: str, value: int) -> None:
    """Set a sequence to continue after ``value``."""
    await execute(connection, _ADVANCE, {"sequence": await _sequence(connection, name), "value": value})


async def end_sessions(connection: AsyncConnection) -> int:
    """Delete all sessions; returns their number."""
    return int((await execute(connection, _END_SESSIONS)).scalar_one())


async def disable_users_but(connection: AsyncConnection, names: Sequence[str]) -> list[str]:
    """Disable all users but these (name keys); returns the newly disabled names."""
    return [row.name for row in await execute(connection, _DISABLE, {"names": list(names)})]


async def revoke_tokens_but(connection: AsyncConnection, good: Sequence[int]) -> list[str]:
    """Revoke all tokens but these (ids); returns the newly revoked names."""
    return [row.name for row in await execute(connection, _REVOKE, {"ids": list(good)})]


async def order_number(connection: AsyncConnection, order_id: int) -> str | None:
    """The number of an existing order."""
    found: str | None = (await execute(connection, _ORDER_NUMBER, {"order_id": order_id})).scalar()
    return found


async def add_erasure_without_rows(connection: AsyncConnection, values: Mapping[str, Any]) -> bool:
    """Add the erasure of an order without rows, to delete its files; ``False`` if it exists."""
    return (await execute(connection, _GONE, dict(values))).first() is not None


async def known_orders(connection: AsyncConnection, order_ids: Sequence[int]) -> set[int]:
    """Those of these ids that have an order or an erasure."""
    rows = await execute(connection, _IDS_OF_ORDERS, {"ids": list(order_ids)})
    return {row.id for row in rows}


async def unfinished(connection: AsyncConnection, kind: StatusType, *, after: int, page: int) -> list[int]:
    """Ids above ``after`` of versions that are active or failed."""
    rows = await execute(connection, _TO_SETTLE[kind], {"after": after, "page": page})
    return [row.id for row in rows]


async def resume(
    connection: AsyncConnection, kind: StatusType, version_id: int, *, run: int, provider_job_id: str
) -> None:
    """Resume a locked active version with a later run that the provider has."""
    values = {"id": version_id, "run": run, "provider_job_id": provider_job_id}
    await execute(connection, _RESUME[kind], values)


async def set_run(connection: AsyncConnection, kind: StatusType, version_id: int, run: int) -> None:
    """Make the next retry of a locked failed version start at run ``run``."""
    await execute(connection, _RETRY_AS[kind], {"id": version_id, "run": run - 1})


async def _last(connection: AsyncConnection, name: str) -> int:
    sequence = await _sequence(connection, name)
    return int((await execute(connection, _LAST, {"sequence": sequence})).scalar_one())


async def _sequence(connection: AsyncConnection, name: str) -> str:
    """The sequence of a table's ids; ``name`` if it is a sequence itself."""
    if name == MANUAL_NUMBERS:
        return name
    return str((await execute(connection, _SEQUENCE_OF, {"table": name})).scalar_one())
