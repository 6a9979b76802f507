import type { components } from "@/api/schema";

/** What `GET session` answers; without a `caller` nobody is signed in. */
export type SessionAnswer = components["schemas"]["SessionResponse"];

export type Caller = components["schemas"]["CallerResponse"];

/** How the API knows who asks: everybody is an operator, users with passwords, or a proxy that says who. */
export type SessionMode = SessionAnswer["mode"];

/** Who is there, and whose things this browser holds. */
export interface Session extends SessionAnswer {
  /** Whose data is cached and on screen, also after the session ended; null for nobody's. */
  person: string | null;
  /** Counts how often somebody came in where nobody was. */
  signInCount: number;
  /** Counts how often everything was forgotten; what is on screen begins anew then. */
  resetCount: number;
}
