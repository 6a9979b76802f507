import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { Coalescer } from "@/lib/coalescer";
import { orderKey, refreshImage } from "@/lib/orderQuery";
import type { MercureEvent } from "@/types";
import { useMercure } from "./useMercure";

/** Several updates of one moment (a whole order set to work) become one refetch. */
const REFETCH_DELAY_MS = 40;

/** Keep the cached order up to date: one image per `image_status`, the whole order per `order_update`. */
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
  useEffect(() => () => refetches.stop(), [refetches]);

  const onEvent = (event: MercureEvent) => {
    if (event.order_number !== orderNumber) return;
    if (event.type === "order_update") refetches.ask(orderNumber);
    if (event.type !== "image_status" || event.image_id === undefined) return;
    // An image that cannot be fetched alone may be gone, or the order with it: the order will tell.
    refreshImage(queryClient, orderNumber, event.image_id).catch(() => refetches.ask(orderNumber));
  };
  useMercure([`orders/${orderNumber}`], { onEvent, onOpen: () => refetches.ask(orderNumber), enabled });
}
