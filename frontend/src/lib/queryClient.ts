import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "@/api/client";

const RETRIES = 2;

/** Retries only requests without a response and server errors; the API's refusals are permanent. */
function retry(failures: number, error: Error): boolean {
  const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
  return !refused && failures < RETRIES;
}

export function createQueryClient(): QueryClient {
  // Hub events invalidate the data, so it never becomes stale by age.
  return new QueryClient({
    defaultOptions: { queries: { retry, retryDelay: (n) => 500 * 2 ** n, staleTime: 60_000 } },
  });
}
