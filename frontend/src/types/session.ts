import type { components } from "@/api/schema";

/** The response of `GET session`; without a `caller` no user is signed in. */
export type SessionAnswer = components["schemas"]["SessionResponse"];

export type Caller = components["schemas"]["CallerResponse"];

/** How the API identifies callers: not at all (all are operators), by passwords, or by an authenticating proxy. */
export type SessionMode = SessionAnswer["mode"];

/** The signed-in user, and the user whose data is cached. */
export interface Session extends SessionAnswer {
  /** The user whose data is cached and shown, even after the session ended; null without data. */
  person: string | null;
  /** Number of sign-ins while the page is open. */
  signInCount: number;
  /** Number of times that all data was dropped; each remounts the pages. */
  resetCount: number;
}
