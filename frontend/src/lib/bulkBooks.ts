/** Books of several orders: each is composed, then all are one PDF. */
import type { Failure } from "@/types";
import { createBook, fetchBooks, joinBooks, type Book } from "./bookApi";
import { recallBookOptions } from "./bookOptions";
import { saveFile } from "./download";
import { hub } from "./hub";
import { isGone } from "./orderQuery";

export { joinBooks, saveFile };

/** Without updates of the hub, books in progress are refetched so often. */
const POLL_MS = 15_000;

interface Composing {
  renew: () => Promise<unknown>;
  onProgress: (progress: { done: number; total: number }) => void;
  /** The reason of a request that failed. */
  reasonOf: (error: unknown) => string;
  /** The reason of a book that ended in error. */
  sentenceOf: (failure: Failure) => string;
}

interface Composed {
  /** Orders with a completed book, in the given order. */
  composed: string[];
  /** The others by the reason. */
  refusals: Map<string, string[]>;
}

/** Composes a book of each order with this browser's options, and waits until all have ended. */
export async function composeBooks(
  orderNumbers: readonly string[],
  { renew, onProgress, reasonOf, sentenceOf }: Composing,
): Promise<Composed> {
  const options = recallBookOptions(localStorage);
  const reasons = new Map<string, string>();
  const wait = new BookWait();
  const unsubscribe = hub.listen({
    onEvent: ({ order_number: number }) => number !== undefined && wait.check(number),
    onOpen: () => wait.checkAll(),
    renew,
  });
  const timer = setInterval(() => wait.checkAll(), POLL_MS);
  let done = 0;
  const ended = (number: string, ending: Promise<Book>): Promise<void> =>
    ending
      .then(({ error }) => error && reasons.set(number, sentenceOf(error)))
      .catch((error: unknown) => reasons.set(number, reasonOf(error)))
      .then(() => onProgress({ done: ++done, total: orderNumbers.length }));
  try {
    const all: Promise<void>[] = [];
    for (const number of orderNumbers) {
      // One request at a time: each reads the order's files for the preflight.
      const book = createBook(number, options);
      await book.catch(() => undefined);
      all.push(
        ended(
          number,
          book.then((made) => wait.until(number, made)),
        ),
      );
    }
    await Promise.all(all);
  } finally {
    unsubscribe();
    clearInterval(timer);
  }
  const refusals = new Map<string, string[]>();
  for (const [number, reason] of reasons) refusals.set(reason, [...(refusals.get(reason) ?? []), number]);
  return { composed: orderNumbers.filter((number) => !reasons.has(number)), refusals };
}

const hasEnded = ({ status }: Book): boolean => status === "completed" || status === "error";

interface Waiting {
  version: number;
  resolve: (book: Book) => void;
  reject: (error: unknown) => void;
}

/** Waits until versions have ended; looks at one when its order is updated. */
class BookWait {
  readonly #waiting = new Map<string, Waiting>();

  /** Resolves to `book` once it has ended; rejects if its order is deleted. */
  until(orderNumber: string, book: Book): Promise<Book> {
    if (hasEnded(book)) return Promise.resolve(book);
    return new Promise((resolve, reject) => {
      this.#waiting.set(orderNumber, { version: book.version, resolve, reject });
      // It may have ended since the response.
      this.check(orderNumber);
    });
  }

  check(orderNumber: string): void {
    void this.#look(orderNumber);
  }

  checkAll(): void {
    for (const number of this.#waiting.keys()) this.check(number);
  }

  async #look(orderNumber: string): Promise<void> {
    const waiting = this.#waiting.get(orderNumber);
    if (!waiting) return;
    try {
      const books = await fetchBooks(orderNumber);
      const book = books.find(({ version }) => version === waiting.version);
      if (!book || !hasEnded(book)) return;
      this.#waiting.delete(orderNumber);
      waiting.resolve(book);
    } catch (error) {
      // Any other failure changes nothing: the next update or the timer looks again.
      if (!isGone(error)) return;
      this.#waiting.delete(orderNumber);
      waiting.reject(error);
    }
  }
}
