import type { MercureEvent } from "@/types";
import { reportConnection, type ConnectionState } from "./connection";
import type { HubMessage } from "./hubMessage";
import { HubStream } from "./hubStream";
import { Leadership } from "./leadership";

const CHANNEL = "pastelka.hub";
const TICK_MS = 5000;
/** The tab with the stream is heard at least with each of its heartbeats (15 s). */
const QUIET_MS = 20_000;
/** How long a tab may take to answer `hello`; one that the browser froze never does. */
const ANSWER_MS = 3000;

export interface HubListener {
  onEvent: (event: MercureEvent) => void;
  /** Updates may have been missed: the stream is open, or was when this listener came. */
  onOpen: () => void;
  /** Get a new cookie for the hub. */
  renew: () => Promise<unknown>;
}

/**
 * The hub's updates for everything in this tab. One tab of the browser has the stream and passes on what it
 * brings, because over HTTP/1.1 a browser has six connections to a server in all. When that tab is closed,
 * or does not answer, another one opens the stream after the last update; its opening makes all refetch.
 */
export class Hub {
  readonly #listeners = new Set<HubListener>();
  readonly #leadership = new Leadership({ lead: () => this.#lead(), follow: () => this.#follow() });
  readonly #stream = new HubStream({
    onState: (state) => this.#tellState(state),
    onOpen: () => this.#pass({ kind: "open", lastEventId: this.#stream.lastEventId }),
    onEvent: (event) => this.#pass({ kind: "event", event, lastEventId: this.#stream.lastEventId }),
    onHeartbeat: () => this.#tellState(this.#state),
    renew: () => this.#renewCookie(),
  });
  #channel: BroadcastChannel | null = null;
  #ticking: ReturnType<typeof setInterval> | undefined;
  #asking: ReturnType<typeof setTimeout> | undefined;
  #state: ConnectionState = "reconnecting";
  #lastEventId = "";
  /** When the tab with the stream was last heard (ms since the epoch). */
  #heardAt = 0;
  /** Whether updates were passed on that this tab did not hear: before it came, or while it was frozen. */
  #hasMissed = true;

  /** Listen; gives what ends that. The tab takes part for as long as somebody in it listens. */
  listen(listener: HubListener): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#join();
    else if (this.#state === "live") listener.onOpen();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#leave();
    };
  }

  #join(): void {
    this.#channel = new BroadcastChannel(CHANNEL);
    this.#channel.onmessage = ({ data }: MessageEvent<HubMessage>) => this.#hear(data);
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.#ticking = setInterval(this.#tick, TICK_MS);
    this.#heardAt = Date.now();
    this.#hasMissed = true;
    this.#show("reconnecting");
    this.#leadership.join();
    this.#askLeader();
  }

  #leave(): void {
    this.#leadership.leave();
    document.removeEventListener("visibilitychange", this.#onVisibility);
    clearInterval(this.#ticking);
    clearTimeout(this.#asking);
    this.#channel?.close();
    this.#channel = null;
    this.#state = "reconnecting";
    reportConnection(null);
  }

  #lead(): void {
    clearTimeout(this.#asking);
    // Its opening tells.
    this.#hasMissed = false;
    this.#stream.start(this.#lastEventId);
  }

  #follow(): void {
    this.#stream.stop();
    this.#heardAt = Date.now();
    this.#hasMissed = true;
    this.#show("reconnecting");
  }

  /** Tell the other tabs and this one. */
  #pass(message: HubMessage): void {
    this.#channel?.postMessage(message);
    this.#take(message);
  }

  #tellState(state: ConnectionState): void {
    this.#pass({ kind: "state", state, lastEventId: this.#stream.lastEventId });
  }

  /** What another tab says. */
  #hear(message: HubMessage): void {
    if (message.kind !== "hello") {
      if (!this.#leadership.isLeader) this.#take(message);
    } else if (this.#leadership.isLeader) {
      // The timers of a tab that cannot be seen are slow; whoever asks can be seen.
      this.#stream.checkSilence();
      this.#tellState(this.#state);
    }
  }

  #take(message: HubMessage): void {
    if (message.kind === "hello") return;
    this.#heardAt = Date.now();
    if (message.lastEventId) this.#lastEventId = message.lastEventId;
    if (message.kind === "state") this.#show(message.state);
    const isLive = message.kind === "state" && message.state === "live";
    if (message.kind === "open" || (isLive && this.#hasMissed)) this.#refetch();
    if (message.kind === "event")
      for (const listener of [...this.#listeners]) listener.onEvent(message.event);
  }

  #refetch(): void {
    this.#hasMissed = false;
    for (const listener of [...this.#listeners]) listener.onOpen();
  }

  #show(state: ConnectionState): void {
    this.#state = state;
    reportConnection(state);
  }

  readonly #onVisibility = (): void => {
    // On a phone all tabs but the visible one are frozen: this one may have been, and the one with the stream is.
    if (document.visibilityState === "visible") this.#askLeader();
  };

  readonly #tick = (): void => {
    if (document.visibilityState === "visible" && this.#isQuiet()) this.#askLeader();
  };

  #isQuiet(): boolean {
    return Date.now() - this.#heardAt > QUIET_MS;
  }

  /** Ask for a sign of life, and take over where there is none. */
  #askLeader(): void {
    if (this.#leadership.isLeader) return;
    if (this.#isQuiet()) this.#hasMissed = true;
    const askedAt = Date.now();
    this.#channel?.postMessage({ kind: "hello" } satisfies HubMessage);
    clearTimeout(this.#asking);
    this.#asking = setTimeout(() => {
      if (this.#heardAt <= askedAt) this.#leadership.takeOver();
    }, ANSWER_MS);
  }

  #renewCookie(): Promise<unknown> {
    const [listener] = this.#listeners;
    return listener?.renew() ?? Promise.resolve();
  }
}

/** The one of this tab. */
export const hub = new Hub();
