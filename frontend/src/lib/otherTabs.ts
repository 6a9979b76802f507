/** What happened to the session in one tab, told to the others of this browser. */
export type SessionNews = "entered" | "left";

const CHANNEL = "pastelka.session";

/** Tell the other tabs. */
export function tellOtherTabs(news: SessionNews): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(news);
  channel.close();
}

/** Hear what other tabs tell; gives what ends that. */
export function hearOtherTabs(onNews: (news: SessionNews) => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<SessionNews>) => onNews(data);
  return () => channel.close();
}
