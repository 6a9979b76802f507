import { keepPreviousData, queryOptions, type QueryClient } from "@tanstack/react-query";
import { fetchBookDefaults, fetchBooks, fetchPreflight, type Book } from "./bookApi";
import type { BookOptions } from "./bookOptions";

const FRESH_MS = 5 * 60_000;

/** Key of everything about an order's book. */
export function bookKey(orderNumber: string) {
  return ["book", orderNumber] as const;
}

const versionsKey = (orderNumber: string) => [...bookKey(orderNumber), "versions"] as const;

/** All versions of an order's book, newest first. */
export function booksQuery(orderNumber: string) {
  return queryOptions({
    queryKey: versionsKey(orderNumber),
    queryFn: ({ signal }) => fetchBooks(orderNumber, signal),
  });
}

/** What is wrong with the book, with these options. */
export function preflightQuery(orderNumber: string, options: BookOptions) {
  return queryOptions({
    queryKey: [...bookKey(orderNumber), "preflight", options] as const,
    queryFn: ({ signal }) => fetchPreflight(orderNumber, options, signal),
    placeholderData: keepPreviousData,
  });
}

export const bookDefaultsQuery = queryOptions({
  queryKey: ["bookDefaults"],
  queryFn: ({ signal }) => fetchBookDefaults(signal),
  staleTime: FRESH_MS,
});

/** Write a version of a response into the cache. */
export function putBook(queries: QueryClient, orderNumber: string, book: Book): void {
  queries.setQueryData<Book[]>(versionsKey(orderNumber), (books) =>
    [book, ...(books ?? []).filter(({ version }) => version !== book.version)].toSorted(
      (one, other) => other.version - one.version,
    ),
  );
}
