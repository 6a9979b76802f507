import { hubCookieUntil } from "./hubCookie";

/** The hub ends a stream from 80 % of what its cookie had left at its opening, less 5 s: half of it is safe. */
const LIFETIME_DIVISOR = 2;
/** With less than this left the hub may end the stream; it is opened anew the ordinary way. */
const MIN_REMAINING_MS = 2000;
const RETRY_MS = 15_000;
/** A cookie that runs out only so much later than that of the open stream was not renewed. */
const MIN_EXTENSION_MS = 1000;

interface Hooks {
  /** Get a new cookie. */
  renew: () => Promise<unknown>;
  /** Begin to open a stream with the cookie there is. */
  open: () => EventSource;
  /** The new stream is open: it takes the place of the other one. */
  replace: (source: EventSource) => void;
}

/**
 * Replaces a stream before the hub ends it with its cookie. The new one is open before the old one is
 * closed, so that nothing is missed and the connection is never down.
 */
export class HubRenewal {
  readonly #hooks: Hooks;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next: EventSource | null = null;
  /** Counts the streams, so that what was begun for one is not ended for another. */
  #generation = 0;
  /** When the cookie of the open stream runs out. */
  #until = 0;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** A stream was begun with the cookie of now. */
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
