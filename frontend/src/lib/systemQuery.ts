import { queryOptions } from "@tanstack/react-query";
import { fetchSystem } from "./api";

const EVERY_MS = 5000;

export const SYSTEM_KEY = ["system"] as const;

/** How the system is, asked every few seconds while the page is visible. */
export const systemQuery = queryOptions({
  queryKey: SYSTEM_KEY,
  queryFn: ({ signal }) => fetchSystem(signal),
  staleTime: 0,
  refetchInterval: EVERY_MS,
  // Where the browser thinks it is offline, a failed refresh has to be seen, too.
  networkMode: "always",
});
