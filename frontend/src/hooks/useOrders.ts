import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import type { OrderFilter } from "@/lib/api";
import { orderListQuery } from "@/lib/orderList";
import { useOrderListEvents } from "./useOrderListEvents";

/** The loaded orders for a filter, kept up to date, and a function that loads more. */
export function useOrders(filter: OrderFilter) {
  const query = useInfiniteQuery(orderListQuery(filter));
  const { data, isFetchingNextPage, hasNextPage, isFetchNextPageError, fetchNextPage } = query;
  useOrderListEvents(filter, query.isSuccess);
  const orders = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  return { query, orders, loadMore };
}
