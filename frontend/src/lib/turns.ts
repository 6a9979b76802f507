/**
 * Decides which of several answers about the same thing is the newest. Requests take a turn when they
 * start; an answer counts unless one with a later turn was taken before.
 */
export class Turns<Key> {
  #last = 0;
  readonly #taken = new Map<Key, number>();

  /** The turn of a request that starts now. */
  begin(): number {
    return ++this.#last;
  }

  /** Take the answer of `turn` about `key`; false when a newer one is here already. */
  take(key: Key, turn: number): boolean {
    if ((this.#taken.get(key) ?? 0) > turn) return false;
    this.#taken.set(key, turn);
    return true;
  }
}
