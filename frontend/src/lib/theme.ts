import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";

const STORED = "pastelka.theme";
const listeners = new Set<() => void>();

function current(): Theme {
  return document.documentElement.dataset["theme"] === "dark" ? "dark" : "light";
}

export function setTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  localStorage.setItem(STORED, theme);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The current theme; `public/theme.js` sets the initial one before the first paint. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, current);
}
