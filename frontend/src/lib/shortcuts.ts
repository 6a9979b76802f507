import { useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";

export interface Shortcut {
  /** `KeyboardEvent.key`, such as `j`, `/`, `Enter`. */
  key: string;
  /** Description for the help. */
  label: string;
  /** Heading in the help; those of the page have none. */
  section?: string;
  /** Also while a dialog is open. */
  inDialogs?: boolean;
  /** Absent: listed in the help, and handled elsewhere. */
  run?: (event: KeyboardEvent) => void;
}

const sets = new Map<symbol, readonly Shortcut[]>();
const listeners = new Set<() => void>();
let all: readonly Shortcut[] = [];

function publish(): void {
  all = [...sets.values()].flat();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Every active shortcut, for the help. */
export function useAllShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(subscribe, () => all);
}

/** Checkboxes and radio buttons do not take letters, and sliders only arrow keys: shortcuts work there. */
const TYPING = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]";

/** Whether a shortcut works now: not while the user types in a field; in a dialog only if it is meant for it. */
function isFree(event: KeyboardEvent, inDialogs: boolean): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.target instanceof Element ? event.target : null;
  if (event.key === "Enter" && target?.closest("a, button, summary")) return false;
  return !target?.closest(inDialogs ? TYPING : `${TYPING}, [role=dialog]`);
}

/** Activate `shortcuts`, and list them in the help, while the component is mounted. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const current = useRef(shortcuts);
  const labels = shortcuts
    .map((shortcut) => shortcut.key + shortcut.label + (shortcut.section ?? ""))
    .join("\n");
  // Before the first frame: a key that is pressed as soon as the page is seen works.
  useLayoutEffect(() => {
    current.current = shortcuts;
  });
  useEffect(() => {
    const set = Symbol("shortcuts");
    sets.set(set, current.current);
    publish();
    return () => {
      sets.delete(set);
      publish();
    };
  }, [labels]);
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const shortcut = current.current.find((candidate) => candidate.key === event.key);
      if (!shortcut?.run || !isFree(event, shortcut.inDialogs ?? false)) return;
      // The browser closes a popover by Esc.
      if (event.key !== "Escape") event.preventDefault();
      shortcut.run(event);
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}
