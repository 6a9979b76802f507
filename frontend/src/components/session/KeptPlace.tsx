import { useEffect, useLayoutEffect, useRef, type ReactNode } from "react";
import { cn } from "@/lib/cn";

interface Place {
  top: number;
  /** What was in the middle of the screen, and how far below its upper edge. */
  middle: Element | null;
  middleTop: number;
  focused: Element | null;
}

function placeNow(): Place {
  const middle = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
  const middleTop = middle?.getBoundingClientRect().top ?? 0;
  return { top: scrollY, middle, middleTop, focused: document.activeElement };
}

/** What one looked at is put back where it was, whatever has grown above it. */
function align({ middle, middleTop }: Place): void {
  const off = middle?.isConnected ? middle.getBoundingClientRect().top - middleTop : 0;
  if (Math.abs(off) >= 1) scrollBy(0, off);
}

/** Cards off screen have no height until they are drawn again, so that the distance alone would mislead. */
function scrollTo(place: Place): void {
  window.scrollTo(0, place.top);
  align(place);
}

const HELD_MS = 600;
const BY_HAND = ["wheel", "touchstart", "pointerdown", "keydown"] as const;

/** Keep the place while cards are drawn again, one frame after the other; ends when somebody moves. */
function hold(place: Place): () => void {
  const ended = new AbortController();
  const until = performance.now() + HELD_MS;
  const step = () => {
    if (ended.signal.aborted) return;
    align(place);
    if (performance.now() < until) requestAnimationFrame(step);
    else ended.abort();
  };
  const end = () => ended.abort();
  for (const event of BY_HAND) addEventListener(event, end, { passive: true, signal: ended.signal });
  requestAnimationFrame(step);
  return end;
}

/** The place that a screen reader and the keyboard begin at. */
const MAIN = "#main";

/** Where one was, for when what is hidden is shown again: how far it was scrolled, and what had the focus. */
function useKeptPlace(): void {
  const place = useRef<Place>(undefined);
  useLayoutEffect(() => {
    if (place.current) scrollTo(place.current);
    // Runs before what is hidden leaves the layout.
    return () => {
      place.current = placeNow();
    };
  }, []);
  // After the effects of the pages, some of which scroll and focus by themselves.
  useEffect(() => {
    if (!place.current) return;
    const { focused } = place.current;
    scrollTo(place.current);
    const target = focused && focused !== document.body ? focused : document.querySelector(MAIN);
    if (target instanceof HTMLElement && target.isConnected) target.focus({ preventScroll: true });
    return hold(place.current);
  }, []);
}

/** The pages; not painted for a moment while it is asked who is there, so that they do not flash up for nobody. */
export function KeptPlace({ isAsking, children }: { isAsking: boolean; children: ReactNode }) {
  useKeptPlace();
  return <div className={cn(isAsking ? "animate-held" : "contents")}>{children}</div>;
}
