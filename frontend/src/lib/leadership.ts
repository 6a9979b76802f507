const LOCK = "pastelka.hub";

interface Hooks {
  /** This tab leads from now on. */
  lead: () => void;
  /** Another tab leads now, or none does. */
  follow: () => void;
}

/**
 * Makes one tab of the browser the leader, by a lock that the browser gives on when its tab is closed or
 * crashes (Web Locks). Where pages have no locks (plain HTTP to another machine), every tab that can be
 * seen leads.
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

  /** Lead as soon as no other tab does. */
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

  /** Lead in place of a tab that does not answer: the browser may have frozen it. */
  takeOver(): void {
    if (!this.#isJoined || this.isLeader || !hasLocks()) return;
    this.#waiting.abort();
    this.#request(true);
  }

  #request(steal = false): void {
    const waiting = new AbortController();
    this.#waiting = waiting;
    // The browser takes no signal with `steal`, which is granted at once.
    const options = steal ? { steal } : { signal: waiting.signal };
    navigator.locks.request(LOCK, options, () => this.#hold(waiting.signal)).catch(() => this.#lose(waiting));
  }

  /** Lead until this is over or another tab takes over. */
  #hold(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#lead(resolve));
  }

  #lead(release: () => void): void {
    this.#release = release;
    this.#hooks.lead();
  }

  /** The request was withdrawn, or another tab has taken over: it is in line again behind that one. */
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

/** Only where the page came over TLS or from this machine. */
function hasLocks(): boolean {
  return Boolean((navigator as Partial<Navigator>).locks);
}
