import { useSyncExternalStore } from "react";
import type { Arrival } from "./arrivals";

/** Between the tabs of one browser. */
type ArrivalMessage = { kind: "arrived"; arrival: Arrival } | { kind: "seen" };

const CHANNEL = "pastelka.arrivals";
/** How long the tab that watches waits for another one to say that the user is looking. */
const SEEN_MS = 500;

const listeners = new Set<() => void>();
let unseen: ReadonlySet<string> = new Set();
let channel: BroadcastChannel | null = null;

function set(next: ReadonlySet<string>): void {
  unseen = next;
  for (const listener of listeners) listener();
}

const isLookedAt = (): boolean => document.visibilityState === "visible" && document.hasFocus();

function onMessage(message: ArrivalMessage): void {
  if (message.kind === "seen") set(new Set());
  else if (isLookedAt()) seen();
  else set(new Set([...unseen, message.arrival.orderNumber]));
}

/** The user looks at the dashboard: nothing is unseen, in any tab. */
function seen(): void {
  set(new Set());
  channel?.postMessage({ kind: "seen" } satisfies ArrivalMessage);
}

const onLook = (): void => {
  if (unseen.size > 0 && isLookedAt()) seen();
};

/** Take part with this tab; returns the function that ends it. */
export function joinArrivals(): () => void {
  channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<ArrivalMessage>) => onMessage(data);
  addEventListener("focus", onLook);
  document.addEventListener("visibilitychange", onLook);
  return () => {
    channel?.close();
    channel = null;
    removeEventListener("focus", onLook);
    document.removeEventListener("visibilitychange", onLook);
  };
}

/** Count an order in every tab; resolves to whether the user is looking at none of them. */
export async function announceArrival(arrival: Arrival): Promise<boolean> {
  const message: ArrivalMessage = { kind: "arrived", arrival };
  channel?.postMessage(message);
  onMessage(message);
  await new Promise((resolve) => setTimeout(resolve, SEEN_MS));
  return unseen.has(arrival.orderNumber);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Number of orders that came to need a person since the user last looked at the dashboard. */
export function useUnseenCount(): number {
  return useSyncExternalStore(subscribe, () => unseen.size);
}
