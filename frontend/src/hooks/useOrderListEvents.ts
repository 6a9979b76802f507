import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import type { OrderFilter } from "@/lib/api";
import { Coalescer } from "@/lib/coalescer";
import { refreshList, refreshRow } from "@/lib/orderList";
import type { MercureEvent } from "@/types";
import { useMercure } from "./useMercure";

const REFETCH_DELAY_MS = 120;
const WHOLE_LIST = "";

/** Keeps the list up to date: `list_update` for new and deleted orders, `order_update` for one row. */
export function useOrderListEvents(filter: OrderFilter, enabled = true): void {
  const queryClient = useQueryClient();
  const { q, status } = filter;
  const refetches = useMemo(() => {
    const shown = { q, status };
    const refresh = (number: string) =>
      number === WHOLE_LIST ? refreshList(queryClient, shown) : refreshRow(queryClient, shown, number);
    return new Coalescer<string>(refresh, REFETCH_DELAY_MS);
  }, [queryClient, q, status]);
  useEffect(() => () => refetches.stop(), [refetches]);

  // `image_status` reports steps, which the list does not show.
  const onEvent = (event: MercureEvent) => {
    if (event.type === "list_update") refetches.schedule(WHOLE_LIST);
    if (event.type === "order_update" && event.order_number) refetches.schedule(event.order_number);
  };
  useMercure({ onEvent, onOpen: () => refetches.schedule(WHOLE_LIST), enabled });
}
