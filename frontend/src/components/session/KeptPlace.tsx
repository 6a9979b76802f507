import { useEffect, useLayoutEffect, useRef, type ReactNode } from "react";
import { cn } from "@/lib/cn";

interface Place {
  top: number;
  focused: Element | null;
}

/** The place that a screen reader and the keyboard begin at. */
const MAIN = "#main";

/** Where one was, for when what is hidden is shown again: how far it was scrolled, and what had the focus. */
function useKeptPlace(): void {
  const place = useRef<Place>(undefined);
  useLayoutEffect(() => {
    if (place.current) scrollTo(0, place.current.top);
    // Runs before what is hidden leaves the layout.
    return () => {
      place.current = { top: scrollY, focused: document.activeElement };
    };
  }, []);
  // After the effects of the pages, some of which scroll and focus by themselves.
  useEffect(() => {
    if (!place.current) return;
    const { top, focused } = place.current;
    scrollTo(0, top);
    const target = focused && focused !== document.body ? focused : document.querySelector(MAIN);
    if (target instanceof HTMLElement && target.isConnected) target.focus({ preventScroll: true });
  }, []);
}

/** The pages; not painted for a moment while it is asked who is there, so that they do not flash up for nobody. */
export function KeptPlace({ isAsking, children }: { isAsking: boolean; children: ReactNode }) {
  useKeptPlace();
  return <div className={cn(isAsking ? "animate-held" : "contents")}>{children}</div>;
}
