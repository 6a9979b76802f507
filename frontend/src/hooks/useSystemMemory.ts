import { useState } from "react";
import type { SystemState } from "@/lib/api";

/** Five minutes of answers. */
const KEPT = 60;

export interface SystemMemory {
  at: string;
  /** Per queue how many jobs waited, oldest first. */
  depths: Readonly<Record<string, readonly number[]>>;
  /** Per service when a process of it last answered. */
  seen: Readonly<Record<string, string>>;
}

const NOTHING: SystemMemory = { at: "", depths: {}, seen: {} };

/** `memory` after one more answer. What could not be told leaves no trace. */
export function remember(memory: SystemMemory, system: SystemState): SystemMemory {
  const depths = { ...memory.depths };
  for (const { name, waiting } of system.queues ?? [])
    depths[name] = [...(depths[name] ?? []), waiting].slice(-KEPT);
  const seen = { ...memory.seen };
  for (const { name, instance } of system.services) if (instance !== null) seen[name] = system.at;
  return { at: system.at, depths, seen };
}

/** What the API does not keep: how deep the queues were, and who answered when, since the page was opened. */
export function useSystemMemory(system: SystemState): SystemMemory {
  const [memory, setMemory] = useState(() => remember(NOTHING, system));
  if (memory.at !== system.at) setMemory(remember(memory, system));
  return memory;
}
