import { hubCookieUntil } from "./hubCookie";

/** The hub closes a stream after 80 to 100 % of the cookie's remaining lifetime, less 5 s: with 20 s after 11 s. */
const LIFETIME_DIVISOR = 3;
/** With less remaining lifetime the hub may close the stream first; the ordinary reconnect then reopens it. */
const MIN_REMAINING_MS = 2000;
const RETRY_MS = 15_000;
/** A cookie that expires less than this after the open stream's cookie was not renewed. */
const MIN_EXTENSION_MS = 1000;

interface Hooks {
  /** Get a new cookie. */
  renew: () => Promise<unknown>;
  /** Open a stream with the current cookie. */
  open: () => EventSource;
  /** The new stream is open and replaces the old one. */
  replace: (source: EventSource) => void;
}

/**
 * Replaces a stream before the hub closes it because its cookie expires. The new one is open before the old one
 * is closed, so that no update is missed and the connection is never down.
 */
export class HubRenewal {
  readonly #hooks: Hooks;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next: EventSource | null = null;
  /** Number of the current stream, so that a renewal for an older one is discarded. */
  #generation = 0;
  /** When the cookie of the open stream expires. */
  #until = 0;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** Schedule the renewal of a stream that was opened with the current cookie. */
  start(): void {
    this.stop();
    const until = hubCookieUntil();
    if (until === null) return;
    this.#until = until;
    this.#schedule((until - Date.now()) / LIFETIME_DIVISOR);
  }

  stop(): void {
    this.#generation += 1;
    clearTimeout(this.#timer);
    this.#next?.close();
    this.#next = null;
  }

  #schedule(delay: number): void {
    if (this.#until - Date.now() < MIN_REMAINING_MS) return;
    this.#timer = setTimeout(() => void this.#renew(), delay);
  }

  async #renew(): Promise<void> {
    const generation = this.#generation;
    if (!this.#hasNewer()) await this.#hooks.renew().catch(() => null);
    if (generation !== this.#generation) return;
    if (this.#hasNewer()) this.#replace();
    else this.#scheduleRetry();
  }

  #scheduleRetry(): void {
    this.#schedule(Math.min((this.#until - Date.now()) / LIFETIME_DIVISOR, RETRY_MS));
  }

  #hasNewer(): boolean {
    return (hubCookieUntil() ?? 0) > this.#until + MIN_EXTENSION_MS;
  }

  #replace(): void {
    const next = this.#hooks.open();
    this.#next = next;
    next.onopen = () => {
      this.#next = null;
      this.#hooks.replace(next);
    };
    next.onerror = () => {
      next.close();
      this.#next = null;
      this.#scheduleRetry();
    };
  }
}
