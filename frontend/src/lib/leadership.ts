const LOCK = "pastelka.hub";

interface Hooks {
  /** This tab becomes the leader. */
  lead: () => void;
  /** Another tab becomes the leader, or none. */
  follow: () => void;
}

/**
 * Elects one tab of the browser as the leader by a Web Lock, which the browser gives to another tab when the
 * leader is closed or crashes. Without Web Locks (plain HTTP to another machine) every visible tab leads.
 */
export class Leadership {
  readonly #hooks: Hooks;
  #isJoined = false;
  #waiting = new AbortController();
  #release: (() => void) | null = null;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** Whether this tab leads. */
  get isLeader(): boolean {
    return this.#release !== null;
  }

  /** Lead as soon as no other tab leads. */
  join(): void {
    this.#isJoined = true;
    if (hasLocks()) this.#request();
    else {
      document.addEventListener("visibilitychange", this.#leadWhileVisible);
      this.#leadWhileVisible();
    }
  }

  leave(): void {
    this.#isJoined = false;
    document.removeEventListener("visibilitychange", this.#leadWhileVisible);
    this.#waiting.abort();
    this.#resign();
  }

  /** Take over from a leader that does not respond: the browser may have frozen it. */
  takeOver(): void {
    if (!this.#isJoined || this.isLeader || !hasLocks()) return;
    this.#waiting.abort();
    this.#request(true);
  }

  #request(steal = false): void {
    const waiting = new AbortController();
    this.#waiting = waiting;
    // `steal` cannot be combined with a signal, and is granted at once.
    const options = steal ? { steal } : { signal: waiting.signal };
    navigator.locks.request(LOCK, options, () => this.#hold(waiting.signal)).catch(() => this.#lose(waiting));
  }

  /** Lead until this tab leaves or another one takes over. */
  #hold(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#lead(resolve));
  }

  #lead(release: () => void): void {
    this.#release = release;
    this.#hooks.lead();
  }

  /** The request was aborted, or another tab took over; in that case request the lock again. */
  #lose(waiting: AbortController): void {
    if (waiting !== this.#waiting || waiting.signal.aborted) return;
    this.#resign();
    this.#request();
  }

  #resign(): void {
    if (this.#release === null) return;
    this.#release();
    this.#release = null;
    this.#hooks.follow();
  }

  readonly #leadWhileVisible = (): void => {
    if (document.visibilityState === "hidden") this.#resign();
    else if (!this.isLeader) this.#lead(() => undefined);
  };
}

/** Web Locks exist only in secure contexts: TLS or localhost. */
function hasLocks(): boolean {
  return Boolean((navigator as Partial<Navigator>).locks);
}
