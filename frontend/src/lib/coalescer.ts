/**
 * Runs work for a key, however often it is asked for: what is asked within `delayMs` becomes one run, and
 * what is asked while one runs becomes one more run after it.
 */
export class Coalescer<Key> {
  readonly #run: (key: Key) => Promise<unknown>;
  readonly #delayMs: number;
  readonly #waiting = new Map<Key, ReturnType<typeof setTimeout>>();
  readonly #running = new Set<Key>();
  readonly #again = new Set<Key>();

  constructor(run: (key: Key) => Promise<unknown>, delayMs: number) {
    this.#run = run;
    this.#delayMs = delayMs;
  }

  ask(key: Key): void {
    if (this.#running.has(key)) this.#again.add(key);
    else if (!this.#waiting.has(key))
      this.#waiting.set(
        key,
        setTimeout(() => void this.#start(key), this.#delayMs),
      );
  }

  /** Forget what has not started. */
  stop(): void {
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    this.#again.clear();
  }

  async #start(key: Key): Promise<void> {
    this.#waiting.delete(key);
    this.#running.add(key);
    try {
      await this.#run(key);
    } finally {
      this.#running.delete(key);
      if (this.#again.delete(key)) this.ask(key);
    }
  }
}
