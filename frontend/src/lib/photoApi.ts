/** Requests about the set of an order's photos and line items. */
import type { components } from "@/api/schema";
import { ApiError, client, refusal, unwrap } from "@/api/client";
import type { Order, OrderImage } from "@/types";
import type { LineItemState, ReadLineItem } from "./bookApi";
import type { ColoringOptions } from "./options";

type ManualOrder = components["schemas"]["ManualOrderRequest"];
export type PhotoState = components["schemas"]["PhotoState"];

/** A photo as it was read; `etag` makes a change of it fail with 412 if it was changed meanwhile. */
export interface ReadPhoto {
  state: PhotoState;
  etag: string;
}

/** What happens to a photo once it is stored. */
export interface Processing {
  process: "none" | "coloring" | "svg";
  /** Of the page; undefined: the API's. */
  coloring: ColoringOptions | undefined;
}

/** Create a manual order without photos; a repeated request with the same key creates no other. */
export function createEmptyOrder(order: Partial<ManualOrder>, key: string): Promise<Order> {
  const params = { header: { "idempotency-key": key } };
  return unwrap(client.POST("/api/v1/orders/manual", { params, body: order as ManualOrder }));
}

export async function fetchPhoto(imageId: number): Promise<ReadPhoto> {
  const answer = client.GET("/api/v1/images/{image_id}/photo", { params: { path: { image_id: imageId } } });
  const state = await unwrap(answer);
  return { state, etag: (await answer).response.headers.get("ETag") ?? "*" };
}

/** Move a photo to a place (from 1) of a line item of its order. */
export function movePhoto(imageId: number, lineItemId: number, position: number): Promise<PhotoState> {
  const params = { path: { image_id: imageId } };
  const body = { line_item_id: lineItemId, position };
  return unwrap(client.PATCH("/api/v1/images/{image_id}/photo", { params, body }));
}

export function deletePhoto({ state, etag }: ReadPhoto): Promise<unknown> {
  const params = { path: { image_id: state.image_id }, header: { "if-match": etag } };
  return unwrap(client.DELETE("/api/v1/images/{image_id}/photo", { params }));
}

export function addLineItem(orderNumber: string): Promise<LineItemState> {
  const params = { path: { order_number: orderNumber } };
  return unwrap(client.POST("/api/v1/orders/{order_number}/line-items", { params }));
}

export function deleteLineItem(orderNumber: string, { state, etag }: ReadLineItem): Promise<unknown> {
  const params = { path: { order_number: orderNumber, item_id: state.id }, header: { "if-match": etag } };
  return unwrap(client.DELETE("/api/v1/orders/{order_number}/line-items/{item_id}", { params }));
}

/** Where a file is sent. */
export interface PhotoRequest {
  method: "POST" | "PUT";
  url: string;
  headers: Record<string, string>;
}

/** The request that adds a photo; `position` keeps the order of photos that are sent at once. */
export function additionRequest(
  orderNumber: string,
  lineItemId: number,
  position: number,
  { process, coloring }: Processing,
): PhotoRequest {
  const query = new URLSearchParams({ position: String(position), process });
  if (coloring) query.set("coloring_options", JSON.stringify(coloring));
  const path = `/api/v1/orders/${encodeURIComponent(orderNumber)}/line-items/${lineItemId}/photos`;
  return { method: "POST", url: `${path}?${query.toString()}`, headers: {} };
}

/** The request that replaces a photo as it was read. */
export function replacementRequest({ state, etag }: ReadPhoto): PhotoRequest {
  return { method: "PUT", url: `/api/v1/images/${state.image_id}/photo?`, headers: { "If-Match": etag } };
}

/** No progress for so long: the connection is dead, although the browser has not noticed. */
const STALLED_MS = 60_000;

/**
 * Send a file; `onShare` gets the sent fraction, which `fetch` does not report. Rejects with an `ApiError`, of
 * status 0 without a response.
 */
export function sendPhoto(
  request: PhotoRequest,
  file: File,
  key: string,
  onShare: (share: number) => void,
): { image: Promise<OrderImage>; abort: () => void } {
  const http = new XMLHttpRequest();
  const image = new Promise<OrderImage>((resolve, reject) => {
    let watchdog = setTimeout(() => http.abort(), STALLED_MS);
    http.responseType = "json";
    http.upload.onprogress = ({ loaded, total }) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => http.abort(), STALLED_MS * (loaded < total ? 1 : 3));
      onShare(total === 0 ? 1 : loaded / total);
    };
    http.onloadend = () => {
      clearTimeout(watchdog);
      const body: unknown = http.response;
      if (http.status === 200 || http.status === 201) resolve(body as OrderImage);
      else if (http.status === 0) reject(new ApiError(0, null));
      else reject(refusal(http.status, body, http.getResponseHeader("Retry-After")));
    };
    http.open(request.method, `${request.url}&name=${encodeURIComponent(file.name.slice(-200))}`);
    http.setRequestHeader("Content-Type", "application/octet-stream");
    http.setRequestHeader("Idempotency-Key", key);
    for (const [name, value] of Object.entries(request.headers)) http.setRequestHeader(name, value);
    http.send(file);
  });
  return { image, abort: () => http.abort() };
}
