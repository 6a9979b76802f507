/** What happened to the session in one tab, told to the others of this browser. */
export type SessionMessage = "signedIn" | "signedOut";

const CHANNEL = "pastelka.session";

/** Tell the other tabs. */
export function notifyOtherTabs(message: SessionMessage): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(message);
  channel.close();
}

/** Hear what other tabs tell; gives what ends that. */
export function listenToOtherTabs(onMessage: (message: SessionMessage) => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<SessionMessage>) => onMessage(data);
  return () => channel.close();
}
