"""Query for the files of an export."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.errors import FileMissingError
from pastelka_orders.repository.images import IS_WANTED, PHOTO_PATH
from pastelka_orders.repository.sql import execute

What = Literal["coloring", "svg", "photos"]
"""The chosen pages, the chosen SVGs, or all stored photos."""

_SOURCES: dict[What, tuple[str, str, str]] = {
    "coloring": ("v.path", "JOIN coloring_versions v ON v.id = i.selected_coloring_id", ""),
    "svg": ("v.path", "JOIN svg_versions v ON v.id = i.selected_svg_id", ""),
    "photos": (PHOTO_PATH, "", "AND i.path IS NOT NULL"),
}
_QUERIES = {
    what: f"""SELECT l.position AS item, i.position, {path} AS path,
            (SELECT count(*) FROM line_items x WHERE x.order_id = o.id) AS items
        FROM orders o JOIN line_items l ON l.order_id = o.id JOIN images i ON i.line_item_id = l.id {join}
        WHERE o.order_number = :order_number AND {IS_WANTED} {condition}
        ORDER BY l.position, l.id, i.position, i.id"""
    for what, (path, join, condition) in _SOURCES.items()
}


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file: its path in the storage, and its label.

    ``label`` is its position, or ``<line item>-<position>`` if the order has several line items.
    """

    path: str
    label: str


async def files(connection: AsyncConnection, order_number: str, what: What) -> list[ExportedFile]:
    """The files in the order of the pages.

    Raises ``FileMissingError`` if a chosen one is being regenerated because its file was lost.
    """
    rows = await execute(connection, _QUERIES[what], {"order_number": order_number})
    return [_exported(row) for row in rows]


def _exported(row: Any) -> ExportedFile:
    label = str(row.position) if row.items == 1 else f"{row.item}-{row.position}"
    if row.path is None:
        raise FileMissingError(label)
    return ExportedFile(row.path, label)
