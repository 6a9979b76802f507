import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "@/api/client";

const RETRIES = 2;

/** What the API refuses stays refused; only no answer and a server in trouble are worth asking again. */
function retry(failures: number, error: Error): boolean {
  const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
  return !refused && failures < RETRIES;
}

export function createQueryClient(): QueryClient {
  // The hub says when data is old, so nothing goes stale by itself.
  return new QueryClient({
    defaultOptions: { queries: { retry, retryDelay: (n) => 500 * 2 ** n, staleTime: 60_000 } },
  });
}
