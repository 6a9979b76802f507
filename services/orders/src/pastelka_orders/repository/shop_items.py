"""Queries on line items and photos of the shop's orders; each handles a whole order."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.domain.photo_plan import Place, StoredPhotoState
from pastelka_orders.domain.shop_orders import ShopItem
from pastelka_orders.repository import claims
from pastelka_orders.repository.claims import DUE_NOW
from pastelka_orders.repository.images import FILE_PLACE
from pastelka_orders.repository.sql import execute

# The shop's values of edited fields are stored separately; items removed by the shop are removed.
_SHOP_VALUES = """(SELECT jsonb_object_agg(n.key, n.value) FROM jsonb_each(jsonb_build_object(
        'title', EXCLUDED.title, 'quantity', EXCLUDED.quantity, 'dedication', EXCLUDED.dedication,
        'layout', EXCLUDED.layout)) n
    WHERE jsonb_exists(l.shop_values, n.key) AND NOT (n.key = 'quantity' AND EXCLUDED.quantity = 0))"""
# A field that a removal gave back to the shop is no longer one that the shop changed.
_CHANGED_FIELDS = f"""ARRAY(SELECT n.key FROM jsonb_each({_SHOP_VALUES}) n
    WHERE n.key = ANY(l.shop_changed_fields) OR l.shop_values->n.key IS DISTINCT FROM n.value)"""
_OF_SHOP = """CASE WHEN jsonb_exists(l.shop_values, 'title') THEN l.shop_values->>'title' ELSE l.title END,
    CASE WHEN jsonb_exists(l.shop_values, 'quantity')
        THEN CAST(l.shop_values->>'quantity' AS integer) ELSE l.quantity END,
    CASE WHEN jsonb_exists(l.shop_values, 'dedication')
        THEN l.shop_values->>'dedication' ELSE l.dedication END,
    CASE WHEN jsonb_exists(l.shop_values, 'layout') THEN l.shop_values->>'layout' ELSE l.layout END"""
# Positions stay: only the shop's id identifies an item.
_ITEMS = f"""INSERT INTO line_items AS l
        (order_id, position, shopify_line_item_id, title, quantity, dedication, layout)
    SELECT :order_id,
        n.place + COALESCE((SELECT max(position) FROM line_items WHERE order_id = :order_id), 0),
        n.shopify_id, n.title, n.quantity, n.dedication, n.layout
    FROM unnest(CAST(:ids AS bigint[]), CAST(:titles AS text[]), CAST(:quantities AS integer[]),
        CAST(:dedications AS text[]), CAST(:layouts AS text[])) WITH ORDINALITY
        AS n(shopify_id, title, quantity, dedication, layout, place)
    ON CONFLICT (order_id, shopify_line_item_id) DO UPDATE SET
        title = CASE WHEN jsonb_exists(l.shop_values, 'title') THEN l.title ELSE EXCLUDED.title END,
        quantity = CASE WHEN jsonb_exists(l.shop_values, 'quantity') AND EXCLUDED.quantity > 0
            THEN l.quantity ELSE EXCLUDED.quantity END,
        dedication = CASE WHEN jsonb_exists(l.shop_values, 'dedication')
            THEN l.dedication ELSE EXCLUDED.dedication END,
        layout = CASE WHEN jsonb_exists(l.shop_values, 'layout') THEN l.layout ELSE EXCLUDED.layout END,
        shop_values = {_SHOP_VALUES},
        shop_changed_at = CASE WHEN {_CHANGED_FIELDS} = '{{}}' THEN NULL
            WHEN l.shop_values IS DISTINCT FROM {_SHOP_VALUES} THEN clock_timestamp()
            ELSE l.shop_changed_at END,
        shop_changed_fields = NULLIF({_CHANGED_FIELDS}, '{{}}')
    WHERE ({_OF_SHOP}) IS DISTINCT FROM
        (EXCLUDED.title, EXCLUDED.quantity, EXCLUDED.dedication, EXCLUDED.layout)
    RETURNING l.id"""
_ITEMS_REMOVED = """UPDATE line_items SET quantity = 0, shop_values = NULLIF(shop_values - 'quantity', '{}'),
        shop_changed_fields = NULLIF(array_remove(shop_changed_fields, 'quantity'), '{}'),
        shop_changed_at = CASE WHEN array_remove(shop_changed_fields, 'quantity') <> '{}'
            THEN shop_changed_at END
    WHERE order_id = :order_id AND quantity <> 0
        AND shopify_line_item_id IS NOT NULL AND shopify_line_item_id <> ALL(CAST(:ids AS bigint[]))
    RETURNING id"""
_ITEM_IDS = "SELECT id, shopify_line_item_id FROM line_items WHERE order_id = :order_id"
# The shop knows a photo by the place where it was first, wherever an operator moved it.
_PHOTOS = f"""SELECT i.id, {FILE_PLACE}, i.original_url, i.path IS NOT NULL AS is_stored,
        i.download_error_code IS NOT NULL AS has_failed
    FROM images i JOIN line_items l ON l.id = i.line_item_id WHERE l.order_id = :order_id
    ORDER BY i.id FOR NO KEY UPDATE OF i"""
# Where an operator moved or added another photo to a place, a new one comes last.
_ADD_PHOTOS = """WITH n AS (SELECT * FROM unnest(CAST(:items AS integer[]), CAST(:positions AS integer[]),
            CAST(:urls AS text[])) AS n(line_item_id, position, url))
    INSERT INTO images (line_item_id, position, file_line_item_id, file_position, original_url)
    SELECT n.line_item_id, CASE WHEN EXISTS (SELECT 1 FROM images i
            WHERE i.line_item_id = n.line_item_id AND i.position = n.position)
        THEN GREATEST((SELECT max(i.position) FROM images i WHERE i.line_item_id = n.line_item_id),
            max(n.position) OVER (PARTITION BY n.line_item_id))
            + row_number() OVER (PARTITION BY n.line_item_id ORDER BY n.position)
        ELSE n.position END, n.line_item_id, n.position, n.url
    FROM n ORDER BY n.line_item_id, n.position"""
_LOCK_ORDER = "SELECT 1 FROM orders WHERE id = :order_id FOR NO KEY UPDATE"
_OVERRIDES = """SELECT p.line_item_id, p.position, p.url FROM photo_overrides p
    JOIN line_items l ON l.id = p.line_item_id WHERE l.order_id = :order_id"""
_SAVE_OVERRIDE = """UPDATE photo_overrides SET url = :url
    WHERE line_item_id = :line_item_id AND position = :position"""
# Versions of the previous photo stay but are no longer chosen.
_REPLACE_PHOTOS = f"""UPDATE images i SET original_url = n.url,
        photo_version = GREATEST(i.photo_version, COALESCE(i.last_photo_version, 0)) + 1,
        photo_replaced_at = clock_timestamp(), path = NULL, width = NULL, height = NULL,
        downloaded_at = NULL, download_error_code = NULL, download_error_message = NULL,
        selected_coloring_id = NULL, selected_svg_id = NULL,
        coloring_chosen_at = NULL, svg_chosen_at = NULL,
        approved_at = NULL, approved_by = NULL, rework_reason = NULL, {DUE_NOW}
    FROM unnest(CAST(:ids AS integer[]), CAST(:urls AS text[])) AS n(id, url) WHERE i.id = n.id"""
_AWAIT_PHOTOS = f"""UPDATE images SET download_error_code = NULL, download_error_message = NULL, {DUE_NOW}
    WHERE id = ANY(CAST(:ids AS integer[]))"""
_DROP_PHOTOS = """DELETE FROM images i WHERE id = ANY(CAST(:ids AS integer[]))
        AND NOT EXISTS (SELECT 1 FROM coloring_versions c WHERE c.image_id = i.id)"""


async def upsert_items(connection: AsyncConnection, order_id: int, items: Sequence[ShopItem]) -> bool:
    """Insert and update line items; those that the shop no longer has get quantity 0.

    Returns whether anything changed.
    """
    items = list({item.shopify_id: item for item in items}.values())
    ids = [item.shopify_id for item in items]
    changed = await execute(
        connection,
        _ITEMS,
        {
            "order_id": order_id,
            "ids": ids,
            "titles": [item.title for item in items],
            "quantities": [item.quantity for item in items],
            "dedications": [item.dedication for item in items],
            "layouts": [item.layout for item in items],
        },
    )
    removed = await execute(connection, _ITEMS_REMOVED, {"order_id": order_id, "ids": ids})
    return bool(changed.all()) | bool(removed.all())


async def item_ids(connection: AsyncConnection, order_id: int) -> dict[int, int]:
    """Our ids of the order's line items, by the shop's id."""
    rows = await execute(connection, _ITEM_IDS, {"order_id": order_id})
    return {row.shopify_line_item_id: row.id for row in rows}


async def lock_photos(connection: AsyncConnection, order_id: int) -> list[StoredPhotoState]:
    """Lock the order's photos."""
    rows = await execute(connection, _PHOTOS, {"order_id": order_id})
    return [
        StoredPhotoState(
            row.id,
            (row.file_line_item_id, row.file_position),
            row.original_url,
            row.is_stored,
            row.has_failed,
        )
        for row in rows
    ]


async def overrides(connection: AsyncConnection, order_id: int) -> dict[Place, str | None]:
    """The shop's photos that an operator deleted or replaced: URLs as last seen, by place."""
    rows = await execute(connection, _OVERRIDES, {"order_id": order_id})
    return {(row.line_item_id, row.position): row.url for row in rows}


async def save_overrides(connection: AsyncConnection, changed: Mapping[Place, str]) -> None:
    """The shop has another photo now at places that an operator changed."""
    for (line_item_id, position), url in changed.items():
        values = {"line_item_id": line_item_id, "position": position, "url": url}
        await execute(connection, _SAVE_OVERRIDE, values)


async def add_photos(connection: AsyncConnection, order_id: int, photos: Mapping[Place, str]) -> None:
    """Add photos to download: URLs by place. Locks the order, so that positions stay unique."""
    if not photos:
        return
    await execute(connection, _LOCK_ORDER, {"order_id": order_id})
    values = {
        "items": [item for item, _ in photos],
        "positions": [position for _, position in photos],
        "urls": list(photos.values()),
    }
    await execute(connection, _ADD_PHOTOS, values)
    await claims.notify(connection)


async def replace_photos(connection: AsyncConnection, photos: Mapping[int, str]) -> None:
    """Replace photos by others to download: URLs by image."""
    if photos:
        await execute(connection, _REPLACE_PHOTOS, {"ids": list(photos), "urls": list(photos.values())})
        await claims.notify(connection)


async def await_photos(connection: AsyncConnection, image_ids: Sequence[int]) -> None:
    """Clear the errors of these photos, and download them again."""
    if image_ids:
        await execute(connection, _AWAIT_PHOTOS, {"ids": list(image_ids)})
        await claims.notify(connection)


async def drop_photos(connection: AsyncConnection, image_ids: Sequence[int]) -> None:
    """Delete photos that the shop no longer has and that were never stored."""
    if image_ids:
        await execute(connection, _DROP_PHOTOS, {"ids": list(image_ids)})
