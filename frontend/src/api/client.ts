import createClient from "openapi-fetch";
import { noteHubCookie } from "@/lib/hubCookie";
import type { components, paths } from "./schema";

export type Problem = components["schemas"]["Problem"];

/** The orders API, typed by its OpenAPI document. Same origin: the gateway serves this page too. */
export const client = createClient<paths>({ baseUrl: location.origin, fetch: fetchApi });

/** A connection that died silently never answers; what only asks is asked again on another one. */
const GET_TIMEOUT_MS = 30_000;

/** `fetch`, which a test may replace after this module was loaded; hears what is said of the hub's cookie. */
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

/** An answer of the API that is an error (RFC 9457). `status` is 0 when there was no answer at all. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: Problem | null;
  /** Seconds after which it may be tried again (`Retry-After`); null where the answer does not say. */
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

/** What a body means as a problem document; null when it is none. */
export function asProblem(body: unknown): Problem | null {
  return typeof body === "object" && body !== null && "detail" in body && "title" in body
    ? (body as Problem)
    : null;
}

type RefusalListener = (refusal: ApiError) => void;
const refusalListeners = new Set<RefusalListener>();

/** Hear of every refusal of the API, wherever it was asked from. */
export function onRefusal(listener: RefusalListener): () => void {
  refusalListeners.add(listener);
  return () => refusalListeners.delete(listener);
}

/** The error that an answer is; whoever listens to refusals hears of it. `retryAfter`: the header. */
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

/** The data of an answer; everything else becomes an `ApiError`. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer.catch((reason: unknown) => {
    if (reason instanceof DOMException && reason.name === "AbortError") throw reason;
    throw new ApiError(0, null);
  });
  // Only where it was asked for: a proxy that sends to its own sign-in page.
  if (response.type === "opaqueredirect") throw refusal(401, null);
  if (!response.ok) throw refusal(response.status, error, response.headers.get("Retry-After"));
  return data as T;
}
