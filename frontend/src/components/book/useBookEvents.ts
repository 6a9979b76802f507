import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useMercure } from "@/hooks/useMercure";
import { bookKey } from "@/lib/bookQuery";
import { Coalescer } from "@/lib/coalescer";

/** A book sends an update at each step, and an order that is generated sends many. */
const REFETCH_DELAY_MS = 60;

/** Keeps the versions and the preflight of an order's book up to date. */
export function useBookEvents(orderNumber: string): void {
  const queries = useQueryClient();
  const refetches = useMemo(
    () =>
      new Coalescer<string>(
        (number) => queries.invalidateQueries({ queryKey: bookKey(number) }, { throwOnError: true }),
        REFETCH_DELAY_MS,
      ),
    [queries],
  );
  useEffect(() => () => refetches.stop(), [refetches]);
  useMercure({
    onEvent: (event) => {
      if (event.order_number === orderNumber) refetches.schedule(orderNumber);
    },
    onOpen: () => refetches.schedule(orderNumber),
  });
}
