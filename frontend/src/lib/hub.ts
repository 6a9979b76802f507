import type { MercureEvent } from "@/types";
import { reportConnection, type ConnectionState } from "./connection";
import type { HubMessage } from "./hubMessage";
import { HubStream } from "./hubStream";
import { Leadership } from "./leadership";

const CHANNEL = "pastelka.hub";
const TICK_MS = 5000;
/** The leading tab broadcasts at least each heartbeat (15 s). */
const LEADER_SILENCE_MS = 20_000;
/** Timeout for the response to `hello`; a frozen tab never responds. */
const HELLO_TIMEOUT_MS = 3000;

export interface HubListener {
  onEvent: (event: MercureEvent) => void;
  /** Updates may have been missed: the stream opened, or was open when this listener subscribed. */
  onOpen: () => void;
  /** Get a new cookie for the hub. */
  renew: () => Promise<unknown>;
}

/**
 * The hub's updates for this tab. One tab of the browser leads: it has the stream and broadcasts its updates,
 * because over HTTP/1.1 a browser opens only six connections to a server. When that tab is closed or does not
 * respond, another one opens the stream after the last update, and its opening makes all tabs refetch.
 */
export class Hub {
  readonly #listeners = new Set<HubListener>();
  readonly #leadership = new Leadership({ lead: () => this.#lead(), follow: () => this.#follow() });
  readonly #stream = new HubStream({
    onState: (state) => this.#broadcastState(state),
    onOpen: () => this.#broadcast({ kind: "open", lastEventId: this.#stream.lastEventId }),
    onEvent: (event) => this.#broadcast({ kind: "event", event, lastEventId: this.#stream.lastEventId }),
    onHeartbeat: () => this.#broadcastState(this.#state),
    renew: () => this.#renewCookie(),
  });
  #channel: BroadcastChannel | null = null;
  #tickTimer: ReturnType<typeof setInterval> | undefined;
  #pingTimer: ReturnType<typeof setTimeout> | undefined;
  #state: ConnectionState = "reconnecting";
  #lastEventId = "";
  /** Time of the leading tab's last message (ms since the epoch). */
  #heardAt = 0;
  /** Whether this tab may have missed updates: before it joined, or while it was frozen. */
  #hasMissed = true;

  /** Whether this tab has the stream. */
  get isLeader(): boolean {
    return this.#leadership.isLeader;
  }

  /** Subscribe; returns the function that unsubscribes. The tab takes part while it has listeners. */
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
    this.#channel.onmessage = ({ data }: MessageEvent<HubMessage>) => this.#onMessage(data);
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.#tickTimer = setInterval(this.#tick, TICK_MS);
    this.#heardAt = Date.now();
    this.#hasMissed = true;
    this.#setState("reconnecting");
    this.#leadership.join();
    this.#pingLeader();
  }

  #leave(): void {
    this.#leadership.leave();
    document.removeEventListener("visibilitychange", this.#onVisibility);
    clearInterval(this.#tickTimer);
    clearTimeout(this.#pingTimer);
    this.#channel?.close();
    this.#channel = null;
    this.#state = "reconnecting";
    reportConnection(null);
  }

  #lead(): void {
    clearTimeout(this.#pingTimer);
    // The opening of the stream triggers the refetch.
    this.#hasMissed = false;
    this.#stream.start(this.#lastEventId);
  }

  #follow(): void {
    this.#stream.stop();
    this.#heardAt = Date.now();
    this.#hasMissed = true;
    this.#setState("reconnecting");
  }

  /** Send a message to the other tabs, and apply it in this one. */
  #broadcast(message: HubMessage): void {
    this.#channel?.postMessage(message);
    this.#apply(message);
  }

  #broadcastState(state: ConnectionState): void {
    this.#broadcast({ kind: "state", state, lastEventId: this.#stream.lastEventId });
  }

  /** A message of another tab. */
  #onMessage(message: HubMessage): void {
    if (message.kind !== "hello") {
      if (!this.#leadership.isLeader) this.#apply(message);
    } else if (this.#leadership.isLeader) {
      // Browsers throttle the timers of hidden tabs, so check the stream now that a visible tab asks.
      this.#stream.checkSilence();
      this.#broadcastState(this.#state);
    }
  }

  #apply(message: HubMessage): void {
    if (message.kind === "hello") return;
    this.#heardAt = Date.now();
    if (message.lastEventId) this.#lastEventId = message.lastEventId;
    if (message.kind === "state") this.#setState(message.state);
    const isLive = message.kind === "state" && message.state === "live";
    if (message.kind === "open" || (isLive && this.#hasMissed)) this.#refetch();
    if (message.kind === "event")
      for (const listener of [...this.#listeners]) listener.onEvent(message.event);
  }

  #refetch(): void {
    this.#hasMissed = false;
    for (const listener of [...this.#listeners]) listener.onOpen();
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    reportConnection(state);
  }

  readonly #onVisibility = (): void => {
    // Phones freeze all hidden tabs: this one may have been frozen, and the leading one is now.
    if (document.visibilityState === "visible") this.#pingLeader();
  };

  readonly #tick = (): void => {
    if (document.visibilityState === "visible" && this.#isLeaderSilent()) this.#pingLeader();
  };

  #isLeaderSilent(): boolean {
    return Date.now() - this.#heardAt > LEADER_SILENCE_MS;
  }

  /** Ping the leading tab, and take over if it does not respond. */
  #pingLeader(): void {
    if (this.#leadership.isLeader) return;
    if (this.#isLeaderSilent()) this.#hasMissed = true;
    const sentAt = Date.now();
    this.#channel?.postMessage({ kind: "hello" } satisfies HubMessage);
    clearTimeout(this.#pingTimer);
    this.#pingTimer = setTimeout(() => {
      if (this.#heardAt <= sentAt) this.#leadership.takeOver();
    }, HELLO_TIMEOUT_MS);
  }

  #renewCookie(): Promise<unknown> {
    const [listener] = this.#listeners;
    return listener?.renew() ?? Promise.resolve();
  }
}

/** The hub client of this tab. */
export const hub = new Hub();
