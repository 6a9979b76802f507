import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { Coalescer } from "@/lib/coalescer";
import { orderKey, recheckOrder, refreshImage } from "@/lib/orderQuery";
import type { MercureEvent } from "@/types";
import { useMercure } from "./useMercure";

/** Several updates of one moment (a whole order set to work) become one refetch. */
const REFETCH_DELAY_MS = 40;

/** Many orders may come at once; each tells the list, and none of them concerns this one. */
const RECHECK_DELAY_MS = 100;

/**
 * Keep the cached order up to date: one image per `image_status`, the whole order per `order_update`. A
 * deletion comes as `list_update`, which names no order.
 */
export function useOrderEvents(orderNumber: string, enabled = true): void {
  const queryClient = useQueryClient();
  const refetches = useMemo(
    () =>
      new Coalescer<string>(
        (number) => queryClient.invalidateQueries({ queryKey: orderKey(number) }, { throwOnError: true }),
        REFETCH_DELAY_MS,
      ),
    [queryClient],
  );
  const rechecks = useMemo(
    () =>
      // One that fails changes nothing; the stream's next opening refetches the order.
      new Coalescer<string>(
        (number) => recheckOrder(queryClient, number).catch(() => null),
        RECHECK_DELAY_MS,
      ),
    [queryClient],
  );
  useEffect(
    () => () => {
      refetches.stop();
      rechecks.stop();
    },
    [refetches, rechecks],
  );

  const onEvent = (event: MercureEvent) => {
    if (event.type === "list_update") rechecks.schedule(orderNumber);
    if (event.order_number !== orderNumber) return;
    if (event.type === "order_update") refetches.schedule(orderNumber);
    if (event.type !== "image_status" || event.image_id === undefined) return;
    // An image that cannot be fetched alone may be gone, or the order with it: the order will tell.
    refreshImage(queryClient, orderNumber, event.image_id).catch(() => refetches.schedule(orderNumber));
  };
  useMercure({
    onEvent,
    onOpen: () => refetches.schedule(orderNumber),
    enabled,
  });
}
