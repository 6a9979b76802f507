import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import type { OrderFilter } from "@/lib/api";
import { Coalescer } from "@/lib/coalescer";
import { refreshList, refreshRow } from "@/lib/orderList";
import { stageCountsQuery } from "@/lib/stages";
import type { MercureEvent } from "@/types";
import { useMercure } from "./useMercure";

const REFETCH_DELAY_MS = 120;
const WHOLE_LIST = "";
/** No order has this number: a number has no slash. */
const COUNTS = "/stages";

/** Keeps the list up to date: `list_update` for new and deleted orders, `order_update` for one row. */
export function useOrderListEvents(filter: OrderFilter, enabled = true): void {
  const queryClient = useQueryClient();
  const { q, stage } = filter;
  const refetches = useMemo(() => {
    const shown = { q, stage };
    const refresh = (key: string) => {
      if (key === COUNTS) return queryClient.invalidateQueries({ queryKey: stageCountsQuery.queryKey });
      return key === WHOLE_LIST ? refreshList(queryClient, shown) : refreshRow(queryClient, shown, key);
    };
    return new Coalescer<string>(refresh, REFETCH_DELAY_MS);
  }, [queryClient, q, stage]);
  useEffect(() => () => refetches.stop(), [refetches]);

  // `image_status` reports steps, which the list does not show.
  const onEvent = (event: MercureEvent) => {
    if (event.type !== "image_status") refetches.schedule(COUNTS);
    if (event.type === "list_update") refetches.schedule(WHOLE_LIST);
    if (event.type === "order_update" && event.order_number) refetches.schedule(event.order_number);
  };
  const onOpen = () => {
    refetches.schedule(WHOLE_LIST);
    refetches.schedule(COUNTS);
  };
  useMercure({ onEvent, onOpen, enabled });
}
