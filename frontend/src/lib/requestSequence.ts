/**
 * Decides which of several answers about the same thing is the newest. Requests take a turn when they
 * start; an answer counts unless one with a later turn was taken before.
 */
export class RequestSequence<Key> {
  #last = 0;
  readonly #accepted = new Map<Key, number>();

  /** The turn of a request that starts now. */
  next(): number {
    return ++this.#last;
  }

  /** Take the answer of `turn` about `key`; false when a newer one is here already. */
  accept(key: Key, request: number): boolean {
    if ((this.#accepted.get(key) ?? 0) > request) return false;
    this.#accepted.set(key, request);
    return true;
  }
}
