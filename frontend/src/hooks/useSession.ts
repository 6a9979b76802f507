import { createContext, use } from "react";
import type { Caller, SessionMode } from "@/types/session";

export interface SessionState {
  mode: SessionMode;
  /** The signed-in user; null if no user is signed in, and until the API responded. */
  caller: Caller | null;
  /** Whether the API responded: only then are the cookies for the hub and the files set. */
  isKnown: boolean;
  /** Whether controls that make changes are shown. */
  canEdit: boolean;
  /** Number of sign-ins while the page is open; after one, failed requests are worth a retry. */
  signInCount: number;
  /**
   * Requests the session, which renews it and the hub's cookie. Concurrent calls share one request. Resolves to
   * the caller, or null if no user is signed in; rejects with an `ApiError` without a response.
   */
  renew: () => Promise<Caller | null>;
  /** Like `renew`, but at most every few seconds and without errors: for pictures that failed to load. */
  check: () => void;
  /** End the session. Rejects with an `ApiError`. */
  signOut: () => Promise<void>;
}

const OPEN: Caller = { name: "open", kind: "open", role: "operator" };

/** Without a provider (component tests) it behaves like AUTH_MODE=open. */
export const SessionContext = createContext<SessionState>({
  mode: "open",
  caller: OPEN,
  isKnown: true,
  canEdit: true,
  signInCount: 0,
  renew: () => Promise.resolve(OPEN),
  check: () => undefined,
  signOut: () => Promise.resolve(),
});

/** The session, provided by `SessionGate`, which refetches it every few minutes. */
export function useSession(): SessionState {
  return use(SessionContext);
}

/** Whether controls that make changes are shown; false for viewers. */
export function useCanEdit(): boolean {
  return useSession().canEdit;
}
