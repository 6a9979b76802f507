import type { Presets } from "@/lib/api";
import type { Queues } from "@/lib/queues";
import type { Image, Order, OrderHead, OrderListItem } from "@/types";

export function sampleImage(id: number, status: string): Image {
  const version = { id: id * 10, version: 1, url: null, options: { megapixels: 1, steps: 4 } };
  return {
    id,
    position: id,
    url: `/static/images/1/1/image_${id}.jpg`,
    downloaded_at: "2026-01-16T14:30:00+01:00",
    selected_version_ids: { coloring: null, svg: null },
    versions: { coloring: [{ ...version, status, created_at: "2026-01-16T14:31:00+01:00" }], svg: [] },
  };
}

function sampleHead(orderNumber: string, id: number): OrderHead {
  return {
    id,
    order_number: orderNumber,
    source: "shopify",
    shopify_id: id,
    customer_name: "Jana Nováková",
    customer_email: "jana@example.cz",
    payment_status: "PAID",
    shipping_method: null,
    status: "ready_for_review",
    stage: "to_review",
    failed: 0,
    in_progress: 0,
    to_review: 1,
    updated_at: new Date(Date.UTC(2026, 0, 1, 0, id)).toISOString(),
    created_at: new Date(Date.UTC(2026, 0, 1, 0, id)).toISOString(),
  };
}

export function sampleOrder(orderNumber: string, images: Image[]): Order {
  const item = { id: 1, title: "Omalovánky", quantity: 1, dedication: null, layout: null, images };
  return { ...sampleHead(orderNumber, 1), line_items: [item] };
}

/** A row of the list; orders with higher ids are newer. */
export function sampleRow(
  orderNumber: string,
  id: number,
  changes: Partial<OrderListItem> = {},
): OrderListItem {
  const counts = { item_count: 1, image_count: 2, coloring_completed: 1, svg_completed: 0, thumbnails: [] };
  return { ...sampleHead(orderNumber, id), ...counts, ...changes };
}

/** What the API lists where the local provider is active. */
export const PRESETS: Presets = {
  provider: "local",
  options: ["megapixels", "steps", "frame", "background", "line_weight"],
  items: [
    { name: "quick", options: { megapixels: 1, steps: 4 }, seconds: 4.2, cost: null },
    { name: "fine", options: { megapixels: 2, steps: 4 }, seconds: null, cost: null },
    { name: "best", options: { megapixels: 4, steps: 8 }, seconds: null, cost: null },
    {
      name: "toddler",
      options: { megapixels: 1, steps: 1, line_weight: "bold" },
      seconds: null,
      cost: null,
    },
  ],
  svg_cost: null,
  currency: "USD",
};

/** An answer of the API about what would be started. */
export const estimate = (pages: number, svgs: number, cost: string | null = null) => ({
  pages,
  svgs,
  cost,
  currency: "CZK",
});

export const STAGE_COUNTS = { attention: 2, to_review: 1000, shipped: 0 };

/** No queue is paused. */
export const QUEUES: Queues = {
  queues: [
    { kind: "coloring", paused_at: null, paused_by: null },
    { kind: "svg", paused_at: null, paused_by: null },
  ],
};
