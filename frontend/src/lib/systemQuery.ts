import { queryOptions } from "@tanstack/react-query";
import { fetchSystem } from "./api";

const EVERY_MS = 5000;

export const SYSTEM_KEY = ["system"] as const;

/** The state of the system, refetched every few seconds while the page is visible. */
export const systemQuery = queryOptions({
  queryKey: SYSTEM_KEY,
  queryFn: ({ signal }) => fetchSystem(signal),
  staleTime: 0,
  refetchInterval: EVERY_MS,
  // A failed refresh must be visible even if the browser believes that it is offline.
  networkMode: "always",
});
