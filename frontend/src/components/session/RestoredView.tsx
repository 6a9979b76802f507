import { useEffect, useLayoutEffect, useRef, type ReactNode } from "react";
import { cn } from "@/lib/cn";

interface ViewPosition {
  top: number;
  /** The element in the middle of the screen, and its distance from the top. */
  middle: Element | null;
  middleTop: number;
  focused: Element | null;
}

function currentPosition(): ViewPosition {
  const middle = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
  const middleTop = middle?.getBoundingClientRect().top ?? 0;
  return { top: scrollY, middle, middleTop, focused: document.activeElement };
}

/** Scroll so that the element is where it was, even if content above it changed its height. */
function align({ middle, middleTop }: ViewPosition): void {
  const off = middle?.isConnected ? middle.getBoundingClientRect().top - middleTop : 0;
  if (Math.abs(off) >= 1) scrollBy(0, off);
}

/** `scrollY` alone is not enough: cards off screen have no layout yet. */
function scrollTo(position: ViewPosition): void {
  window.scrollTo(0, position.top);
  align(position);
}

const ALIGN_MS = 600;
const USER_INPUT_EVENTS = ["wheel", "touchstart", "pointerdown", "keydown"] as const;

/** Keep the position while cards are laid out over several frames; ends with the first user input. */
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
  for (const event of USER_INPUT_EVENTS)
    addEventListener(event, end, { passive: true, signal: ended.signal });
  requestAnimationFrame(step);
  return end;
}

/** Fallback for the focus: where screen readers and the keyboard start. */
const MAIN = "#main";

/** Restores the scroll position and the focus when a hidden `Activity` becomes visible again. */
function useRestoredView(): void {
  const position = useRef<ViewPosition>(undefined);
  useLayoutEffect(() => {
    if (position.current) scrollTo(position.current);
    // Runs before React hides the elements.
    return () => {
      position.current = currentPosition();
    };
  }, []);
  // Runs after the effects of the pages, some of which scroll and set the focus.
  useEffect(() => {
    if (!position.current) return;
    const { focused } = position.current;
    scrollTo(position.current);
    const target = focused && focused !== document.body ? focused : document.querySelector(MAIN);
    if (target instanceof HTMLElement && target.isConnected) target.focus({ preventScroll: true });
    return keepAligned(position.current);
  }, []);
}

/** The pages; invisible for a moment while the session loads, so that they do not flash for signed-out users. */
export function RestoredView({ isLoading, children }: { isLoading: boolean; children: ReactNode }) {
  useRestoredView();
  return <div className={cn(isLoading ? "animate-held" : "contents")}>{children}</div>;
}
