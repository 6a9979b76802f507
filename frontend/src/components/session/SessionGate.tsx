import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { Activity, lazy, Suspense, useEffect, useMemo, type ReactNode } from "react";
import { useNavigate } from "react-router";
import { onRefusal } from "@/api/client";
import { SessionContext, type SessionState } from "@/hooks/useSession";
import { listenToOtherTabs, notifyOtherTabs } from "@/lib/otherTabs";
import {
  refetchSession,
  retainCache,
  endLocalSession,
  renewSession,
  sessionQuery,
  signOut,
} from "@/lib/session";
import type { Session } from "@/types/session";
import { RestoredView } from "./RestoredView";

const loadSignInPage = () => import("./SignInPage");
const SignInPage = lazy(loadSignInPage);

/** Many pictures may fail at once: the session is checked once for all of them. */
const CHECK_MS = 5000;

function useSessionState(queries: QueryClient, session: Session | undefined): SessionState {
  const navigate = useNavigate();
  return useMemo(() => {
    const renew = async () => (await renewSession(queries)).caller;
    return {
      mode: session?.mode ?? "open",
      caller: session?.caller ?? null,
      isKnown: session !== undefined,
      // While the role is unknown, all controls are shown; the API enforces the role.
      canEdit: session?.caller?.role !== "viewer",
      signInCount: session?.signInCount ?? 0,
      renew,
      check: () => {
        // With AUTH_MODE=open there is no session that could end.
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

/** Error codes that indicate that the session ended or the role changed. */
const SESSION_ERROR_CODES: readonly string[] = ["sign_in_required", "operator_required", "not_admitted"];

/** Rechecks the session after a refusal that indicates another user, or none. */
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

/** Keeps the data of hidden pages until the user signs in again, however long that takes. */
function useRetainedCache(queries: QueryClient, isHidden: boolean): void {
  useEffect(() => (isHidden ? retainCache(queries) : undefined), [queries, isHidden]);
}

/** Preloads the sign-in page if sessions can end: the network may be down when it is needed. */
function usePreloadedSignInPage(session: Session | undefined): void {
  const canEnd = session !== undefined && session.mode !== "open";
  useEffect(() => {
    if (canEnd) void loadSignInPage().catch(() => null);
  }, [canEnd]);
}

/**
 * Shows the pages to signed-in users and the sign-in page to others. The pages load concurrently with the
 * session. When the session ends, they stay mounted but hidden, so that the same user can continue; for another
 * user they are remounted.
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
