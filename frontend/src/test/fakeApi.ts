import { vi } from "vitest";

/** A request that waits until the test answers it. */
export interface WaitingRequest {
  path: string;
  answer: (body: unknown, status?: number) => void;
}

/** Replaces `fetch`; every request waits in the list this returns, oldest first. */
export function holdRequests(): WaitingRequest[] {
  const waiting: WaitingRequest[] = [];
  vi.stubGlobal("fetch", (request: Request) => {
    const url = new URL(request.url);
    return new Promise<Response>((resolve) => {
      const answer = (body: unknown, status = 200) => resolve(Response.json(body, { status }));
      waiting.push({ path: url.pathname + url.search, answer });
    });
  });
  return waiting;
}
