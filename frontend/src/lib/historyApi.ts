/** Requests about the history of an order, and what operators write about it. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { components } from "@/api/schema";
import { client, unwrap } from "@/api/client";

export type HistoryEntry = components["schemas"]["HistoryEntry"];
export type HistoryPage = components["schemas"]["HistoryResponse"];
export type OrderDetails = components["schemas"]["OrderDetailsResponse"];
export type DetailsPatch = Partial<components["schemas"]["OrderDetailsPatch"]>;

const PAGE_SIZE = 50;

/** Key of everything that the panel shows of an order. */
export function historyKey(orderNumber: string) {
  return ["history", orderNumber] as const;
}

/** The history, newest first; with `notes` only these. */
export function historyQuery(orderNumber: string, notes: boolean) {
  return infiniteQueryOptions({
    queryKey: [...historyKey(orderNumber), { notes }] as const,
    queryFn: ({ pageParam, signal }): Promise<HistoryPage> => {
      const query = {
        limit: PAGE_SIZE,
        ...(notes && { notes }),
        ...(pageParam !== null && { cursor: pageParam }),
      };
      const params = { path: { order_number: orderNumber }, query };
      return unwrap(client.GET("/api/v1/orders/{order_number}/history", { params, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page: HistoryPage) => page.next_cursor,
  });
}

export function addNote(orderNumber: string, text: string): Promise<HistoryEntry> {
  const params = { path: { order_number: orderNumber } };
  return unwrap(client.POST("/api/v1/orders/{order_number}/notes", { params, body: { text } }));
}

export function deleteNote(orderNumber: string, noteId: number): Promise<unknown> {
  const params = { path: { order_number: orderNumber, note_id: noteId } };
  return unwrap(client.DELETE("/api/v1/orders/{order_number}/notes/{note_id}", { params }));
}

/** Details as they were read; `etag` makes a change of them fail with 412 if they were changed meanwhile. */
export interface ReadDetails {
  state: OrderDetails;
  etag: string;
}

export function detailsQuery(orderNumber: string) {
  return queryOptions({
    queryKey: [...historyKey(orderNumber), "details"] as const,
    queryFn: ({ signal }) => fetchDetails(orderNumber, signal),
  });
}

export async function fetchDetails(orderNumber: string, signal?: AbortSignal): Promise<ReadDetails> {
  const params = { path: { order_number: orderNumber } };
  const answer = client.GET("/api/v1/orders/{order_number}/details", { params, signal: signal ?? null });
  return read(answer);
}

export function changeDetails(orderNumber: string, etag: string, patch: DetailsPatch): Promise<ReadDetails> {
  const params = { path: { order_number: orderNumber }, header: { "if-match": etag } };
  // The generated type calls every field with a default required.
  const body = patch as components["schemas"]["OrderDetailsPatch"];
  return read(client.PATCH("/api/v1/orders/{order_number}/details", { params, body }));
}

async function read(
  answer: Promise<{ data?: OrderDetails; error?: unknown; response: Response }>,
): Promise<ReadDetails> {
  const state = await unwrap(answer);
  return { state, etag: (await answer).response.headers.get("ETag") ?? "*" };
}

/** Users that an order can be assigned to. */
export const assigneesQuery = queryOptions({
  queryKey: ["assignees"],
  queryFn: async ({ signal }) => (await unwrap(client.GET("/api/v1/assignees", { signal }))).names,
  staleTime: 5 * 60_000,
});
