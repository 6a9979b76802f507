import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Problem = components["schemas"]["Problem"];

/** The orders API, typed by its OpenAPI document. Same origin: the gateway serves this page too. */
// A lambda, so that a test may replace `fetch` after this module was loaded.
export const client = createClient<paths>({ baseUrl: location.origin, fetch: (request) => fetch(request) });

/** An answer of the API that is an error (RFC 9457). `status` is 0 when there was no answer at all. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: Problem | null;

  constructor(status: number, problem: Problem | null) {
    super(sentence(status, problem));
    this.name = "ApiError";
    this.status = status;
    this.code = problem?.code ?? (status === 0 ? "unreachable" : "unknown");
    this.problem = problem;
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
  if (!response.ok) throw new ApiError(response.status, asProblem(error));
  return data as T;
}
