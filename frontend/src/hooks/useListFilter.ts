import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";
import type { OrderFilter } from "@/lib/api";
import { STAGES } from "@/lib/stages";

/** The list's search and filter, stored in the URL. */
export function useListFilter(): [OrderFilter, (change: Partial<OrderFilter>) => void] {
  const [params, setParams] = useSearchParams();
  const q = params.get("q") ?? "";
  const requested = params.get("stage");
  const stage = STAGES.find((known) => known === requested) ?? null;
  const filter = useMemo(() => ({ q, stage }), [q, stage]);
  const change = useCallback(
    (changes: Partial<OrderFilter>) => {
      const next = { q, stage, ...changes };
      const entries = Object.entries(next).filter(([, value]) => value);
      setParams(entries as [string, string][], { replace: true });
    },
    [q, stage, setParams],
  );
  return [filter, change];
}
