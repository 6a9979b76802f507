import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";

/**
 * A place that takes the focus over when what had it inside disappears, such as *Cancel* when the work
 * ends. Otherwise the focus would fall to the page's beginning, and the keys of the card with it.
 */
export function useFocusFallback(): RefObject<HTMLDivElement | null> {
  const fallback = useRef<HTMLDivElement>(null);
  const focused = useRef<Node>(null);
  useEffect(() => {
    const inside = fallback.current;
    if (!inside) return;
    const onFocusIn = ({ target }: FocusEvent): void => {
      focused.current = target as Node;
    };
    const onFocusOut = ({ target }: FocusEvent): void => {
      // Told apart once the change is done: something left by the user is still there, something removed is not.
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
