/** Seconds for which the hub takes the cookie that came with an answer; scripts cannot read the cookie itself. */
const MAX_AGE_HEADER = "Mercure-Max-Age";

let until: number | null = null;

/** Note what an answer of the API says of the hub's cookie; most say nothing. */
export function noteHubCookie(response: Response): void {
  const left = Number.parseInt(response.headers.get(MAX_AGE_HEADER) ?? "", 10);
  if (!Number.isNaN(left)) until = Date.now() + left * 1000;
}

/** When the hub's cookie runs out (ms since the epoch); null while no answer has said so. */
export function hubCookieUntil(): number | null {
  return until;
}

/** Whether the hub would refuse the cookie by now. */
export function isHubCookieOver(): boolean {
  return until !== null && Date.now() >= until;
}

/** The cookie is gone, or nothing is known of it any more. */
export function forgetHubCookie(): void {
  until = null;
}
