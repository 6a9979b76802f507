import { useSyncExternalStore } from "react";

/** State of the connection to the hub. */
export type ConnectionState = "live" | "reconnecting" | "offline";

let current: ConnectionState | null = null;
const listeners = new Set<() => void>();

/** Set the state of the browser's stream; null while this tab does not subscribe. */
export function reportConnection(state: ConnectionState | null): void {
  current = state;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The state for the connection light. */
export function useConnection(): ConnectionState {
  return useSyncExternalStore(subscribe, () => current ?? "reconnecting");
}
