import type { ColoringVersion, Order, OrderImage, SvgVersion } from "../model";

/** A coloring version; completed by default. */
export function page(id: number, change: Partial<ColoringVersion> = {}): ColoringVersion {
  return {
    id,
    version: id,
    url: `http://files/coloring/v${id}/image_1.png`,
    status: "completed",
    options: { megapixels: 1, steps: 4 },
    created_at: "2026-11-23T10:00:00+01:00",
    ...change,
  };
}

/** An SVG version of the page `of`; completed by default. */
export function svg(id: number, of: number, change: Partial<SvgVersion> = {}): SvgVersion {
  return {
    id,
    version: id,
    url: `http://files/svg/v${id}/image_1.svg`,
    status: "completed",
    coloring_version_id: of,
    options: { shape_stacking: "stacked", group_by: "color" },
    created_at: "2026-11-23T10:01:00+01:00",
    ...change,
  };
}

export function image(change: Partial<OrderImage> = {}): OrderImage {
  return {
    id: 7,
    position: 1,
    url: "http://files/image_1.jpg",
    downloaded_at: "2026-11-23T09:59:00+01:00",
    selected_version_ids: { coloring: null, svg: null },
    versions: { coloring: [], svg: [] },
    ...change,
  };
}

export function order(images: OrderImage[]): Order {
  return {
    id: 1,
    order_number: "1270",
    source: "shopify",
    shopify_id: 99,
    customer_name: "Petr Dvořák",
    customer_email: null,
    payment_status: "paid",
    shipping_method: "Zásilkovna",
    status: "ready_for_review",
    stage: "to_review",
    failed: 0,
    in_progress: 0,
    to_review: 1,
    updated_at: "2026-11-23T09:58:00+01:00",
    created_at: "2026-11-23T09:58:00+01:00",
    line_items: [{ id: 3, title: "Omalovánky", quantity: 1, dedication: "Pro Elišku", layout: null, images }],
  };
}
