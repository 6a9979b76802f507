import { useSyncExternalStore } from "react";
import { typeset } from "@/i18n/typography";

/** One timer for every component that shows an elapsed time. */
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  now = Date.now();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, 1000);
  now = Date.now();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The current time (ms since the epoch), updated every second while a component uses it. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** "14 s", "2 min 5 s", "1 h 3 min"; never negative, even if the clocks differ. */
export function formatElapsed(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return typeset(`${seconds} s`, "en");
  if (seconds < 3600) return typeset(`${Math.floor(seconds / 60)} min ${seconds % 60} s`, "en");
  return typeset(`${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`, "en");
}
