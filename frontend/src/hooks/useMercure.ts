import { useEffect, useRef } from "react";
import { lineFor, type LineListener } from "@/lib/hubLine";

interface MercureOptions extends Partial<LineListener> {
  /** False until an answer of the API has brought the cookie that opens the hub. */
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
  const current = useRef({ onEvent, onOpen });
  useEffect(() => {
    current.current = { onEvent, onOpen };
  });
  const name = topics.join(" ");
  useEffect(() => {
    if (!enabled) return;
    return lineFor(name.split(" ")).listen({
      onEvent: (event) => current.current.onEvent?.(event),
      onOpen: () => current.current.onOpen?.(),
    });
  }, [name, enabled]);
}
