import { useSyncExternalStore } from "react";

const STORED = "pastelka.notifications";
const listeners = new Set<() => void>();

/** `unavailable`: the browser has none, or the user forbade them in it. */
export type NotificationChoice = "on" | "off" | "unavailable";

function current(): NotificationChoice {
  if (!("Notification" in window) || Notification.permission === "denied") return "unavailable";
  const isOn = Notification.permission === "granted" && localStorage.getItem(STORED) === "on";
  return isOn ? "on" : "off";
}

/**
 * Turn notifications on, which asks the user for the browser's permission, or off. Resolves to whether the user
 * forbade them.
 */
export async function chooseNotifications(choice: "on" | "off"): Promise<boolean> {
  if (choice === "on" && Notification.permission === "default") await Notification.requestPermission();
  localStorage.setItem(STORED, choice);
  for (const listener of listeners) listener();
  return choice === "on" && Notification.permission === "denied";
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("storage", listener);
  };
}

export function useNotificationChoice(): NotificationChoice {
  return useSyncExternalStore(subscribe, current);
}

interface Message {
  title: string;
  body: string;
  /** A notification replaces an earlier one with the same tag. */
  tag: string;
  /** On a click, after this tab got the focus. */
  onOpen: () => void;
}

/** Show a desktop notification, if the user turned them on. */
export function notify({ title, body, tag, onOpen }: Message): void {
  if (current() !== "on") return;
  const notification = create(title, { body, tag, icon: "/icon.svg" });
  if (notification === null) return;
  notification.onclick = () => {
    window.focus();
    onOpen();
    notification.close();
  };
}

/** Browsers of phones have the class, and refuse to construct it. */
function create(title: string, options: NotificationOptions): Notification | null {
  try {
    return new Notification(title, options);
  } catch {
    return null;
  }
}
