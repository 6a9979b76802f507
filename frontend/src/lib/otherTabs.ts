/** A change of the session in one tab, sent to the browser's other tabs. */
export type SessionMessage = "signedIn" | "signedOut";

const CHANNEL = "pastelka.session";

/** Send a message to the other tabs. */
export function notifyOtherTabs(message: SessionMessage): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(message);
  channel.close();
}

/** Subscribe to the other tabs' messages; returns the function that unsubscribes. */
export function listenToOtherTabs(onMessage: (message: SessionMessage) => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<SessionMessage>) => onMessage(data);
  return () => channel.close();
}
