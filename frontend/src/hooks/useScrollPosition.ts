import { useEffect, useLayoutEffect, useRef } from "react";
import { NavigationType, useLocation, useNavigationType, type To } from "react-router";

/** How long a page may take to become as tall as it was. */
const RESTORE_MS = 3000;
const USER_INPUT_EVENTS = ["wheel", "touchstart", "pointerdown", "keydown"] as const;

/** The scroll position of each entry of the history, by its key. */
const positions = new Map<string, number>();
/** The entry of the list that was shown last. */
let list = { key: "", search: "" };

interface BackState {
  /** Key of the entry whose scroll position the page gets. */
  scrolledLike: string;
}

/** Where a link back to the list leads: to its last search and filter, at its last position. */
export function backToList(): { to: To; state: BackState } {
  return { to: { pathname: "/", search: list.search }, state: { scrolledLike: list.key } };
}

/** Scroll to `top` as soon as the page is tall enough; ends with the first input of the user. */
function restore(top: number): () => void {
  const ended = new AbortController();
  const until = performance.now() + RESTORE_MS;
  const step = () => {
    if (ended.signal.aborted) return;
    window.scrollTo(0, top);
    if (Math.abs(scrollY - top) < 1 || performance.now() > until) ended.abort();
    else requestAnimationFrame(step);
  };
  for (const event of USER_INPUT_EVENTS)
    addEventListener(event, () => ended.abort(), { passive: true, signal: ended.signal });
  step();
  return () => ended.abort();
}

/**
 * Scrolls to the top of a new page, and to the former position of one that the user returns to. The browser does
 * it before the page has its content, so it is done here.
 */
export function useScrollPosition(): void {
  const location = useLocation();
  const { pathname, search } = location;
  // Every entry that a link to a fragment made has the router's key "default", as the first one.
  const key = pathname + location.hash + location.key;
  const like = (location.state as BackState | null)?.scrolledLike ?? "";
  const type = useNavigationType();
  const current = useRef({ key, pathname });
  useLayoutEffect(() => {
    const former = current.current;
    current.current = { key, pathname };
    if (pathname === "/") list = { key, search };
    if (former.key === key) return;
    const known = positions.get(type === NavigationType.Pop ? key : like);
    if (known !== undefined) return restore(known);
    if (former.pathname !== pathname) window.scrollTo(0, 0);
    positions.set(key, scrollY);
    return undefined;
  }, [key, pathname, search, like, type]);
  useEffect(() => {
    history.scrollRestoration = "manual";
    const note = () => positions.set(current.current.key, scrollY);
    // A reload is restored by the browser.
    const leave = () => (history.scrollRestoration = "auto");
    addEventListener("scroll", note, { passive: true });
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("scroll", note);
      removeEventListener("pagehide", leave);
      leave();
    };
  }, []);
}
