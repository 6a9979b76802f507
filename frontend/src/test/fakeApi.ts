import { waitFor } from "@testing-library/react";
import { vi } from "vitest";
import { PRESETS, QUEUES, STAGE_COUNTS } from "./samples";

/** A request that waits until the test responds to it. */
export interface WaitingRequest {
  method: string;
  path: string;
  /** The request body as JSON; undefined without one. */
  body: () => Promise<unknown>;
  header: (name: string) => string | null;
  answer: (body: unknown, status?: number, headers?: Record<string, string>) => void;
}

/** Replaces `fetch`; returns the list of waiting requests, oldest first. Presets, queues and counts are answered at once. */
export function holdRequests(): WaitingRequest[] {
  const waiting: WaitingRequest[] = [];
  vi.stubGlobal("fetch", (request: Request) => {
    const url = new URL(request.url);
    if (url.pathname === "/api/v1/presets") return Promise.resolve(Response.json(PRESETS));
    if (url.pathname === "/api/v1/queues") return Promise.resolve(Response.json(QUEUES));
    if (url.pathname === "/api/v1/orders/stages")
      return Promise.resolve(Response.json({ counts: STAGE_COUNTS }));
    return new Promise<Response>((resolve) => {
      const answer = (body: unknown, status = 200, headers: Record<string, string> = {}) => {
        const init = { status, headers };
        resolve(status === 204 ? new Response(null, init) : Response.json(body, init));
      };
      const body = async (): Promise<unknown> => {
        const text = await request.clone().text();
        return text ? JSON.parse(text) : undefined;
      };
      const header = (name: string) => request.headers.get(name);
      waiting.push({ method: request.method, path: url.pathname + url.search, body, header, answer });
    });
  });
  return waiting;
}

/** Waits for a request whose method and path start with `start` ("GET /api/v1/orders"), and removes it from the list. */
export async function takeRequest(requests: WaitingRequest[], start: string): Promise<WaitingRequest> {
  return waitFor(
    () => {
      const index = requests.findIndex(({ method, path }) => `${method} ${path}`.startsWith(start));
      const [found] = index === -1 ? [] : requests.splice(index, 1);
      if (!found)
        throw new Error(`no ${start} among ${requests.map(({ path }) => path).join(", ") || "none"}`);
      return found;
    },
    { timeout: 10_000 },
  );
}

/** A problem document as the API returns it. */
export function problem(status: number, code: string, detail = "It failed.") {
  return { type: `urn:pastelka:${code}`, title: code, status, detail, code };
}
