import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { Coalescer } from "@/lib/coalescer";
import { orderKey, recheckOrder, refreshImage } from "@/lib/orderQuery";
import type { MercureEvent } from "@/types";
import { useMercure } from "./useMercure";
import { useRefetches } from "./useRefetches";

/** Bursts of updates (such as a whole order that starts) cause one refetch. */
const REFETCH_DELAY_MS = 40;

/** New orders come in bursts, and each sends a `list_update`, which rarely concerns this order. */
const RECHECK_DELAY_MS = 100;

/**
 * Keeps the cached order up to date: `image_status` refetches one image, `order_update` the whole order. A
 * deletion sends a `list_update` without an order number.
 */
export function useOrderEvents(orderNumber: string, enabled = true): void {
  const queryClient = useQueryClient();
  const refetches = useRefetches(orderKey, REFETCH_DELAY_MS);
  const rechecks = useMemo(
    () =>
      // A failure changes nothing; the next opening of the stream refetches the order.
      new Coalescer<string>(
        (number) => recheckOrder(queryClient, number).catch(() => null),
        RECHECK_DELAY_MS,
      ),
    [queryClient],
  );
  useEffect(() => () => rechecks.stop(), [rechecks]);

  const onEvent = (event: MercureEvent) => {
    if (event.type === "list_update") rechecks.schedule(orderNumber);
    if (event.order_number !== orderNumber) return;
    if (event.type === "order_update") refetches.schedule(orderNumber);
    if (event.type !== "image_status" || event.image_id === undefined) return;
    // If the image cannot be fetched, it or the order may be deleted: refetch the order.
    refreshImage(queryClient, orderNumber, event.image_id).catch(() => refetches.schedule(orderNumber));
  };
  useMercure({
    onEvent,
    onOpen: () => refetches.schedule(orderNumber),
    enabled,
  });
}
