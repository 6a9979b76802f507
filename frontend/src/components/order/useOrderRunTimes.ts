import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { client, unwrap } from "@/api/client";
import { imagesOf } from "./cached-order";
import type { Order } from "./model";
import { runTimesOf, type RunTimes } from "./runTimes";
import { isActive } from "./versions";

/** Minimum time between requests: timelines are large, and versions of large orders end frequently. */
const MIN_REFETCH_MS = 5000;

/** The versions in progress as a string, which changes when one starts or ends. */
function activeVersions(order: Order): string {
  return imagesOf(order)
    .flatMap((image) =>
      (["coloring", "svg"] as const).flatMap((kind) =>
        image.versions[kind].filter(isActive).map((version) => `${kind}${version.id}`),
      ),
    )
    .join(" ");
}

const WAITING: readonly string[] = ["pending", "queued"];

/** The places in the queue of an order's waiting versions; other orders' work changes them. */
function useQueue(order: Order) {
  const number = order.order_number;
  const waits = imagesOf(order).some(({ versions }) =>
    [...versions.coloring, ...versions.svg].some(({ status }) => WAITING.includes(status)),
  );
  const { data } = useQuery({
    queryKey: ["queue", number],
    queryFn: ({ signal }) => {
      const params = { path: { order_number: number } };
      return unwrap(client.GET("/api/v1/orders/{order_number}/queue", { params, signal }));
    },
    enabled: waits,
    refetchInterval: MIN_REFETCH_MS,
    gcTime: 0,
  });
  return waits ? data : undefined;
}

/**
 * The run times of an order's versions. Fetches the timeline only while a version is in progress, and again
 * when another set of versions is; nothing on the page waits for it.
 */
export function useOrderRunTimes(order: Order): RunTimes {
  const queries = useQueryClient();
  const number = order.order_number;
  const active = activeVersions(order);
  const { data } = useQuery({
    queryKey: ["timeline", number],
    queryFn: ({ signal }) => {
      const params = { path: { order_number: number } };
      return unwrap(client.GET("/api/v1/orders/{order_number}/timeline", { params, signal }));
    },
    enabled: active !== "",
    staleTime: Infinity,
    gcTime: 0,
  });
  useEffect(() => {
    if (active === "") return;
    const queryKey = ["timeline", number];
    const loaded = queries.getQueryState(queryKey)?.dataUpdatedAt || Date.now();
    const timer = setTimeout(
      () => void queries.invalidateQueries({ queryKey }),
      Math.max(0, loaded + MIN_REFETCH_MS - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [queries, number, active]);
  const queue = useQueue(order);
  return useMemo(() => runTimesOf(data, queue), [data, queue]);
}
