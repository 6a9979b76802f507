import { useEffect, useRef } from "react";
import { hub, type HubListener } from "@/lib/hub";
import { useSession } from "./useSession";

interface MercureOptions extends Partial<Omit<HubListener, "renew">> {
  /** False while nothing on screen could change. */
  enabled?: boolean;
}

/**
 * Subscribes to the hub's updates of all orders. `onOpen` is called whenever updates may have been missed:
 * refetch in it. All tabs of the browser share one EventSource.
 */
export function useMercure({ onEvent, onOpen, enabled = true }: MercureOptions = {}): void {
  const { caller, renew } = useSession();
  const current = useRef({ onEvent, onOpen, renew });
  useEffect(() => {
    current.current = { onEvent, onOpen, renew };
  });
  // The session's response sets the cookie that the hub needs.
  const listens = enabled && caller !== null;
  useEffect(() => {
    if (!listens) return;
    return hub.listen({
      onEvent: (event) => current.current.onEvent?.(event),
      onOpen: () => current.current.onOpen?.(),
      renew: () => current.current.renew(),
    });
  }, [listens]);
}
