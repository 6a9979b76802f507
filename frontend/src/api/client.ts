import createClient from "openapi-fetch";
import { noteHubCookie } from "@/lib/hubCookie";
import type { components, paths } from "./schema";

export type Problem = components["schemas"]["Problem"];

/** The orders API, typed by its OpenAPI document. The gateway serves it on the same origin as this page. */
export const client = createClient<paths>({ baseUrl: location.origin, fetch: fetchApi });

/** A request on a dead keep-alive connection never completes. Only GET is aborted, because it is safe to repeat. */
const GET_TIMEOUT_MS = 30_000;

/** Calls the current global `fetch` (tests replace it) and notes the lifetime of the hub's cookie. */
async function fetchApi(request: Request): Promise<Response> {
  const response = await fetch(
    request,
    request.method === "GET" ? { signal: withTimeout(request.signal) } : {},
  );
  noteHubCookie(response);
  return response;
}

function withTimeout(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(GET_TIMEOUT_MS)]);
}

/** An error response of the API (RFC 9457). `status` is 0 if there was no response. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: Problem | null;
  /** Value of `Retry-After` in seconds; null without the header. */
  readonly retryAfter: number | null;

  constructor(status: number, problem: Problem | null, retryAfter: number | null = null) {
    super(sentence(status, problem));
    this.name = "ApiError";
    this.status = status;
    this.code = problem?.code ?? (status === 0 ? "unreachable" : "unknown");
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

function sentence(status: number, problem: Problem | null): string {
  if (problem === null) return status === 0 ? "no answer" : `status ${status}`;
  const fields = (problem.errors ?? []).map((error) => error.message);
  return [problem.detail, ...fields].join(" ");
}

/** `body` as a problem document, or null if it is not one. */
export function asProblem(body: unknown): Problem | null {
  return typeof body === "object" && body !== null && "detail" in body && "title" in body
    ? (body as Problem)
    : null;
}

type RefusalListener = (refusal: ApiError) => void;
const refusalListeners = new Set<RefusalListener>();

/** Subscribe to every error response of the API; returns the function that unsubscribes. */
export function onRefusal(listener: RefusalListener): () => void {
  refusalListeners.add(listener);
  return () => refusalListeners.delete(listener);
}

/** The `ApiError` of a response; notifies the listeners of `onRefusal`. `retryAfter`: the header's value. */
export function refusal(status: number, body: unknown, retryAfter: string | null = null): ApiError {
  const seconds = Number.parseInt(retryAfter ?? "", 10);
  const error = new ApiError(status, asProblem(body), Number.isNaN(seconds) ? null : seconds);
  for (const listener of refusalListeners) listener(error);
  return error;
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of a response; rejects with an `ApiError` for everything else. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer.catch((reason: unknown) => {
    if (reason instanceof DOMException && reason.name === "AbortError") throw reason;
    throw new ApiError(0, null);
  });
  // With `redirect: "manual"`: an authenticating proxy redirects to its sign-in page.
  if (response.type === "opaqueredirect") throw refusal(401, null);
  if (!response.ok) throw refusal(response.status, error, response.headers.get("Retry-After"));
  return data as T;
}
