/** How the API knows who asks: everybody is an operator, users with passwords, or a proxy that says who. */
export type SessionMode = "open" | "password" | "proxy";

export interface Caller {
  name: string;
  kind: "open" | "user" | "proxy" | "token";
  role: "viewer" | "operator";
}

/** What `GET session` answers; without a `caller` nobody is signed in. */
export interface SessionAnswer {
  mode: SessionMode;
  caller: Caller | null;
}

/** Who is there, and whose things this browser holds. */
export interface Session extends SessionAnswer {
  /** Whose data is cached and on screen, also after the session ended; null for nobody's. */
  person: string | null;
  /** Counts how often somebody came in where nobody was. */
  entry: number;
  /** Counts how often everything was forgotten; what is on screen begins anew then. */
  house: number;
}
