import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import { imagesOf } from "./cached-order";
import type { Order, Timeline } from "./model";
import { isInHand } from "./versions";

/** The versions in hand, as a word that changes when work begins or ends. */
function workInHand(order: Order): string {
  return imagesOf(order)
    .flatMap((image) =>
      (["coloring", "svg"] as const).flatMap((kind) =>
        image.versions[kind].filter(isInHand).map((version) => `${kind}${version.id}`),
      ),
    )
    .join(" ");
}

/**
 * When each run began and how long runs take. Asked for only while something is in hand, and again when
 * that is something else; nothing on the page waits for it.
 */
export function useTimeline(order: Order): Timeline | undefined {
  const work = workInHand(order);
  const { data } = useQuery({
    queryKey: ["timeline", order.order_number, work],
    queryFn: ({ signal }) => {
      const params = { path: { order_number: order.order_number } };
      return unwrap(client.GET("/api/v1/orders/{order_number}/timeline", { params, signal }));
    },
    enabled: work !== "",
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
  return data;
}
