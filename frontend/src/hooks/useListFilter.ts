import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";
import type { OrderFilter, OrderStatus } from "@/lib/api";
import { ORDER_STATUS_DISPLAY } from "@/types";

export const ORDER_STATUSES = Object.keys(ORDER_STATUS_DISPLAY) as OrderStatus[];

/** The list's search and filter, stored in the URL. */
export function useListFilter(): [OrderFilter, (change: Partial<OrderFilter>) => void] {
  const [params, setParams] = useSearchParams();
  const q = params.get("q") ?? "";
  const requested = params.get("status");
  const status = ORDER_STATUSES.find((known) => known === requested) ?? null;
  const filter = useMemo(() => ({ q, status }), [q, status]);
  const change = useCallback(
    (changes: Partial<OrderFilter>) => {
      const next = { q, status, ...changes };
      const entries = Object.entries(next).filter(([, value]) => value);
      setParams(entries as [string, string][], { replace: true });
    },
    [q, status, setParams],
  );
  return [filter, change];
}
