import { client, unwrap } from "@/api/client";
import type {
  ColoringOptions,
  ColoringVersion,
  Order,
  OrderImage,
  OrderListItem,
  OrderPage,
  Stage,
  SvgVersion,
} from "@/types";
import type { components } from "@/api/schema";

export type StageCounts = components["schemas"]["StageCountsResponse"]["counts"];
export type OrderNotes = Partial<components["schemas"]["OrderPatch"]>;
export type SvgRequest = components["schemas"]["SvgOptions"];

/** The generated type calls every option with a default required. */
type ColoringBody = components["schemas"]["ColoringOptions"];

export type Presets = components["schemas"]["PresetsResponse"];
export type Estimate = components["schemas"]["EstimateResponse"];
export type PaidAction = components["schemas"]["EstimateRequest"]["action"];
export type SystemState = components["schemas"]["SystemResponse"];
export type DeadLetter = components["schemas"]["DeadLetterResponse"];

export interface OrderFilter {
  q: string;
  stage: Stage | null;
}

const PAGE_SIZE = 100;
const ROW_CANDIDATES = 10;

/** One page of orders (keyset pagination), newest first; `cursor` is the previous page's `next_cursor`. */
export function fetchOrders(
  filter: OrderFilter,
  cursor: string | null,
  signal?: AbortSignal,
  limit = PAGE_SIZE,
): Promise<OrderPage> {
  const query = {
    limit,
    ...(filter.q && { q: filter.q }),
    ...(filter.stage && { stage: filter.stage }),
    ...(cursor && { cursor }),
  };
  return unwrap(client.GET("/api/v1/orders", { params: { query }, signal: signal ?? null }));
}

/** The row of one order in the list; null if the order does not exist. */
export async function fetchOrderRow(orderNumber: string): Promise<OrderListItem | null> {
  const found = await fetchOrders({ q: orderNumber, stage: null }, null, undefined, ROW_CANDIDATES);
  const row = found.items.find((item) => item.order_number === orderNumber);
  if (row || found.next_cursor === null) return row ?? null;
  // Too many order numbers have this prefix: build the row from the order itself.
  return rowOf(await fetchOrder(orderNumber));
}

function rowOf({ line_items, ...head }: Order): OrderListItem {
  const images = line_items.flatMap((item) => item.images);
  const count = (kind: "coloring" | "svg") =>
    images.filter((image) => image.versions[kind].some((version) => version.status === "completed")).length;
  return {
    ...head,
    item_count: line_items.filter((item) => !item.removed).length,
    image_count: images.length,
    coloring_completed: count("coloring"),
    svg_completed: count("svg"),
    thumbnails: images.flatMap((image) => image.url ?? []).slice(0, 4),
  };
}

/** One order with its items, images and versions. */
export function fetchOrder(orderNumber: string, signal?: AbortSignal): Promise<Order> {
  const params = { path: { order_number: orderNumber } };
  return unwrap(client.GET("/api/v1/orders/{order_number}", { params, signal: signal ?? null }));
}

/** Fetch single image data (for Mercure image_status handling). */
export async function fetchImage(orderNumber: string, imageId: number): Promise<OrderImage> {
  const params = { path: { order_number: orderNumber, image_id: imageId } };
  return unwrap(client.GET("/api/v1/orders/{order_number}/images/{image_id}", { params }));
}

/** Start fetching the orders of the last 30 days from the shop. */
export function fetchFromShop(): Promise<unknown> {
  return unwrap(client.POST("/api/v1/orders/fetch-from-shopify"));
}

/** Start refetching one order from the shop. */
export function syncOrder(orderNumber: string): Promise<unknown> {
  const params = { path: { order_number: orderNumber } };
  return unwrap(client.POST("/api/v1/orders/{order_number}/sync", { params }));
}

export function deleteOrder(orderNumber: string): Promise<unknown> {
  const params = { path: { order_number: orderNumber } };
  return unwrap(client.DELETE("/api/v1/orders/{order_number}", { params }));
}

export function fetchPresets(signal?: AbortSignal): Promise<Presets> {
  return unwrap(client.GET("/api/v1/presets", { signal: signal ?? null }));
}

export function generateOrderColoring(
  orderNumber: string,
  options: ColoringOptions,
): Promise<ColoringVersion[]> {
  const params = { path: { order_number: orderNumber } };
  const body = options as ColoringBody;
  return unwrap(client.POST("/api/v1/orders/{order_number}/generate-coloring", { params, body }));
}

export function generateOrderSvg(orderNumber: string, options: SvgRequest): Promise<SvgVersion[]> {
  const params = { path: { order_number: orderNumber } };
  return unwrap(client.POST("/api/v1/orders/{order_number}/generate-svg", { params, body: options }));
}

/** Retry everything in an order that failed. */
export function retryFailed(orderNumber: string): Promise<components["schemas"]["RetriedResponse"]> {
  const params = { path: { order_number: orderNumber } };
  return unwrap(client.POST("/api/v1/orders/{order_number}/retry-failed", { params }));
}

/** Approve every chosen page of an order. */
export function approveOrder(orderNumber: string): Promise<components["schemas"]["ApprovedResponse"]> {
  const params = { path: { order_number: orderNumber } };
  return unwrap(client.POST("/api/v1/orders/{order_number}/approve", { params }));
}

/** What an action would start for these orders, and its cost; starts nothing. */
export function estimateOrders(
  action: PaidAction,
  orderNumbers: readonly string[],
  options: { coloring: ColoringOptions | undefined; svg: SvgRequest },
): Promise<Estimate> {
  const body = {
    order_numbers: [...orderNumbers],
    action,
    ...(action === "coloring" && { coloring_options: options.coloring }),
    ...(action === "svg" && { svg_options: options.svg }),
  } as components["schemas"]["EstimateRequest"];
  return unwrap(client.POST("/api/v1/orders/estimate", { body }));
}

export function generateImageColoring(imageId: number, options: ColoringOptions): Promise<ColoringVersion> {
  const params = { path: { image_id: imageId } };
  const body = options as ColoringBody;
  return unwrap(client.POST("/api/v1/images/{image_id}/generate-coloring", { params, body }));
}

export function generateImageSvg(imageId: number, options: SvgRequest): Promise<SvgVersion> {
  const params = { path: { image_id: imageId } };
  return unwrap(client.POST("/api/v1/images/{image_id}/generate-svg", { params, body: options }));
}

/** Approve a page, which becomes the chosen one; returns the image. */
export function approveImage(imageId: number, versionId: number): Promise<OrderImage> {
  const params = { path: { image_id: imageId } };
  const body = { coloring_version_id: versionId };
  return unwrap(client.POST("/api/v1/images/{image_id}/approve", { params, body }));
}

/** Lift the approval of an image; returns the image. */
export function liftApproval(imageId: number): Promise<OrderImage> {
  const params = { path: { image_id: imageId } };
  return unwrap(client.DELETE("/api/v1/images/{image_id}/approve", { params }));
}

/** Send the chosen page back for a reason; returns the image. */
export function sendBackImage(imageId: number, versionId: number, reason: string): Promise<OrderImage> {
  const params = { path: { image_id: imageId } };
  const body = { reason, coloring_version_id: versionId };
  return unwrap(client.POST("/api/v1/images/{image_id}/rework", { params, body }));
}

/** How many orders have which stage: exact up to 999, 1000 stands for more. */
export async function fetchStageCounts(signal?: AbortSignal): Promise<StageCounts> {
  return (await unwrap(client.GET("/api/v1/orders/stages", { signal: signal ?? null }))).counts;
}

/** Put an order on hold, mark it as printed or shipped, or what needed attention as seen. */
export function changeOrder(orderNumber: string, notes: OrderNotes): Promise<Order> {
  const params = { path: { order_number: orderNumber } };
  const body = notes as components["schemas"]["OrderPatch"];
  return unwrap(client.PATCH("/api/v1/orders/{order_number}", { params, body }));
}

export function selectColoring(imageId: number, versionId: number): Promise<unknown> {
  const params = { path: { image_id: imageId, version_id: versionId } };
  return unwrap(client.POST("/api/v1/images/{image_id}/select-coloring/{version_id}", { params }));
}

export function selectSvg(imageId: number, versionId: number): Promise<unknown> {
  const params = { path: { image_id: imageId, version_id: versionId } };
  return unwrap(client.POST("/api/v1/images/{image_id}/select-svg/{version_id}", { params }));
}

export function retryColoring(versionId: number): Promise<ColoringVersion> {
  const params = { path: { version_id: versionId } };
  return unwrap(client.POST("/api/v1/coloring-versions/{version_id}/retry", { params }));
}

export function retrySvg(versionId: number): Promise<SvgVersion> {
  const params = { path: { version_id: versionId } };
  return unwrap(client.POST("/api/v1/svg-versions/{version_id}/retry", { params }));
}

export function cancelColoring(versionId: number): Promise<ColoringVersion> {
  const params = { path: { version_id: versionId } };
  return unwrap(client.POST("/api/v1/coloring-versions/{version_id}/cancel", { params }));
}

export function cancelSvg(versionId: number): Promise<SvgVersion> {
  const params = { path: { version_id: versionId } };
  return unwrap(client.POST("/api/v1/svg-versions/{version_id}/cancel", { params }));
}

/** The state of the system; values are null if NATS or the database is unavailable. */
export function fetchSystem(signal?: AbortSignal): Promise<SystemState> {
  return unwrap(client.GET("/api/v1/system", { signal: signal ?? null }));
}

/** Requeue a dead letter's job. */
export function requeueDeadLetter(sequence: number): Promise<unknown> {
  const params = { path: { sequence } };
  return unwrap(client.POST("/api/v1/dead-letters/{sequence}/requeue", { params }));
}

export function dismissDeadLetter(sequence: number): Promise<unknown> {
  const params = { path: { sequence } };
  return unwrap(client.DELETE("/api/v1/dead-letters/{sequence}", { params }));
}
