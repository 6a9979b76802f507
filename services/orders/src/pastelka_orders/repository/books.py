"""Query for the content of an order's books."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.images import PHOTO_PATH
from pastelka_orders.repository.sql import execute

_CONTENTS = f"""SELECT o.id AS order_id, o.order_number, o.customer_name,
        o.cancelled_at IS NOT NULL AS is_cancelled,
        l.id AS line_item_id, l.position AS item, l.title, l.quantity, l.dedication, l.layout,
        l.shop_changed_at,
        i.id AS image_id, i.position, {PHOTO_PATH} AS photo_path, i.photo_replaced_at,
        c.edited_photo_path IS DISTINCT FROM i.edited_photo_path AS is_of_other_edit,
        c.id AS coloring_id, c.path AS coloring_path, c.asked_at AS coloring_asked_at,
        s.coloring_version_id AS svg_of, s.path AS svg_path,
        n.id AS newest_id, n.status::text AS newest_status, n.is_active AS newest_is_active,
        n.error_code AS newest_error_code, d.asked_at AS completed_asked_at
    FROM orders o LEFT JOIN line_items l ON l.order_id = o.id LEFT JOIN images i ON i.line_item_id = l.id
    LEFT JOIN coloring_versions c ON c.id = i.selected_coloring_id
    LEFT JOIN svg_versions s ON s.id = i.selected_svg_id AND s.status = 'completed'
    LEFT JOIN LATERAL (SELECT v.id, v.status, v.is_active, v.error_code FROM coloring_versions v
        WHERE v.image_id = i.id ORDER BY v.version DESC LIMIT 1) n ON true
    LEFT JOIN LATERAL (SELECT v.asked_at FROM coloring_versions v
        WHERE v.image_id = i.id AND v.status = 'completed' ORDER BY v.version DESC LIMIT 1) d ON true
    WHERE o.order_number = :order_number ORDER BY l.position, l.id, i.position, i.id"""


@dataclass(frozen=True, slots=True)
class PageContent:
    """One photo with its chosen versions. ``label`` is its position, as in the names of exported files."""

    image_id: int
    label: str
    photo_path: str | None
    photo_replaced_at: datetime | None
    coloring_id: int | None
    coloring_path: str | None
    coloring_asked_at: datetime | None
    svg_of: int | None
    svg_path: str | None
    newest_status: str | None
    newest_is_active: bool
    newest_id: int | None = None
    newest_error_code: str | None = None
    is_of_other_edit: bool = False
    """The chosen page was made from the photo as it was edited at another time."""
    completed_asked_at: datetime | None = None
    """When the newest completed page was requested, chosen or not."""

    @property
    def is_older_than_photo(self) -> bool:
        """Whether the photo was replaced after the page was requested.

        The page is the chosen one, otherwise the newest completed: replacing a photo clears the selection.
        """
        asked_at = self.coloring_asked_at or self.completed_asked_at
        return (
            self.photo_replaced_at is not None and asked_at is not None and asked_at < self.photo_replaced_at
        )

    @property
    def has_newer(self) -> bool:
        """Whether the chosen page is not the newest version."""
        return self.newest_id is not None and self.newest_id != self.coloring_id

    @property
    def has_fitting_svg(self) -> bool:
        """Whether the chosen SVG was made from the chosen page."""
        return self.svg_path is not None and self.svg_of == self.coloring_id

    @property
    def art_path(self) -> str | None:
        """Path of the file to print: the chosen page's SVG, or its bitmap."""
        return self.svg_path if self.has_fitting_svg else self.coloring_path


@dataclass(frozen=True, slots=True)
class ItemContent:
    """One line item."""

    line_item_id: int
    position: int
    title: str
    quantity: int
    dedication: str | None
    layout: str | None
    pages: list[PageContent]
    shop_changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderContent:
    """An order with all its line items, including removed ones."""

    order_id: int
    order_number: str
    customer_name: str | None
    is_cancelled: bool
    items: list[ItemContent]

    @property
    def wanted(self) -> list[ItemContent]:
        """The line items to deliver (:data:`pastelka_orders.repository.images.IS_WANTED`)."""
        return [] if self.is_cancelled else [item for item in self.items if item.quantity > 0]


async def contents(connection: AsyncConnection, order_number: str) -> OrderContent | None:
    """Content of an order's books; ``None`` if there is no such order."""
    rows = (await execute(connection, _CONTENTS, {"order_number": order_number})).all()
    if not rows:
        return None
    head = rows[0]
    filled = [row for row in rows if row.line_item_id is not None]
    groups = [list(group) for _, group in groupby(filled, key=lambda row: row.line_item_id)]
    items = [_item(group, has_siblings=len(groups) > 1) for group in groups]
    return OrderContent(head.order_id, head.order_number, head.customer_name, head.is_cancelled, items)


def _item(rows: Sequence[Any], *, has_siblings: bool) -> ItemContent:
    head = rows[0]
    pages = [_page(row, has_siblings=has_siblings) for row in rows if row.image_id is not None]
    return ItemContent(
        head.line_item_id,
        head.item,
        head.title,
        head.quantity,
        head.dedication,
        head.layout,
        pages,
        head.shop_changed_at,
    )


def _page(row: Any, *, has_siblings: bool) -> PageContent:
    return PageContent(
        image_id=row.image_id,
        label=f"{row.item}-{row.position}" if has_siblings else str(row.position),
        photo_path=row.photo_path,
        photo_replaced_at=row.photo_replaced_at,
        coloring_id=row.coloring_id,
        coloring_path=row.coloring_path,
        coloring_asked_at=row.coloring_asked_at,
        svg_of=row.svg_of,
        svg_path=row.svg_path,
        newest_status=row.newest_status,
        newest_is_active=bool(row.newest_is_active),
        newest_id=row.newest_id,
        newest_error_code=row.newest_error_code,
        is_of_other_edit=row.coloring_id is not None and row.is_of_other_edit,
        completed_asked_at=row.completed_asked_at,
    )
