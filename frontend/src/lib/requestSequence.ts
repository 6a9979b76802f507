/**
 * Drops outdated responses. Each request takes a number when it starts; a response about a key is accepted unless
 * one with a higher number was accepted before.
 */
export class RequestSequence<Key> {
  #last = 0;
  readonly #accepted = new Map<Key, number>();
  /** Number of changes of a key in progress. */
  readonly #held = new Map<Key, number>();

  /** The number of a request that starts now. */
  next(): number {
    return ++this.#last;
  }

  /** Whether the response to `request` about `key` is the newest; later calls compare with it. */
  accept(key: Key, request: number): boolean {
    if (this.#held.has(key) || (this.#accepted.get(key) ?? 0) > request) return false;
    this.#accepted.set(key, request);
    return true;
  }

  /** Reject responses about `key` until `release`: they may be from before a change that is shown already. */
  hold(key: Key): void {
    this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
  }

  /** End one `hold`. Responses to requests that started before it stay rejected. */
  release(key: Key): void {
    const left = (this.#held.get(key) ?? 0) - 1;
    if (left > 0) this.#held.set(key, left);
    else this.#held.delete(key);
    this.#accepted.set(key, this.next());
  }
}
