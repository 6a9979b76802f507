import { useQueries } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useOrders } from "@/hooks/useOrders";
import type { OrderFilter } from "@/lib/api";
import { isGone, orderQuery } from "@/lib/orderQuery";
import { reviewableImagesOf, type Queue } from "./queue";

/** Rows before the end of the loaded ones at which more are loaded. */
const NEAR_END = 20;

interface ReviewQueue {
  queue: Queue;
  /** Load an order and keep it. */
  open: (orderNumber: string) => void;
  /** The list of orders is being loaded for the first time. */
  isPending: boolean;
  error: Error | null;
  retry: () => void;
  /** The list has more orders than the queue. */
  hasMore: boolean;
  /** Load more orders if the place is near the end of the queue. */
  loadNear: (orderNumber: string | undefined) => void;
}

/**
 * The orders of a filter in the list's order, `from` first. An order that leaves the filter, such as one whose
 * last page was approved, keeps its place, so that the user can return to it.
 */
export function useReviewQueue(filter: OrderFilter, from: string | null): ReviewQueue {
  const { query, orders, loadMore } = useOrders(filter);
  const [numbers, setNumbers] = useState<readonly string[]>(from ? [from] : []);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set(from ? [from] : []));
  const known = new Set(numbers);
  const added = orders.map((row) => row.order_number).filter((number) => !known.has(number));
  if (added.length > 0) setNumbers([...numbers, ...added]);
  const listed = new Map(orders.map((row) => [row.order_number, row.to_review]));
  const results = useQueries({
    queries: numbers.map((number) => ({ ...orderQuery(number), enabled: opened.has(number) })),
  });
  const queue = numbers.map((orderNumber, index) => {
    const result = results[index];
    const isDeleted = result !== undefined && isGone(result.error);
    const images = isDeleted ? [] : result?.data && reviewableImagesOf(result.data);
    return { orderNumber, images, listed: listed.get(orderNumber) ?? 0 };
  });
  const failed = results.find((result) => result.isError && !isGone(result.error) && !result.data);
  return {
    queue,
    open: (number) => {
      if (!opened.has(number)) setOpened(new Set(opened).add(number));
    },
    isPending: query.isPending,
    error: query.isError && orders.length === 0 ? query.error : (failed?.error ?? null),
    retry: () => void (failed ?? query).refetch(),
    hasMore: query.hasNextPage,
    loadNear: (number) => {
      if (number === undefined || numbers.indexOf(number) >= numbers.length - NEAR_END) loadMore();
    },
  };
}

/** Loads the order of the place and the next one, and more rows of the list near its end. */
export function useLoading(review: ReviewQueue, wanted: (string | undefined)[]): void {
  const { open, loadNear } = review;
  const list = wanted.join("\n");
  useEffect(() => {
    for (const number of list.split("\n").filter(Boolean)) open(number);
    loadNear(list.split("\n")[0] || undefined);
  });
}
