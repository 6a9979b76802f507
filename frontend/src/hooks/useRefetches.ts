import { useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { Coalescer } from "@/lib/coalescer";
import { useMercure } from "./useMercure";

/** Refetches what an order's key names. `keyOf` is a function of a module: another one starts anew. */
export function useRefetches(keyOf: (orderNumber: string) => QueryKey, delayMs: number): Coalescer<string> {
  const queries = useQueryClient();
  const refetches = useMemo(
    () =>
      new Coalescer<string>(
        (number) => queries.invalidateQueries({ queryKey: keyOf(number) }, { throwOnError: true }),
        delayMs,
      ),
    [queries, keyOf, delayMs],
  );
  useEffect(() => () => refetches.stop(), [refetches]);
  return refetches;
}

/** Keeps data of an order up to date by every update of it; a burst within `delayMs` causes one refetch. */
export function useOrderRefetches(
  orderNumber: string,
  keyOf: (orderNumber: string) => QueryKey,
  delayMs: number,
): void {
  const refetches = useRefetches(keyOf, delayMs);
  useMercure({
    onEvent: (event) => {
      if (event.order_number === orderNumber) refetches.schedule(orderNumber);
    },
    onOpen: () => refetches.schedule(orderNumber),
  });
}
