import { useEffect, useLayoutEffect, useRef, type ReactNode } from "react";
import { cn } from "@/lib/cn";

interface ViewPosition {
  top: number;
  /** What was in the middle of the screen, and how far below its upper edge. */
  middle: Element | null;
  middleTop: number;
  focused: Element | null;
}

function currentPosition(): ViewPosition {
  const middle = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
  const middleTop = middle?.getBoundingClientRect().top ?? 0;
  return { top: scrollY, middle, middleTop, focused: document.activeElement };
}

/** What one looked at is put back where it was, whatever has grown above it. */
function align({ middle, middleTop }: ViewPosition): void {
  const off = middle?.isConnected ? middle.getBoundingClientRect().top - middleTop : 0;
  if (Math.abs(off) >= 1) scrollBy(0, off);
}

/** Cards off screen have no height until they are drawn again, so that the distance alone would mislead. */
function scrollTo(position: ViewPosition): void {
  window.scrollTo(0, position.top);
  align(position);
}

const ALIGN_MS = 600;
const USER_INPUT_EVENTS = ["wheel", "touchstart", "pointerdown", "keydown"] as const;

/** Keep the place while cards are drawn again, one frame after the other; ends when somebody moves. */
function keepAligned(position: ViewPosition): () => void {
  const ended = new AbortController();
  const until = performance.now() + ALIGN_MS;
  const step = () => {
    if (ended.signal.aborted) return;
    align(position);
    if (performance.now() < until) requestAnimationFrame(step);
    else ended.abort();
  };
  const end = () => ended.abort();
  for (const event of USER_INPUT_EVENTS) addEventListener(event, end, { passive: true, signal: ended.signal });
  requestAnimationFrame(step);
  return end;
}

/** The place that a screen reader and the keyboard begin at. */
const MAIN = "#main";

/** Where one was, for when what is hidden is shown again: how far it was scrolled, and what had the focus. */
function useRestoredView(): void {
  const position = useRef<ViewPosition>(undefined);
  useLayoutEffect(() => {
    if (position.current) scrollTo(position.current);
    // Runs before what is hidden leaves the layout.
    return () => {
      position.current = currentPosition();
    };
  }, []);
  // After the effects of the pages, some of which scroll and focus by themselves.
  useEffect(() => {
    if (!position.current) return;
    const { focused } = position.current;
    scrollTo(position.current);
    const target = focused && focused !== document.body ? focused : document.querySelector(MAIN);
    if (target instanceof HTMLElement && target.isConnected) target.focus({ preventScroll: true });
    return keepAligned(position.current);
  }, []);
}

/** The pages; not painted for a moment while it is asked who is there, so that they do not flash up for nobody. */
export function RestoredView({ isLoading, children }: { isLoading: boolean; children: ReactNode }) {
  useRestoredView();
  return <div className={cn(isLoading ? "animate-held" : "contents")}>{children}</div>;
}
