import type { MercureEvent } from "@/types";
import type { ConnectionState } from "./connection";

/** Two updates of the plan's topics, and the hub's sign of life; the same for every page. */
export const TOPICS: readonly string[] = ["orders", "orders/{order_number}", "heartbeat"];

/** The SSE event type of a heartbeat, which `onmessage` does not see. */
export const HEARTBEAT = "heartbeat";

/** What the tabs of one browser tell each other. Only the tab with the stream sends anything but `hello`. */
export type HubMessage =
  /** Is there a tab with a stream, and what is its state? */
  | { kind: "hello" }
  | { kind: "state"; state: ConnectionState; lastEventId: string }
  /** The stream is open, for the first time or again. */
  | { kind: "open"; lastEventId: string }
  | { kind: "event"; event: MercureEvent; lastEventId: string };

const KINDS: readonly unknown[] = ["order_update", "list_update", "image_status"];

/** An update of the hub; null when it is not one of ours. */
export function parseEvent(data: string): MercureEvent | null {
  try {
    const event: unknown = JSON.parse(data);
    const ours = typeof event === "object" && event !== null && "type" in event && KINDS.includes(event.type);
    return ours ? (event as MercureEvent) : null;
  } catch {
    return null;
  }
}
