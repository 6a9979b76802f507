import type { ReactNode } from "react";
import { SessionContext, useSession, type SessionState } from "@/hooks/useSession";

/** `children` with the session of AUTH_MODE=open and `changes`. */
export function WithSession({ changes, children }: { changes: Partial<SessionState>; children: ReactNode }) {
  return <SessionContext value={{ ...useSession(), ...changes }}>{children}</SessionContext>;
}

/** The session of a viewer. */
export const VIEWER: Partial<SessionState> = {
  mode: "password",
  caller: { name: "eva", kind: "user", role: "viewer" },
  canEdit: false,
};
