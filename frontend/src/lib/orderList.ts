import { infiniteQueryOptions, type InfiniteData, type QueryClient } from "@tanstack/react-query";
import { fetchOrderRow, fetchOrders, type OrderFilter } from "./api";
import { RequestSequence } from "./requestSequence";
import type { OrderListItem, OrderPage } from "@/types";

export type OrderListData = InfiniteData<OrderPage, string | null>;

/** Requests for rows, alone or within a page, by order number. */
const rowRequests = new RequestSequence<string>();

export function listKey(filter: OrderFilter) {
  return ["orders", filter] as const;
}

/** The list for a filter, page by page. Hub events trigger the refetches, so it never becomes stale. */
export function orderListQuery(filter: OrderFilter) {
  return infiniteQueryOptions({
    queryKey: listKey(filter),
    queryFn: async ({ pageParam, signal }) => {
      const request = rowRequests.next();
      const page = await fetchOrders(filter, pageParam, signal);
      for (const item of page.items) rowRequests.accept(item.order_number, request);
      return page;
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: Infinity,
    // Kept while the user works on an order, so that the list is where it was afterwards.
    gcTime: 60 * 60_000,
    refetchOnWindowFocus: false,
  });
}

/** Whether `one` precedes `other` in the list (newest first). */
function isNewer(one: OrderListItem, other: OrderListItem): boolean {
  const difference = Date.parse(one.created_at) - Date.parse(other.created_at);
  return difference === 0 ? one.id > other.id : difference > 0;
}

/**
 * A cached page merged with the same page fetched again. New orders push others over the fresh page's end;
 * those are kept, because the next page starts after them.
 */
export function mergePage(cached: OrderPage, fresh: OrderPage): OrderPage {
  const last = fresh.items.at(-1);
  if (!last || fresh.next_cursor === null) return fresh;
  const pushedOut = cached.items.filter((item) => isNewer(last, item));
  const cursor = pushedOut.length > 0 ? cached.next_cursor : fresh.next_cursor;
  return { ...fresh, items: [...fresh.items, ...pushedOut], next_cursor: cursor };
}

function keepNewerRows(cached: OrderPage, fresh: OrderPage, request: number): OrderPage {
  const known = new Map(cached.items.map((item) => [item.order_number, item]));
  const items = fresh.items.map((item) =>
    rowRequests.accept(item.order_number, request) ? item : (known.get(item.order_number) ?? item),
  );
  return { ...fresh, items };
}

async function refreshPage(client: QueryClient, filter: OrderFilter, index: number): Promise<void> {
  const cursor = client.getQueryData<OrderListData>(listKey(filter))?.pageParams[index];
  if (cursor === undefined) return;
  const request = rowRequests.next();
  const fresh = await fetchOrders(filter, cursor);
  client.setQueryData<OrderListData>(listKey(filter), (data) => {
    const cached = data?.pages[index];
    if (!cached) return data;
    const merged = mergePage(cached, keepNewerRows(cached, fresh, request));
    return { ...data, pages: data.pages.with(index, merged) };
  });
}

/** Refetch every loaded page from the top; the keyset cursors keep each page in place. */
export async function refreshList(client: QueryClient, filter: OrderFilter): Promise<void> {
  const pages = client.getQueryData<OrderListData>(listKey(filter))?.pages.length ?? 0;
  for (let index = 0; index < pages; index++) await refreshPage(client, filter, index);
}

/** Whether an order that is not in the list belongs there; unknown (false) with a search. */
function belongs(row: OrderListItem, filter: OrderFilter, pages: readonly OrderPage[]): boolean {
  if (filter.q !== "") return false;
  const last = pages.at(-1)?.items.at(-1);
  return pages.at(-1)?.next_cursor === null || last === undefined || isNewer(row, last);
}

function insert(pages: readonly OrderPage[], row: OrderListItem): OrderPage[] {
  const found = pages.findIndex((page) => page.items.some((item) => isNewer(row, item)));
  const at = found === -1 ? pages.length - 1 : found;
  return pages.map((page, index) => {
    if (index !== at) return page;
    const before = page.items.filter((item) => isNewer(item, row));
    return { ...page, items: [...before, row, ...page.items.slice(before.length)] };
  });
}

/** `pages` with the current row of `orderNumber`; null: the order was deleted. */
export function placeRow(
  pages: readonly OrderPage[],
  orderNumber: string,
  row: OrderListItem | null,
  filter: OrderFilter,
): OrderPage[] {
  const fits = row !== null && (filter.stage === null || row.stage === filter.stage);
  const isThis = (item: OrderListItem) => item.order_number === orderNumber;
  const known = pages.some((page) => page.items.some(isThis));
  if (!known) return fits && belongs(row, filter, pages) ? insert(pages, row) : [...pages];
  return pages.map((page) => {
    if (!page.items.some(isThis)) return page;
    return { ...page, items: page.items.flatMap((item) => (isThis(item) ? (fits ? row : []) : item)) };
  });
}

/** Refetch one row and insert or replace it; the other rows keep their identity. */
export async function refreshRow(
  client: QueryClient,
  filter: OrderFilter,
  orderNumber: string,
): Promise<void> {
  const request = rowRequests.next();
  const row = await fetchOrderRow(orderNumber);
  if (!rowRequests.accept(orderNumber, request)) return;
  client.setQueryData<OrderListData>(
    listKey(filter),
    (data) => data && { ...data, pages: placeRow(data.pages, orderNumber, row, filter) },
  );
}
