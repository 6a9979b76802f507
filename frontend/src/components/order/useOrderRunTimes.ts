import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { client, unwrap } from "@/api/client";
import { imagesOf } from "./cached-order";
import type { Order } from "./model";
import { runTimesOf, type RunTimes } from "./runTimes";
import { isActive } from "./versions";

/** A timeline grows with the order, and work of many images ends all the time: asked for no more often. */
const MIN_REFETCH_MS = 5000;

/** The versions in hand, as a word that changes when work begins or ends. */
function activeVersions(order: Order): string {
  return imagesOf(order)
    .flatMap((image) =>
      (["coloring", "svg"] as const).flatMap((kind) =>
        image.versions[kind].filter(isActive).map((version) => `${kind}${version.id}`),
      ),
    )
    .join(" ");
}

/**
 * When each run began and how long runs take. Asked for only while something is in hand, and again when
 * that is something else; nothing on the page waits for it.
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
  return useMemo(() => runTimesOf(data), [data]);
}
