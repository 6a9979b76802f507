import { useSyncExternalStore } from "react";

/** What the connection to the hub is doing. */
export type ConnectionState = "live" | "reconnecting" | "offline";

let current: ConnectionState | null = null;
const listeners = new Set<() => void>();

/** Note the state of the browser's stream; null while this tab does not take part. */
export function reportConnection(state: ConnectionState | null): void {
  current = state;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The connection light's state. */
export function useConnection(): ConnectionState {
  return useSyncExternalStore(subscribe, () => current ?? "reconnecting");
}
