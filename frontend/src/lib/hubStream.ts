import type { MercureEvent } from "@/types";
import type { ConnectionState } from "./connection";
import { isHubCookieOver } from "./hubCookie";
import { HEARTBEAT, parseEvent, TOPICS } from "./hubMessage";
import { HubRenewal } from "./hubRenewal";

const HUB = "/.well-known/mercure";
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 1500;
/** After this many attempts (some minutes) the retries become rare. */
const SLOW_RETRY_AFTER = 80;
const SLOW_RETRY_MS = 10_000;
/** How long the browser's own reconnect may take before the stream is reopened. */
const BROWSER_RETRY_MS = 1000;
const OFFLINE_AFTER_MS = 10_000;
const TICK_MS = 5000;
/** The notifier sends a heartbeat every 15 s: after three missing ones the connection counts as dead. */
export const SILENCE_MS = 45_000;
/** The hub responds at once; a request on a dead keep-alive connection never gets a response. */
const OPENING_MS = 10_000;

interface Hooks {
  onState: (state: ConnectionState) => void;
  /** The stream opened, for the first time or again: updates may have been missed. */
  onOpen: () => void;
  onEvent: (event: MercureEvent) => void;
  onHeartbeat: () => void;
  /** Get a new cookie for the hub. */
  renew: () => Promise<unknown>;
}

/** Backoff in milliseconds before the `attempt`th attempt, with up to 25 % jitter. */
export function retryDelay(attempt: number, random: number): number {
  const longest = attempt > SLOW_RETRY_AFTER ? SLOW_RETRY_MS : LONGEST_RETRY_MS;
  return Math.min(FIRST_RETRY_MS * 2 ** attempt, longest) * (0.75 + random / 4);
}

/**
 * An EventSource that is kept open. The browser reconnects with `Last-Event-ID`; if it gives up (the hub refused,
 * the gateway returned 502), takes too long, or does not notice that the connection died, this class reopens
 * the stream with the same id.
 */
export class HubStream {
  readonly #hooks: Hooks;
  readonly #renewal: HubRenewal;
  #source: EventSource | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #offlineTimer: ReturnType<typeof setTimeout> | undefined;
  #tickTimer: ReturnType<typeof setInterval> | undefined;
  #isRunning = false;
  #attempt = 0;
  /** Time of the hub's last message, or of the stream's start (ms since the epoch). */
  #heardAt = 0;
  #lastEventId = "";
  #state: ConnectionState = "reconnecting";

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
    this.#renewal = new HubRenewal({
      renew: hooks.renew,
      open: () => this.#connect(),
      replace: (source) => this.#replaceWith(source),
    });
  }

  /** The id after which the hub would continue. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  start(lastEventId: string): void {
    this.#isRunning = true;
    this.#lastEventId = lastEventId;
    addEventListener("online", this.#restart);
    addEventListener("offline", this.#onOffline);
    document.addEventListener("visibilitychange", this.checkSilence);
    this.#tickTimer = setInterval(this.checkSilence, TICK_MS);
    this.#report("reconnecting");
    this.#open();
  }

  stop(): void {
    this.#isRunning = false;
    removeEventListener("online", this.#restart);
    removeEventListener("offline", this.#onOffline);
    document.removeEventListener("visibilitychange", this.checkSilence);
    clearInterval(this.#tickTimer);
    clearTimeout(this.#offlineTimer);
    this.#offlineTimer = undefined;
    this.#state = "reconnecting";
    this.#close();
  }

  /** Reopen the stream if it has been silent for too long: the connection is dead, or the machine slept. */
  readonly checkSilence = (): void => {
    const source = this.#source;
    if (source === null || source.readyState === EventSource.CLOSED) return;
    const longest = source.readyState === EventSource.OPEN ? SILENCE_MS : OPENING_MS;
    if (Date.now() - this.#heardAt > longest) this.#restart();
  };

  #close(): void {
    clearTimeout(this.#retryTimer);
    this.#renewal.stop();
    this.#source?.close();
    this.#source = null;
  }

  #open(): void {
    this.#close();
    this.#heardAt = Date.now();
    this.#use(this.#connect());
  }

  #connect(): EventSource {
    const source = new EventSource(this.#url(), { withCredentials: true });
    source.onmessage = (message: MessageEvent<string>) => this.#onMessage(message);
    source.addEventListener(HEARTBEAT, (message: MessageEvent<string>) => this.#onHeartbeat(message));
    return source;
  }

  #use(source: EventSource): void {
    this.#source = source;
    source.onopen = () => this.#onOpen();
    source.onerror = () => this.#onError(source);
    this.#renewal.start();
  }

  /** Replace the current stream with one that is already open. */
  #replaceWith(source: EventSource): void {
    this.#close();
    this.#use(source);
    this.#onOpen();
  }

  #url(): string {
    const query = new URLSearchParams(TOPICS.map((topic) => ["topic", topic]));
    if (this.#lastEventId) query.set("lastEventID", this.#lastEventId);
    return `${HUB}?${query.toString()}`;
  }

  #onOpen(): void {
    clearTimeout(this.#retryTimer);
    this.#attempt = 0;
    this.#heardAt = Date.now();
    // Always refetch: after a restart the hub may replay nothing until the next update.
    this.#hooks.onOpen();
    this.#report("live");
  }

  #note(message: MessageEvent<string>): void {
    this.#heardAt = Date.now();
    if (message.lastEventId) this.#lastEventId = message.lastEventId;
  }

  #onMessage(message: MessageEvent<string>): void {
    this.#note(message);
    const event = parseEvent(message.data);
    if (event) this.#hooks.onEvent(event);
  }

  #onHeartbeat(message: MessageEvent<string>): void {
    this.#note(message);
    this.#hooks.onHeartbeat();
  }

  #onError(source: EventSource): void {
    this.#report("reconnecting");
    clearTimeout(this.#retryTimer);
    const refused = source.readyState === EventSource.CLOSED;
    const delay = refused ? retryDelay(this.#attempt, Math.random()) : BROWSER_RETRY_MS;
    this.#retryTimer = setTimeout(() => void this.#reopen(refused), delay);
  }

  async #reopen(refused: boolean): Promise<void> {
    const former = this.#source;
    this.#attempt += 1;
    // A refusal may mean that the cookie expired.
    if (refused || isHubCookieOver()) await this.#hooks.renew().catch(() => null);
    if (this.#isRunning && this.#source === former) this.#open();
  }

  readonly #restart = (): void => {
    this.#report("reconnecting");
    // After a long sleep the cookie has expired.
    if (!isHubCookieOver()) this.#open();
    else {
      this.#heardAt = Date.now();
      void this.#reopen(true);
    }
  };

  readonly #onOffline = (): void => this.#report("offline");

  #report(state: ConnectionState): void {
    if (state === "reconnecting") this.#expectOffline();
    else {
      clearTimeout(this.#offlineTimer);
      this.#offlineTimer = undefined;
    }
    // Offline lasts until the stream is live again.
    this.#state = state === "reconnecting" && this.#state === "offline" ? "offline" : state;
    this.#hooks.onState(this.#state);
  }

  #expectOffline(): void {
    this.#offlineTimer ??= setTimeout(() => this.#report("offline"), OFFLINE_AFTER_MS);
  }
}
