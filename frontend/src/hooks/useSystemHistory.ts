import { useState } from "react";
import type { SystemState } from "@/lib/api";

/** Five minutes of answers. */
const KEPT = 60;

export interface SystemHistory {
  at: string;
  /** Per queue how many jobs waited, oldest first. */
  depths: Readonly<Record<string, readonly number[]>>;
  /** Per service when a process of it last answered. */
  seen: Readonly<Record<string, string>>;
}

const EMPTY: SystemHistory = { at: "", depths: {}, seen: {} };

/** `history` after one more answer. What could not be told leaves no trace. */
export function append(history: SystemHistory, system: SystemState): SystemHistory {
  const depths = { ...history.depths };
  for (const { name, waiting } of system.queues ?? [])
    depths[name] = [...(depths[name] ?? []), waiting].slice(-KEPT);
  const seen = { ...history.seen };
  for (const { name, instance } of system.services) if (instance !== null) seen[name] = system.at;
  return { at: system.at, depths, seen };
}

/** What the API does not keep: how deep the queues were, and who answered when, since the page was opened. */
export function useSystemHistory(system: SystemState): SystemHistory {
  const [history, setHistory] = useState(() => append(EMPTY, system));
  if (history.at !== system.at) setHistory(append(history, system));
  return history;
}
