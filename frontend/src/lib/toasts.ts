import { useSyncExternalStore } from "react";

export interface Toast {
  id: number;
  tone: "plain" | "bad";
  text: string;
  action?: ToastAction | undefined;
}

/** A button in a message. */
export interface ToastAction {
  text: string;
  run: () => void;
}

const LIFETIME_MS = { plain: 4000, bad: 10_000 } as const;
/** Number of messages without an action that stay beside a new one. */
const MAX_OTHERS = 3;
const listeners = new Set<() => void>();
let toasts: readonly Toast[] = [];
let lastId = 0;

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export function dismissToast(id: number): void {
  change(toasts.filter((toast) => toast.id !== id));
}

export function dismissAllToasts(): void {
  change([]);
}

/** Show a message; errors (`bad`) stay longer, and one with an action until it is closed. */
export function showToast(text: string, tone: Toast["tone"] = "plain", action?: ToastAction): void {
  const id = ++lastId;
  const passing = toasts.filter((toast) => !toast.action).slice(-MAX_OTHERS);
  const kept = toasts.filter((toast) => toast.action !== undefined || passing.includes(toast));
  change([...kept, { id, tone, text, action }]);
  if (!action) setTimeout(() => dismissToast(id), LIFETIME_MS[tone]);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(subscribe, () => toasts);
}
