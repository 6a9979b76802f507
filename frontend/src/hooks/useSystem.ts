import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { Coalescer } from "@/lib/coalescer";
import { SYSTEM_KEY, systemQuery } from "@/lib/systemQuery";
import { useMercure } from "./useMercure";

/** The API looks anew at most once a second. */
const REFETCH_DELAY_MS = 1000;

/** How the system is: asked every few seconds, and soon after work anywhere has moved. */
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
  const ask = () => refetches.schedule("system");
  useMercure({ onEvent: ask, onOpen: ask, enabled: query.data !== undefined });
  return query;
}
