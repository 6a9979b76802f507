"""Failed versions of orders that a person may retry together."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository.images import IS_WANTED
from pastelka_orders.repository.sql import execute

_IMAGES = f"""SELECT i.* FROM orders o JOIN line_items l ON l.order_id = o.id
    JOIN images i ON i.line_item_id = l.id
    WHERE o.order_number = ANY(CAST(:order_numbers AS text[])) AND {IS_WANTED} AND i.path IS NOT NULL"""
# As the stage counts an image as failed (revision 039): its newest page failed and none is chosen, or the
# file of the chosen one was lost. A cancelled version has not failed.
_COLORINGS = f"""SELECT f.id FROM (
        SELECT DISTINCT ON (i.id) v.id, v.status, v.error_code
        FROM ({_IMAGES}) i JOIN coloring_versions v ON v.image_id = i.id
        LEFT JOIN coloring_versions chosen ON chosen.id = i.selected_coloring_id
        WHERE COALESCE(v.asked_at > i.photo_replaced_at, true)
            AND COALESCE(chosen.status = 'error', true)
            AND NOT EXISTS (SELECT 1 FROM coloring_versions a WHERE a.image_id = i.id AND a.is_active)
        ORDER BY i.id, (v.id IS NOT DISTINCT FROM i.selected_coloring_id) DESC, v.version DESC) f
    WHERE f.status = 'error' AND f.error_code IS DISTINCT FROM 'cancelled' ORDER BY f.id"""
_SVGS = f"""SELECT f.id FROM (
        SELECT DISTINCT ON (i.id) v.id, v.status, v.error_code
        FROM ({_IMAGES}) i
        JOIN coloring_versions page ON page.id = i.selected_coloring_id AND page.status = 'completed'
        JOIN svg_versions v ON v.image_id = i.id AND v.coloring_version_id = page.id
        LEFT JOIN svg_versions chosen ON chosen.id = i.selected_svg_id
        WHERE COALESCE(chosen.status = 'error', true)
            AND NOT EXISTS (SELECT 1 FROM svg_versions a WHERE a.image_id = i.id AND a.is_active)
        ORDER BY i.id, (v.id IS NOT DISTINCT FROM i.selected_svg_id) DESC, v.version DESC) f
    WHERE f.status = 'error' AND f.error_code IS DISTINCT FROM 'cancelled' ORDER BY f.id"""


@dataclass(frozen=True, slots=True)
class FailedVersions:
    """Ids of failed versions, ascending; at most one of each kind for an image."""

    colorings: list[int]
    svgs: list[int]


async def of_orders(connection: AsyncConnection, order_numbers: Sequence[str]) -> FailedVersions:
    """The failed pages of images that have no page, and the failed SVGs of pages that have no SVG."""
    numbers = {"order_numbers": list(order_numbers)}
    colorings = (await execute(connection, _COLORINGS, numbers)).scalars()
    svgs = (await execute(connection, _SVGS, numbers)).scalars()
    return FailedVersions(list(colorings), list(svgs))
