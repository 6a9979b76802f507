import { queryOptions } from "@tanstack/react-query";
import { fetchStageCounts } from "./api";
import type { Stage } from "@/types";

/** All stages: those that need an operator first, then in the order of the work. */
export const STAGES: readonly Stage[] = [
  "attention",
  "to_generate",
  "to_review",
  "intake",
  "generating",
  "approved",
  "printed",
  "shipped",
  "on_hold",
  "cancelled",
];

/** The API counts up to here. */
const MOST = 1000;

/** Whether a count of the API is exact. */
export const isExact = (count: number): boolean => count < MOST;

/** A count of the API for people: `999+` stands for more. */
export function countLabel(count: number): string {
  return count >= MOST ? `${MOST - 1}+` : String(count);
}

/** The number of orders by stage; hub events trigger the refetches. */
export const stageCountsQuery = queryOptions({
  queryKey: ["stages"],
  queryFn: ({ signal }) => fetchStageCounts(signal),
});
