import { useEffect, useRef } from "react";
import { lineFor, type LineListener } from "@/lib/hubLine";
import { useSession } from "./useSession";

interface MercureOptions extends Partial<Omit<LineListener, "renew">> {
  /** False while there is nothing on screen that could change. */
  enabled?: boolean;
}

/**
 * Listen to the hub's `topics`. `onOpen` is called whenever updates may have been missed: refetch there.
 * Components that name the same topics share one EventSource.
 */
export function useMercure(
  topics: readonly string[],
  { onEvent, onOpen, enabled = true }: MercureOptions = {},
): void {
  const { caller, renew } = useSession();
  const current = useRef({ onEvent, onOpen, renew });
  useEffect(() => {
    current.current = { onEvent, onOpen, renew };
  });
  // The answer that says who is there brings the cookie that opens the hub.
  const listens = enabled && caller !== null;
  const name = topics.join(" ");
  useEffect(() => {
    if (!listens) return;
    return lineFor(name.split(" ")).listen({
      onEvent: (event) => current.current.onEvent?.(event),
      onOpen: () => current.current.onOpen?.(),
      renew: () => current.current.renew(),
    });
  }, [name, listens]);
}
