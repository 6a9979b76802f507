import { hubCookieUntil } from "./hubCookie";

/** The hub ends a stream from 80 % of what its cookie had left at its opening, less 5 s: half of it is safe. */
const SHARE = 2;
/** With less than this left the hub may end the stream; it is opened anew the ordinary way. */
const LEAST_MS = 2000;
const TRY_AGAIN_MS = 15_000;
/** A cookie that runs out only so much later than that of the open stream was not renewed. */
const GAIN_MS = 1000;

interface Hooks {
  /** Get a new cookie. */
  renew: () => Promise<unknown>;
  /** Begin to open a stream with the cookie there is. */
  open: () => EventSource;
  /** The new stream is open: it takes the place of the other one. */
  take: (source: EventSource) => void;
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
  #turn = 0;
  /** When the cookie of the open stream runs out. */
  #until = 0;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** A stream was begun with the cookie of now. */
  begin(): void {
    this.stop();
    const until = hubCookieUntil();
    if (until === null) return;
    this.#until = until;
    this.#in((until - Date.now()) / SHARE);
  }

  stop(): void {
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#next?.close();
    this.#next = null;
  }

  #in(delay: number): void {
    if (this.#until - Date.now() < LEAST_MS) return;
    this.#timer = setTimeout(() => void this.#renew(), delay);
  }

  async #renew(): Promise<void> {
    const turn = this.#turn;
    if (!this.#hasNewer()) await this.#hooks.renew().catch(() => null);
    if (turn !== this.#turn) return;
    if (this.#hasNewer()) this.#replace();
    else this.#tryAgain();
  }

  #tryAgain(): void {
    this.#in(Math.min((this.#until - Date.now()) / SHARE, TRY_AGAIN_MS));
  }

  #hasNewer(): boolean {
    return (hubCookieUntil() ?? 0) > this.#until + GAIN_MS;
  }

  #replace(): void {
    const next = this.#hooks.open();
    this.#next = next;
    next.onopen = () => {
      this.#next = null;
      this.#hooks.take(next);
    };
    next.onerror = () => {
      next.close();
      this.#next = null;
      this.#tryAgain();
    };
  }
}
