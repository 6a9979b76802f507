/**
 * Drops outdated responses. Each request takes a number when it starts; a response about a key is accepted unless
 * one with a higher number was accepted before.
 */
export class RequestSequence<Key> {
  #last = 0;
  readonly #accepted = new Map<Key, number>();

  /** The number of a request that starts now. */
  next(): number {
    return ++this.#last;
  }

  /** Whether the response to `request` about `key` is the newest; later calls compare with it. */
  accept(key: Key, request: number): boolean {
    if ((this.#accepted.get(key) ?? 0) > request) return false;
    this.#accepted.set(key, request);
    return true;
  }
}
