import { useLayoutEffect, useRef, type RefObject } from "react";

/**
 * An element that takes over the focus when the focused element inside it is removed, such as *Cancel* when the
 * work ends. Otherwise the focus would move to the body, and the card's keys would stop working.
 */
export function useFocusFallback(): RefObject<HTMLDivElement | null> {
  const fallback = useRef<HTMLDivElement>(null);
  const focused = useRef<Node>(null);
  useLayoutEffect(() => {
    const inside = fallback.current;
    if (!inside) return;
    const onFocusIn = ({ target }: FocusEvent): void => {
      focused.current = target as Node;
    };
    const onFocusOut = ({ target }: FocusEvent): void => {
      // After the DOM change: if the element is still connected, the user moved the focus; otherwise it was removed.
      queueMicrotask(() => {
        if (focused.current === target && (target as Node).isConnected) focused.current = null;
      });
    };
    inside.addEventListener("focusin", onFocusIn);
    inside.addEventListener("focusout", onFocusOut);
    return () => {
      inside.removeEventListener("focusin", onFocusIn);
      inside.removeEventListener("focusout", onFocusOut);
    };
  }, []);
  useLayoutEffect(() => {
    if (!focused.current || focused.current.isConnected) return;
    focused.current = null;
    const active = document.activeElement;
    const elsewhere = active !== null && active !== document.body && active.isConnected;
    if (!elsewhere) fallback.current?.focus({ preventScroll: true });
  });
  return fallback;
}
