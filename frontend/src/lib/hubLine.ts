import { reportConnection, type ConnectionState } from "./connection";
import { isHubCookieOver } from "./hubCookie";
import { HubRenewal } from "./hubRenewal";
import type { MercureEvent } from "@/types";

const HUB = "/.well-known/mercure";
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 1500;
/** A hub that is away for minutes is asked less often. */
const PATIENT_AFTER = 80;
const PATIENT_RETRY_MS = 10_000;
/** How long the browser's own reconnect may take before the line is opened anew. */
const BROWSER_RETRY_MS = 1000;
const OFFLINE_AFTER_MS = 10_000;
const TICK_MS = 5000;
/** A clock that jumped by this much means that the machine slept, and the line may be dead unnoticed. */
const SLEPT_MS = 20_000;

export interface LineListener {
  onEvent: (event: MercureEvent) => void;
  /** The line is open, for the first time or again: updates may have been missed. */
  onOpen: () => void;
  /** Get a new cookie for the hub. */
  renew: () => Promise<unknown>;
}

const KINDS: readonly unknown[] = ["order_update", "list_update", "image_status"];

/** An update of the hub; null when it is not one of ours. */
export function parseEvent(data: string): MercureEvent | null {
  try {
    const event: unknown = JSON.parse(data);
    const ours = typeof event === "object" && event !== null && "type" in event && KINDS.includes(event.type);
    return ours ? (event as MercureEvent) : null;
  } catch {
    return null;
  }
}

/** How long to wait before opening the line for the `attempt`th time, in milliseconds; spread by a quarter. */
export function retryDelay(attempt: number, random: number): number {
  const longest = attempt > PATIENT_AFTER ? PATIENT_RETRY_MS : LONGEST_RETRY_MS;
  return Math.min(FIRST_RETRY_MS * 2 ** attempt, longest) * (0.75 + random / 4);
}

/**
 * One EventSource for a set of topics, kept open. The browser reconnects with `Last-Event-ID`; where it
 * gives up (the hub refused, the gateway said 502) or takes long, the line is opened anew with the same id.
 */
export class HubLine {
  readonly #name: string;
  readonly #topics: readonly string[];
  readonly #listeners = new Set<LineListener>();
  readonly #renewal = new HubRenewal({
    renew: () => this.#renewCookie(),
    open: () => this.#connect(),
    take: (source) => this.#take(source),
  });
  #source: EventSource | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #offline: ReturnType<typeof setTimeout> | undefined;
  #ticking: ReturnType<typeof setInterval> | undefined;
  #lastTick = 0;
  #attempt = 0;
  #lastEventId = "";
  #state: ConnectionState = "reconnecting";

  constructor(topics: readonly string[]) {
    this.#topics = topics;
    this.#name = topics.join(" ");
  }

  /** Listen; the first listener opens the line, and the last one to leave closes it. */
  listen(listener: LineListener): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#start();
    else if (this.#state === "live") listener.onOpen();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  #start(): void {
    addEventListener("online", this.#restart);
    addEventListener("offline", this.#onOffline);
    this.#lastTick = Date.now();
    this.#ticking = setInterval(this.#tick, TICK_MS);
    document.addEventListener("visibilitychange", this.#tick);
    this.#report("reconnecting");
    this.#open();
  }

  #stop(): void {
    removeEventListener("online", this.#restart);
    removeEventListener("offline", this.#onOffline);
    document.removeEventListener("visibilitychange", this.#tick);
    clearInterval(this.#ticking);
    clearTimeout(this.#offline);
    this.#offline = undefined;
    this.#close();
    reportConnection(this.#name, null);
  }

  #close(): void {
    clearTimeout(this.#retry);
    this.#renewal.stop();
    this.#source?.close();
    this.#source = null;
  }

  #open(): void {
    this.#close();
    this.#use(this.#connect());
  }

  #connect(): EventSource {
    const source = new EventSource(this.#url(), { withCredentials: true });
    source.onmessage = (message: MessageEvent<string>) => this.#onMessage(message);
    return source;
  }

  #use(source: EventSource): void {
    this.#source = source;
    source.onopen = () => this.#onOpen();
    source.onerror = () => this.#onError(source);
    this.#renewal.begin();
  }

  /** A stream that is open already goes on in place of the one there is. */
  #take(source: EventSource): void {
    this.#close();
    this.#use(source);
    this.#onOpen();
  }

  #url(): string {
    const query = new URLSearchParams(this.#topics.map((topic) => ["topic", topic]));
    if (this.#lastEventId) query.set("lastEventID", this.#lastEventId);
    return `${HUB}?${query.toString()}`;
  }

  #onOpen(): void {
    clearTimeout(this.#retry);
    this.#attempt = 0;
    this.#report("live");
    // Not left to the hub's history: after a restart of its own it may replay nothing until the next update.
    for (const listener of [...this.#listeners]) listener.onOpen();
  }

  #onMessage(message: MessageEvent<string>): void {
    if (message.lastEventId) this.#lastEventId = message.lastEventId;
    const event = parseEvent(message.data);
    if (event) for (const listener of [...this.#listeners]) listener.onEvent(event);
  }

  #onError(source: EventSource): void {
    this.#report("reconnecting");
    clearTimeout(this.#retry);
    const refused = source.readyState === EventSource.CLOSED;
    const delay = refused ? retryDelay(this.#attempt, Math.random()) : BROWSER_RETRY_MS;
    this.#retry = setTimeout(() => void this.#reopen(refused), delay);
  }

  async #reopen(refused: boolean): Promise<void> {
    const former = this.#source;
    this.#attempt += 1;
    // A refusal may mean that the cookie ran out.
    if (refused || isHubCookieOver()) await this.#renewCookie().catch(() => null);
    if (this.#listeners.size > 0 && this.#source === former) this.#open();
  }

  #renewCookie(): Promise<unknown> {
    const [listener] = this.#listeners;
    return listener?.renew() ?? Promise.resolve();
  }

  readonly #restart = (): void => {
    this.#report("reconnecting");
    // After a long sleep the cookie is over.
    if (isHubCookieOver()) void this.#reopen(true);
    else this.#open();
  };

  readonly #onOffline = (): void => this.#report("offline");

  readonly #tick = (): void => {
    const now = Date.now();
    const slept = now - this.#lastTick > SLEPT_MS;
    // Timers of a hidden tab are slowed down, which looks like sleep: judged when it is shown again.
    if (document.visibilityState === "hidden") return;
    this.#lastTick = now;
    if (slept) this.#restart();
  };

  #report(state: ConnectionState): void {
    if (state === "reconnecting") this.#expectOffline();
    else {
      clearTimeout(this.#offline);
      this.#offline = undefined;
    }
    // What is offline stays so until it is live again.
    const shown = state === "reconnecting" && this.#state === "offline" ? "offline" : state;
    this.#state = shown;
    reportConnection(this.#name, shown);
  }

  #expectOffline(): void {
    this.#offline ??= setTimeout(() => this.#report("offline"), OFFLINE_AFTER_MS);
  }
}

const lines = new Map<string, HubLine>();

/** The line for these topics; everything on screen that needs the same ones shares it. */
export function lineFor(topics: readonly string[]): HubLine {
  const name = topics.join(" ");
  const line = lines.get(name) ?? new HubLine(topics);
  lines.set(name, line);
  return line;
}
