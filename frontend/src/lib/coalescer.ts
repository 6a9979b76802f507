import { ApiError } from "@/api/client";

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 8000;

/** The API's refusals (4xx) are permanent; everything else may succeed later. */
function isTransient(error: unknown): boolean {
  return !(error instanceof ApiError && error.status >= 400 && error.status < 500);
}

/**
 * Coalesces runs of a function by key: calls within `delayMs` cause one run, and calls during a run cause one
 * more after it. Transient failures (no response, the API restarting) are retried with exponential backoff:
 * otherwise the page would stay outdated.
 */
export class Coalescer<Key> {
  readonly #run: (key: Key) => Promise<unknown>;
  readonly #delayMs: number;
  /** Number of stops: a run from before the last stop schedules no further run. */
  #stops = 0;
  readonly #waiting = new Map<Key, ReturnType<typeof setTimeout>>();
  readonly #running = new Set<Key>();
  readonly #again = new Set<Key>();
  readonly #failures = new Map<Key, number>();

  constructor(run: (key: Key) => Promise<unknown>, delayMs: number) {
    this.#run = run;
    this.#delayMs = delayMs;
  }

  schedule(key: Key): void {
    if (this.#running.has(key)) this.#again.add(key);
    else this.#plan(key, this.#delayMs);
  }

  /** Cancel all scheduled runs. */
  stop(): void {
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    this.#again.clear();
    this.#failures.clear();
    this.#stops += 1;
  }

  /** Schedule a run after `delayMs`; keeps a scheduled run, but replaces a scheduled retry. */
  #plan(key: Key, delayMs: number): void {
    if (this.#waiting.has(key) && !this.#failures.has(key)) return;
    clearTimeout(this.#waiting.get(key));
    this.#waiting.set(
      key,
      setTimeout(() => void this.#start(key), delayMs),
    );
  }

  async #start(key: Key): Promise<void> {
    this.#waiting.delete(key);
    this.#running.add(key);
    const stops = this.#stops;
    const failed = await this.#run(key).then(
      () => false,
      (error: unknown) => isTransient(error),
    );
    this.#running.delete(key);
    const failures = failed ? (this.#failures.get(key) ?? 0) + 1 : 0;
    if (failed) this.#failures.set(key, failures);
    else this.#failures.delete(key);
    if (stops !== this.#stops) return;
    if (this.#again.delete(key)) this.#plan(key, this.#delayMs);
    else if (failed) this.#plan(key, Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS));
  }
}
