import { queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "@/api/client";
import type { components } from "@/api/schema";

export type Queues = components["schemas"]["QueuesResponse"];
export type PausableQueue = components["schemas"]["PausableQueue"];
export type QueueKind = PausableQueue["kind"];

export const QUEUES_KEY = ["queues"] as const;

/** The queues that can be paused; hub events trigger the refetches. */
export const queuesQuery = queryOptions({
  queryKey: QUEUES_KEY,
  queryFn: ({ signal }): Promise<Queues> => unwrap(client.GET("/api/v1/queues", { signal })),
});

/** Stop giving workers jobs of this kind, or give them jobs again. */
export function pauseQueue(kind: QueueKind, isPaused: boolean): Promise<Queues> {
  const params = { path: { kind } };
  return unwrap(
    isPaused
      ? client.POST("/api/v1/queues/{kind}/pause", { params })
      : client.POST("/api/v1/queues/{kind}/resume", { params }),
  );
}
