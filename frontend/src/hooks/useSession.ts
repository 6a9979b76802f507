import { createContext, use } from "react";
import type { Caller, SessionMode } from "@/types/session";

export interface SessionState {
  mode: SessionMode;
  /** Who is signed in; null for nobody, and until it is known. */
  caller: Caller | null;
  /** Whether the API has said yet who is there: only then are there cookies for the hub and for files. */
  isKnown: boolean;
  /** Whether what changes something is offered. */
  canEdit: boolean;
  /** Counts how often somebody came in where nobody was: what failed before is worth another try. */
  signInCount: number;
  /**
   * Ask the API who is there, which renews the session and the hub's cookie. Questions at the same moment
   * become one. Resolves to the caller, null for nobody; rejects with an `ApiError` where there is no answer.
   */
  renew: () => Promise<Caller | null>;
  /** The same, at most every few seconds and without an error: for a picture that could not be loaded. */
  check: () => void;
  /** End the session. Rejects with an `ApiError`. */
  signOut: () => Promise<void>;
}

const OPEN: Caller = { name: "open", kind: "open", role: "operator" };

/** Without a provider (tests of parts) the house is open. */
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

/** Who is signed in and what that means; kept by `SessionGate`, which asks every few minutes. */
export function useSession(): SessionState {
  return use(SessionContext);
}

/** Whether what changes something is offered: not to viewers. */
export function useCanEdit(): boolean {
  return useSession().canEdit;
}
