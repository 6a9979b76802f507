"""The history of an order, which triggers write (revision 040), and the notes of operators in it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.actors import Actor, current_actor
from pastelka_orders.errors import BadCursorError
from pastelka_orders.repository import cursors
from pastelka_orders.repository.sql import execute

# Local to the transaction, so that a pooler's next client does not act as this one.
_SET_ACTOR = """SELECT set_config('pastelka.actor_kind', :kind, true),
    set_config('pastelka.actor_name', :name, true)"""

# Of the timeline of versions, what ends a run, and what begins another one of the same version.
_ENTRIES = """SELECT h.id, 'order' AS source, h.at, h.actor_kind, NULLIF(h.actor_name, '') AS actor_name,
        h.action, h.line_item_id, h.image_id, h.details
    FROM order_history h WHERE h.order_id = CAST(:order_id AS integer)
    UNION ALL SELECT t.id, 'version', t.committed_at, COALESCE(t.actor_kind, 'system'),
        NULLIF(t.actor_name, ''),
        t.kind || CASE WHEN t.status = 'pending' THEN '_retried' WHEN t.status = 'completed' THEN '_completed'
            WHEN t.error_code = 'cancelled' THEN '_cancelled' ELSE '_failed' END,
        i.line_item_id, i.id, jsonb_strip_nulls(jsonb_build_object('version', COALESCE(c.version, s.version),
            'error_code', NULLIF(t.error_code, 'cancelled')))
    FROM line_items l JOIN images i ON i.line_item_id = l.id JOIN status_changes t ON t.image_id = i.id
    LEFT JOIN coloring_versions c ON t.kind = 'coloring' AND c.id = t.version_id
    LEFT JOIN svg_versions s ON t.kind = 'svg' AND s.id = t.version_id
    WHERE l.order_id = CAST(:order_id AS integer)
        AND (t.status IN ('completed', 'error') OR (t.status = 'pending' AND t.run > 1))"""
_PAGE = f"""SELECT e.*, p.position FROM ({_ENTRIES}) e LEFT JOIN images p ON p.id = e.image_id
    WHERE (NOT CAST(:notes AS boolean) OR e.action = 'note')
        AND (CAST(:at AS timestamptz) IS NULL OR (e.at, e.source, e.id) < (:at, :source, :id))
    ORDER BY e.at DESC, e.source DESC, e.id DESC LIMIT :limit"""
_FIND_ORDER = "SELECT id FROM orders WHERE order_number = :order_number"
_ADD_NOTE = """INSERT INTO order_history (order_id, action, details)
    SELECT id, 'note', jsonb_build_object('text', CAST(:text AS text))
    FROM orders WHERE order_number = :order_number RETURNING id, order_id"""
_NOTE = f"SELECT e.*, NULL AS position FROM ({_ENTRIES}) e WHERE e.source = 'order' AND e.id = :id"
_DELETE_NOTE = """WITH gone AS (DELETE FROM order_history h USING orders o
        WHERE o.order_number = :order_number AND h.order_id = o.id AND h.id = :id AND h.action = 'note'
        RETURNING h.order_id, h.actor_name)
    SELECT record_history(order_id, 'note_deleted',
        jsonb_strip_nulls(jsonb_build_object('author', NULLIF(actor_name, '')))) FROM gone"""


async def set_actor(connection: AsyncConnection, actor: Actor | None = None) -> None:
    """Record ``actor``, by default the current one, as the author of what the transaction changes."""
    actor = actor or current_actor()
    if actor is not None:
        await execute(connection, _SET_ACTOR, {"kind": actor.kind, "name": actor.name})


async def page(
    connection: AsyncConnection, order_number: str, *, limit: int, cursor: str | None, notes: bool
) -> tuple[Sequence[RowMapping], str | None] | None:
    """Entries, newest first, and the next page's cursor; ``None`` if there is no such order.

    ``notes``: only these. Raises ``BadCursorError``.
    """
    after = _read_cursor(cursor) if cursor is not None else {"at": None, "source": "", "id": 0}
    order_id = (await execute(connection, _FIND_ORDER, {"order_number": order_number})).scalar()
    if order_id is None:
        return None
    values = {"order_id": order_id, "limit": limit + 1, "notes": notes, **after}
    rows = (await execute(connection, _PAGE, values)).mappings().all()
    last = rows[limit - 1] if len(rows) > limit else None
    return rows[:limit], cursors.encode(last["at"], last["source"], last["id"]) if last else None


async def add_note(connection: AsyncConnection, order_number: str, text: str) -> RowMapping | None:
    """Add a note of the current actor; returns its entry, ``None`` if there is no such order."""
    added = (await execute(connection, _ADD_NOTE, {"order_number": order_number, "text": text})).first()
    if added is None:
        return None
    values = {"order_id": added.order_id, "id": added.id}
    return (await execute(connection, _NOTE, values)).mappings().one()


async def delete_note(connection: AsyncConnection, order_number: str, note_id: int) -> bool:
    """Delete a note, and record that; ``False`` if the order has no such note."""
    values = {"order_number": order_number, "id": note_id}
    return (await execute(connection, _DELETE_NOTE, values)).first() is not None


def _read_cursor(cursor: str) -> dict[str, Any]:
    moment, rest = cursors.decode(cursor)
    match rest:
        case ["order" | "version" as source, int(entry_id)] if 0 <= entry_id < 2**63:
            return {"at": moment, "source": source, "id": entry_id}
    raise BadCursorError
