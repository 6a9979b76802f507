/** Header with the lifetime of the hub's cookie in seconds; the cookie itself is HttpOnly. */
const MAX_AGE_HEADER = "Mercure-Max-Age";

let until: number | null = null;

/** Note the lifetime of the hub's cookie, if the response sets one. */
export function noteHubCookie(response: Response): void {
  const left = Number.parseInt(response.headers.get(MAX_AGE_HEADER) ?? "", 10);
  if (!Number.isNaN(left)) until = Date.now() + left * 1000;
}

/** When the hub's cookie expires (ms since the epoch); null if unknown. */
export function hubCookieUntil(): number | null {
  return until;
}

/** Whether the hub's cookie has expired. */
export function isHubCookieOver(): boolean {
  return until !== null && Date.now() >= until;
}

/** Forget the cookie's lifetime. */
export function forgetHubCookie(): void {
  until = null;
}
