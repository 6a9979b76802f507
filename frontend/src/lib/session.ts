import { queryOptions, QueryObserver, type QueryClient } from "@tanstack/react-query";
import { ApiError, client, unwrap } from "@/api/client";
import type { Session, SessionAnswer } from "@/types/session";
import { forgetHubCookie } from "./hubCookie";
import { dismissAllToasts } from "./toasts";

/** Each request renews the session and the hub's cookie; both are valid several times as long. */
const RENEW_MS = 3 * 60_000;
/** Interval until the first response. */
const RETRY_MS = 5000;

export const SESSION_KEY = ["session"] as const;

const isNotSession = ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey[0] !== SESSION_KEY[0];

/** Drop all data that was loaded for the previous user. */
function clearCache(queries: QueryClient): void {
  void queries.cancelQueries({ predicate: isNotSession });
  queries.removeQueries({ predicate: isNotSession });
  queries.getMutationCache().clear();
  dismissAllToasts();
}

/** The session after a response: another user's data is dropped; after a new sign-in, the own is refetched. */
function mergeAnswer(queries: QueryClient, { mode, caller }: SessionAnswer): Session {
  const known = queries.getQueryData<Session>(SESSION_KEY);
  const { person = null, signInCount = 0, resetCount = 0 } = known ?? {};
  if (caller === null) return { mode, caller, person, signInCount, resetCount };
  const isOtherUser = person !== null && person !== caller.name;
  const isNewSignIn = known !== undefined && known.caller === null;
  if (isOtherUser) clearCache(queries);
  // This also refetches requests that failed without a session.
  else if (isNewSignIn) void queries.invalidateQueries({ predicate: isNotSession });
  return {
    mode,
    caller,
    person: caller.name,
    signInCount: isNewSignIn || isOtherUser ? signInCount + 1 : signInCount,
    resetCount: isOtherUser ? resetCount + 1 : resetCount,
  };
}

const REFUSED: readonly number[] = [401, 403];

/** The API serves this route without authentication; a refusal comes from an authenticating proxy in front. */
async function fetchSession(signal: AbortSignal): Promise<SessionAnswer> {
  try {
    return await unwrap(client.GET("/api/v1/session", { signal, redirect: "manual" }));
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem !== null || !REFUSED.includes(error.status))
      throw error;
    return { mode: "proxy", caller: null };
  }
}

/** The session, refetched every few minutes, and when the tab gets the focus or the network returns. */
export const sessionQuery = queryOptions({
  queryKey: SESSION_KEY,
  queryFn: async ({ client: queries, signal }): Promise<Session> =>
    mergeAnswer(queries, await fetchSession(signal)),
  staleTime: 0,
  gcTime: Infinity,
  refetchInterval: ({ state }) => (state.data === undefined ? RETRY_MS : RENEW_MS),
  refetchIntervalInBackground: true,
  refetchOnWindowFocus: "always",
  refetchOnReconnect: "always",
});

/**
 * Request the session, which renews it and the hub's cookie; concurrent calls share one request. Rejects with an
 * `ApiError` without a response.
 */
export function renewSession(queries: QueryClient, staleTime = 0): Promise<Session> {
  return queries.query({ ...sessionQuery, staleTime, retry: false });
}

/** Cancel a running request, whose response may predate the change. */
function cancelRefetch(queries: QueryClient): Promise<void> {
  return queries.cancelQueries({ queryKey: SESSION_KEY });
}

/** Refetch the session after a sign-in in another tab. Rejects with an `ApiError`. */
export async function refetchSession(queries: QueryClient): Promise<void> {
  await cancelRefetch(queries);
  await renewSession(queries);
}

/** Sign in. Rejects with an `ApiError`: `bad_credentials`, `too_many_attempts` (with `retryAfter`), `no_passwords`. */
export async function signIn(queries: QueryClient, name: string, password: string): Promise<void> {
  const answer = await unwrap(client.POST("/api/v1/session", { body: { name, password } }));
  await cancelRefetch(queries);
  queries.setQueryData<Session>(SESSION_KEY, mergeAnswer(queries, answer));
}

/** End the session at the API and drop all data. Rejects with an `ApiError`. */
export async function signOut(queries: QueryClient): Promise<void> {
  await unwrap(client.DELETE("/api/v1/session"));
  await endLocalSession(queries);
}

/** Drop all data after the session was ended here or in another tab. */
export async function endLocalSession(queries: QueryClient): Promise<void> {
  await cancelRefetch(queries);
  clearCache(queries);
  forgetHubCookie();
  queries.setQueryData<Session>(
    SESSION_KEY,
    (known) => known && { ...known, caller: null, person: null, resetCount: known.resetCount + 1 },
  );
}

/** Prevent garbage collection of the cache while no component observes it; returns the function that ends this. */
export function retainCache(queries: QueryClient): () => void {
  const holds = queries
    .getQueryCache()
    .findAll({ predicate: isNotSession })
    .map(({ queryKey }) =>
      new QueryObserver(queries, { queryKey, enabled: false }).subscribe(() => undefined),
    );
  return () => holds.forEach((release) => release());
}
