import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { Activity, lazy, Suspense, useEffect, useMemo, type ReactNode } from "react";
import { useNavigate } from "react-router";
import { onRefusal } from "@/api/client";
import { SessionContext, type SessionState } from "@/hooks/useSession";
import { listenToOtherTabs, notifyOtherTabs } from "@/lib/otherTabs";
import { refetchSession, retainCache, endLocalSession, renewSession, sessionQuery, signOut } from "@/lib/session";
import type { Session } from "@/types/session";
import { RestoredView } from "./RestoredView";

const loadSignInPage = () => import("./SignInPage");
const SignInPage = lazy(loadSignInPage);

/** A picture that fails may be one of many: the session is asked about once for all of them. */
const CHECK_MS = 5000;

function useSessionState(queries: QueryClient, session: Session | undefined): SessionState {
  const navigate = useNavigate();
  return useMemo(() => {
    const renew = async () => (await renewSession(queries)).caller;
    return {
      mode: session?.mode ?? "open",
      caller: session?.caller ?? null,
      isKnown: session !== undefined,
      // Until it is known nothing is taken away; the API decides anyway.
      canEdit: session?.caller?.role !== "viewer",
      signInCount: session?.signInCount ?? 0,
      renew,
      check: () => {
        // In an open house there is no session that could have ended.
        if (session !== undefined && session.mode !== "open")
          void renewSession(queries, CHECK_MS).catch(() => null);
      },
      signOut: async () => {
        await signOut(queries);
        notifyOtherTabs("signedOut");
        await navigate("/", { replace: true });
      },
    };
  }, [queries, session, navigate]);
}

/** What is refused with these may mean that the session ended, or that one may do less than before. */
const SESSION_ERROR_CODES: readonly string[] = ["sign_in_required", "operator_required", "not_admitted"];

/** Ask who is there when a refusal tells that it may be somebody else, or nobody. */
function useRecheckOnRefusal(queries: QueryClient): void {
  useEffect(
    () =>
      onRefusal(({ code, status }) => {
        const isByProxy = status === 401 && code === "unknown";
        if (SESSION_ERROR_CODES.includes(code) || isByProxy) void renewSession(queries).catch(() => null);
      }),
    [queries],
  );
}

function useOtherTabs(queries: QueryClient): void {
  const navigate = useNavigate();
  useEffect(
    () =>
      listenToOtherTabs((message) => {
        if (message === "signedIn") void refetchSession(queries).catch(() => null);
        else void endLocalSession(queries).then(() => navigate("/", { replace: true }));
      }),
    [queries, navigate],
  );
}

/** What is hidden keeps its data, however long it takes until somebody signs in again. */
function useRetainedCache(queries: QueryClient, isHidden: boolean): void {
  useEffect(() => (isHidden ? retainCache(queries) : undefined), [queries, isHidden]);
}

/** Where sessions end, the page for that is fetched before one does: later the network may be away. */
function usePreloadedSignInPage(session: Session | undefined): void {
  const canEnd = session !== undefined && session.mode !== "open";
  useEffect(() => {
    if (canEnd) void loadSignInPage().catch(() => null);
  }, [canEnd]);
}

/**
 * Lets in who is signed in, and asks the others to sign in. The pages load at the same time as the session,
 * so that nothing waits for it. When the session ends they stay as they are, hidden and at rest, for the
 * same person to go on; another person begins anew.
 */
export function SessionGate({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const { data: session, failureCount } = useQuery(sessionQuery);
  const state = useSessionState(queries, session);
  const isClosed = session !== undefined && session.caller === null;
  useRecheckOnRefusal(queries);
  useOtherTabs(queries);
  useRetainedCache(queries, isClosed);
  usePreloadedSignInPage(session);
  const isLoading = session === undefined && failureCount === 0;
  const isEmpty = isClosed && session.person === null;
  return (
    <SessionContext value={state}>
      {!isEmpty && (
        <Activity key={session?.resetCount ?? 0} mode={isClosed ? "hidden" : "visible"}>
          <RestoredView isLoading={isLoading}>{children}</RestoredView>
        </Activity>
      )}
      {isClosed && (
        <Suspense>
          <SignInPage session={session} />
        </Suspense>
      )}
    </SessionContext>
  );
}
