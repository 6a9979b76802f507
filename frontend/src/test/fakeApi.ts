import { waitFor } from "@testing-library/react";
import { vi } from "vitest";
import { PRESETS } from "./samples";

/** A request that waits until the test answers it. */
export interface WaitingRequest {
  method: string;
  path: string;
  /** What was sent, as JSON; undefined without a body. */
  body: () => Promise<unknown>;
  answer: (body: unknown, status?: number, headers?: Record<string, string>) => void;
}

/** Replaces `fetch`; every request but the one for the presets waits in the list this returns, oldest first. */
export function holdRequests(): WaitingRequest[] {
  const waiting: WaitingRequest[] = [];
  vi.stubGlobal("fetch", (request: Request) => {
    const url = new URL(request.url);
    if (url.pathname === "/api/v1/presets") return Promise.resolve(Response.json(PRESETS));
    return new Promise<Response>((resolve) => {
      const answer = (body: unknown, status = 200, headers: Record<string, string> = {}) => {
        const init = { status, headers };
        resolve(status === 204 ? new Response(null, init) : Response.json(body, init));
      };
      const body = async (): Promise<unknown> => {
        const text = await request.clone().text();
        return text ? JSON.parse(text) : undefined;
      };
      waiting.push({ method: request.method, path: url.pathname + url.search, body, answer });
    });
  });
  return waiting;
}

/** Waits for a request whose method and path begin like `start` ("GET /api/v1/orders"), and takes it off the list. */
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

/** A problem document as the API answers it. */
export function problem(status: number, code: string, detail = "It failed.") {
  return { type: `urn:pastelka:${code}`, title: code, status, detail, code };
}
