/** Requests about printed books and what they are made of. */
import type { components } from "@/api/schema";
import { client, unwrap } from "@/api/client";
import type { BookOptions } from "./bookOptions";
import { fetchFile, type NamedFile } from "./download";

export type Book = components["schemas"]["BookResponse"];
export type Preflight = components["schemas"]["PreflightResponse"];
export type Finding = components["schemas"]["FindingResponse"];
export type LineItemState = components["schemas"]["LineItemState"];
export type LineItemPatch = Partial<components["schemas"]["LineItemPatch"]>;

/** All versions of an order's book, newest first. */
export function fetchBooks(orderNumber: string, signal?: AbortSignal): Promise<Book[]> {
  const params = { path: { order_number: orderNumber } };
  return unwrap(client.GET("/api/v1/orders/{order_number}/books", { params, signal: signal ?? null }));
}

/** The options of a book for which none are given. */
export function fetchBookDefaults(signal?: AbortSignal): Promise<BookOptions> {
  return unwrap(client.GET("/api/v1/books/options", { signal: signal ?? null }));
}

export function fetchPreflight(
  orderNumber: string,
  { width_mm, height_mm, ...options }: BookOptions,
  signal?: AbortSignal,
): Promise<Preflight> {
  const size = width_mm != null && height_mm != null ? { width_mm, height_mm } : {};
  const params = { path: { order_number: orderNumber }, query: { ...options, ...size } };
  return unwrap(
    client.GET("/api/v1/orders/{order_number}/books/preflight", { params, signal: signal ?? null }),
  );
}

/** Compose a book; options that are left out are those of the settings. */
export function createBook(orderNumber: string, options: Partial<BookOptions>, force = false): Promise<Book> {
  const params = { path: { order_number: orderNumber }, query: { force } };
  // The generated type calls every option with a default required.
  const body = options as BookOptions;
  return unwrap(client.POST("/api/v1/orders/{order_number}/books", { params, body }));
}

export function retryBook(orderNumber: string, version: number): Promise<Book> {
  const params = { path: { order_number: orderNumber, version } };
  return unwrap(client.POST("/api/v1/orders/{order_number}/books/{version}/retry", { params }));
}

export function markPrinted(orderNumber: string, version: number, isPrinted: boolean): Promise<Book> {
  const params = { path: { order_number: orderNumber, version } };
  const body = { is_printed: isPrinted };
  return unwrap(client.PATCH("/api/v1/orders/{order_number}/books/{version}", { params, body }));
}

/** The newest completed books of several orders as one PDF. */
export function joinBooks(orderNumbers: readonly string[]): Promise<NamedFile> {
  const request = new Request(new URL("/api/v1/books", location.origin), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ order_numbers: orderNumbers }),
  });
  return fetchFile(request, "books.pdf");
}

/** A line item as it was read; `etag` makes a change of it fail with 412 if it was changed meanwhile. */
export interface ReadLineItem {
  state: LineItemState;
  etag: string;
}

export async function fetchLineItem(orderNumber: string, itemId: number): Promise<ReadLineItem> {
  const params = { path: { order_number: orderNumber, item_id: itemId } };
  const answer = client.GET("/api/v1/orders/{order_number}/line-items/{item_id}", { params });
  const state = await unwrap(answer);
  return { state, etag: (await answer).response.headers.get("ETag") ?? "*" };
}

export function changeLineItem(
  orderNumber: string,
  { state, etag }: ReadLineItem,
  patch: LineItemPatch,
): Promise<LineItemState> {
  const params = { path: { order_number: orderNumber, item_id: state.id }, header: { "if-match": etag } };
  const body = patch as components["schemas"]["LineItemPatch"];
  return unwrap(client.PATCH("/api/v1/orders/{order_number}/line-items/{item_id}", { params, body }));
}
