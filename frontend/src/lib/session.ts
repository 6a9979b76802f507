import { queryOptions, QueryObserver, type QueryClient } from "@tanstack/react-query";
import { ApiError, client, unwrap } from "@/api/client";
import type { Session, SessionAnswer } from "@/types/session";
import { forgetHubCookie } from "./hubCookie";
import { dismissAllToasts } from "./toasts";

/** Asking renews the session and the hub's cookie, both of which live several times as long. */
const RENEW_MS = 3 * 60_000;
/** While it is not known who is there. */
const RETRY_MS = 5000;

export const SESSION_KEY = ["session"] as const;

const isNotSession = ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey[0] !== SESSION_KEY[0];

/** Drop everything that was loaded for the person before. */
function clearCache(queries: QueryClient): void {
  void queries.cancelQueries({ predicate: isNotSession });
  queries.removeQueries({ predicate: isNotSession });
  queries.getMutationCache().clear();
  dismissAllToasts();
}

/** What an answer means after what was known: another person's things are dropped, one's own asked for anew. */
function mergeAnswer(queries: QueryClient, { mode, caller }: SessionAnswer): Session {
  const known = queries.getQueryData<Session>(SESSION_KEY);
  const { person = null, signInCount = 0, resetCount = 0 } = known ?? {};
  if (caller === null) return { mode, caller, person, signInCount, resetCount };
  const isOtherUser = person !== null && person !== caller.name;
  const isNewSignIn = known !== undefined && known.caller === null;
  if (isOtherUser) clearCache(queries);
  // What failed for want of a session counts as old, too.
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

/** The API tells this to everybody; where it is refused, a proxy in front of it wants one to sign in there. */
async function fetchSession(signal: AbortSignal): Promise<SessionAnswer> {
  try {
    return await unwrap(client.GET("/api/v1/session", { signal, redirect: "manual" }));
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem !== null || !REFUSED.includes(error.status))
      throw error;
    return { mode: "proxy", caller: null };
  }
}

/** Who is there, asked every few minutes for as long as the page is open, and whenever one comes back to it. */
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
 * Ask who is there, which renews the session and the hub's cookie; questions at the same moment become one.
 * Rejects with an `ApiError` where there is no answer.
 */
export function renewSession(queries: QueryClient, staleTime = 0): Promise<Session> {
  return queries.query({ ...sessionQuery, staleTime, retry: false });
}

/** An answer that is under way may be older than what has just happened. */
function cancelRefetch(queries: QueryClient): Promise<void> {
  return queries.cancelQueries({ queryKey: SESSION_KEY });
}

/** Ask again, because another tab signed somebody in. Rejects with an `ApiError`. */
export async function refetchSession(queries: QueryClient): Promise<void> {
  await cancelRefetch(queries);
  await renewSession(queries);
}

/** Rejects with an `ApiError`: `bad_credentials`, `too_many_attempts` (with `retryAfter`), `no_passwords`. */
export async function signIn(queries: QueryClient, name: string, password: string): Promise<void> {
  const answer = await unwrap(client.POST("/api/v1/session", { body: { name, password } }));
  await cancelRefetch(queries);
  queries.setQueryData<Session>(SESSION_KEY, mergeAnswer(queries, answer));
}

/** End the session at the API and forget everything here. Rejects with an `ApiError`. */
export async function signOut(queries: QueryClient): Promise<void> {
  await unwrap(client.DELETE("/api/v1/session"));
  await endLocalSession(queries);
}

/** Forget everything: the session was ended, here or in another tab. */
export async function endLocalSession(queries: QueryClient): Promise<void> {
  await cancelRefetch(queries);
  clearCache(queries);
  forgetHubCookie();
  queries.setQueryData<Session>(
    SESSION_KEY,
    (known) => known && { ...known, caller: null, person: null, resetCount: known.resetCount + 1 },
  );
}

/** Keep what is cached while nothing on screen holds it; gives what ends that. */
export function retainCache(queries: QueryClient): () => void {
  const holds = queries
    .getQueryCache()
    .findAll({ predicate: isNotSession })
    .map(({ queryKey }) =>
      new QueryObserver(queries, { queryKey, enabled: false }).subscribe(() => undefined),
    );
  return () => holds.forEach((release) => release());
}
