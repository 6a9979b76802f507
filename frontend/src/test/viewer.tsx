import type { ReactNode } from "react";
import { SessionContext, useSession, type SessionState } from "@/hooks/useSession";

/** `children` as somebody sees them whose session differs from an open house's by `changes`. */
export function WithSession({ changes, children }: { changes: Partial<SessionState>; children: ReactNode }) {
  return <SessionContext value={{ ...useSession(), ...changes }}>{children}</SessionContext>;
}

/** What somebody has who may look and not change. */
export const VIEWER: Partial<SessionState> = {
  mode: "password",
  caller: { name: "eva", kind: "user", role: "viewer" },
  canEdit: false,
};
