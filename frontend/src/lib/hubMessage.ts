import type { MercureEvent } from "@/types";
import type { ConnectionState } from "./connection";

/** The plan's two topics and the heartbeat; the same for every page. */
export const TOPICS: readonly string[] = ["orders", "orders/{order_number}", "heartbeat"];

/** The SSE event type of heartbeats, which `onmessage` does not receive. */
export const HEARTBEAT = "heartbeat";

/** Messages between the tabs of one browser. Only the leading tab sends others than `hello`. */
export type HubMessage =
  /** Requests the state of the leading tab. */
  | { kind: "hello" }
  | { kind: "state"; state: ConnectionState; lastEventId: string }
  /** The stream opened, for the first time or again. */
  | { kind: "open"; lastEventId: string }
  | { kind: "event"; event: MercureEvent; lastEventId: string };

const KINDS: readonly unknown[] = ["order_update", "list_update", "image_status", "queue_update"];

/** Parses an update of the hub; null if it is none of ours. */
export function parseEvent(data: string): MercureEvent | null {
  try {
    const event: unknown = JSON.parse(data);
    const ours = typeof event === "object" && event !== null && "type" in event && KINDS.includes(event.type);
    return ours ? (event as MercureEvent) : null;
  } catch {
    return null;
  }
}
