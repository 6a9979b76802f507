import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";

/**
 * A place that takes the focus over when what had it inside disappears, such as *Cancel* when the work
 * ends. Otherwise the focus would fall to the page's beginning, and the keys of the card with it.
 */
export function useHeldFocus(): RefObject<HTMLDivElement | null> {
  const place = useRef<HTMLDivElement>(null);
  const held = useRef<Node>(null);
  useEffect(() => {
    const inside = place.current;
    if (!inside) return;
    const onFocusIn = ({ target }: FocusEvent): void => {
      held.current = target as Node;
    };
    const onFocusOut = ({ target }: FocusEvent): void => {
      // Told apart once the change is done: something left by the user is still there, something removed is not.
      queueMicrotask(() => {
        if (held.current === target && (target as Node).isConnected) held.current = null;
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
    if (!held.current || held.current.isConnected) return;
    held.current = null;
    const active = document.activeElement;
    const elsewhere = active !== null && active !== document.body && active.isConnected;
    if (!elsewhere) place.current?.focus({ preventScroll: true });
  });
  return place;
}
