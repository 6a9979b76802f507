import { useSyncExternalStore } from "react";

/** What the line to the hub is doing. */
export type ConnectionState = "live" | "reconnecting" | "offline";

const states = new Map<string, ConnectionState>();
const listeners = new Set<() => void>();

/** The worst state of all lines that are open; without any there is nothing that could be live. */
function worst(): ConnectionState {
  const all = [...states.values()];
  if (all.includes("offline")) return "offline";
  return all.length === 0 || all.includes("reconnecting") ? "reconnecting" : "live";
}

export function reportConnection(line: string, state: ConnectionState | null): void {
  if (state === null) states.delete(line);
  else states.set(line, state);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The connection light's state, over all lines to the hub. */
export function useConnection(): ConnectionState {
  return useSyncExternalStore(subscribe, worst);
}
