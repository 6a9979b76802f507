import { useState } from "react";
import type { SystemState } from "@/lib/api";

/** Five minutes of responses. */
const KEPT = 60;

export interface SystemHistory {
  at: string;
  /** The number of waiting jobs per queue, oldest first. */
  depths: Readonly<Record<string, readonly number[]>>;
  /** When a process of each service last responded. */
  seen: Readonly<Record<string, string>>;
}

const EMPTY: SystemHistory = { at: "", depths: {}, seen: {} };

/** `history` with another response. Unknown values are skipped. */
export function append(history: SystemHistory, system: SystemState): SystemHistory {
  const depths = { ...history.depths };
  for (const { name, waiting } of system.queues ?? [])
    depths[name] = [...(depths[name] ?? []), waiting].slice(-KEPT);
  const seen = { ...history.seen };
  for (const { name, instance } of system.services) if (instance !== null) seen[name] = system.at;
  return { at: system.at, depths, seen };
}

/** History that the API does not keep, since the page was opened: queue depths, last responses of services. */
export function useSystemHistory(system: SystemState): SystemHistory {
  const [history, setHistory] = useState(() => append(EMPTY, system));
  if (history.at !== system.at) setHistory(append(history, system));
  return history;
}
