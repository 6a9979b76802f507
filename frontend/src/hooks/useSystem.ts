import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { Coalescer } from "@/lib/coalescer";
import { SYSTEM_KEY, systemQuery } from "@/lib/systemQuery";
import { useMercure } from "./useMercure";

/** The API computes the state at most once a second. */
const REFETCH_DELAY_MS = 1000;

/** The state of the system: refetched every few seconds, and soon after any update of an order. */
export function useSystem() {
  const queryClient = useQueryClient();
  const query = useQuery(systemQuery);
  const refetches = useMemo(
    () =>
      new Coalescer<string>(
        () => queryClient.invalidateQueries({ queryKey: SYSTEM_KEY }, { cancelRefetch: false }),
        REFETCH_DELAY_MS,
      ),
    [queryClient],
  );
  useEffect(() => () => refetches.stop(), [refetches]);
  const refetch = () => refetches.schedule("system");
  useMercure({ onEvent: refetch, onOpen: refetch, enabled: query.data !== undefined });
  return query;
}
